/** What policy routing is to do, as data. */
import { OUR_PROTOCOL } from '../names/protocols.ts'
import type { Route } from '../wanted/routes-file.ts'

/** A line for `ip -batch`. */
export interface RoutingLine {
  text: string
  kind: 'rule add' | 'rule del' | 'route add' | 'route flush'
  /** For a route: the file and line that configure it. */
  origin?: string
}

/** The work for one address, in the order of execution. */
export interface Change {
  address: string
  /** `add`: the address has routes. `remove`: the address is not here, or no longer configured. */
  kind: 'add' | 'remove'
  lines: RoutingLine[]
  why: string
  /** What an address lacks, such as `its rule`. */
  missing?: string
}

/** The words of a route but its table and protocol. */
export function routeWords(
  { destination, gateway, more }: Pick<Route, 'destination' | 'gateway' | 'more'>,
  iface: string,
): string {
  return [destination, ...(gateway ? ['via', gateway] : []), 'dev', iface, ...more].join(' ')
}

export function ruleAdd(address: string, pref: number, table: number): RoutingLine {
  return { text: `rule add ${ruleWords(address, pref, table)} protocol ${OUR_PROTOCOL}`, kind: 'rule add' }
}

/** Deletes a rule of ours with our mark, and nobody else's. */
export function ruleDel(address: string, pref: number, table: number | string): RoutingLine {
  return { text: `rule del ${ruleWords(address, pref, table)} protocol ${OUR_PROTOCOL}`, kind: 'rule del' }
}

/** Deletes the first such rule, whatever its protocol: the kernel takes a missing protocol for any. */
export function firstRuleDel(address: string, pref: number, table: number | string): RoutingLine {
  return { text: `rule del ${ruleWords(address, pref, table)}`, kind: 'rule del' }
}

function ruleWords(address: string, pref: number, table: number | string): string {
  return `from ${address} pref ${pref} table ${table}`
}

/** Empties a table of the routes of one protocol. Whoever adds a route without one gets `boot`. */
export function flush(table: number | string, protocol = 'boot'): RoutingLine {
  return { text: `route flush table ${table} proto ${protocol}`, kind: 'route flush' }
}
