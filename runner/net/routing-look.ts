import type { Node } from '../handler.ts'
import { Refusal } from '../refusal.ts'
import type { Answer } from '../system/door.ts'
import { canonical, hostBits, type Family } from './address.ts'
import { parseLinks, rows } from './ip.ts'
import { refuseFailed } from './look.ts'
import { networkText, parseNetwork } from './network.ts'

/** A rule `from ADDRESS lookup TABLE`, with no other condition. */
export interface SourceRule {
  pref: number
  address: string
  /** As `ip` prints it: a name where rt_tables has one. */
  table: string
}

/** A route as the kernel has it. */
export interface KernelRoute {
  destination: string
  gateway?: string
  iface?: string
  table: string
  /** Others (blackhole, several next hops) are none of ours, whatever table they are in. */
  plain: boolean
  metric?: number
}

export interface Seen {
  rules: SourceRule[]
  routes: KernelRoute[]
}

/** An interface's own name, by which routes name it, for each other name that it has. */
export type OtherNames = ReadonlyMap<string, string>

/** What one look shows. */
export interface Look extends Seen {
  otherNames: OtherNames
}

/** Nothing: also what a kernel without that family has. */
export const NOTHING: Look = { rules: [], routes: [], otherNames: new Map() }

/** Rules and routes of one family, and what the interfaces are called, in one look. */
export async function lookAtRouting(node: Node, family: Family): Promise<Look> {
  // the links last: behind them this ip would show no addresses any more, and who knows what else
  const input = 'rule show\nroute show table all\nlink show\n'
  const answer = await node.ask({ input })`ip -json ${optionOf(family)} -batch -`
  if (/not supported/i.test(answer.err)) return NOTHING
  refuseFailed(answer, 'rules and routes')
  const [rules = '', routes = '', links = ''] = partsOf(answer, 3)
  return {
    rules: parseRules(rules),
    routes: parseRoutes(routes, family),
    otherNames: otherNamesIn(links),
  }
}

/** All routes of both families. */
export async function lookAtRoutes(node: Node): Promise<Omit<Look, 'rules'>> {
  const answer = await node.ask({ input: 'route show table all\nlink show\n' })`ip -json -batch -`
  refuseFailed(answer, 'routes')
  const [routes = '', links = ''] = partsOf(answer, 2)
  return { routes: parseRoutes(routes), otherNames: otherNamesIn(links) }
}

/** What each line of a batch has printed. */
function partsOf({ out }: Answer, count: number): string[] {
  const parts = out.split('\n').filter((line) => line.trim() !== '')
  if (parts.length === count) return parts
  throw new Refusal(
    `ip -json printed ${JSON.stringify(out.slice(0, 60))}: expected ${count} lines, a list each: check "ip -V" (iproute2 4.14 or newer)`,
  )
}

function otherNamesIn(text: string): OtherNames {
  return new Map(parseLinks(text).flatMap(({ name, altnames }) => altnames.map((other) => [other, name])))
}

export function optionOf(family: Family): '-4' | '-6' {
  return family === 'inet6' ? '-6' : '-4'
}

/** What `ip -json rule show` says of a rule that has no other condition than where a packet comes from. */
const PLAIN = new Set(['priority', 'src', 'srclen', 'table', 'protocol'])

/** The rules for a single source address; all others are none of ours. */
export function parseRules(text: string): SourceRule[] {
  return rows(text, 'rules').flatMap((row) => {
    const { priority, src, srclen, table } = row
    const address = typeof src === 'string' ? canonical(src) : undefined
    if (!address || typeof priority !== 'number' || (typeof table !== 'string' && typeof table !== 'number'))
      return []
    if (!Object.keys(row).every((key) => PLAIN.has(key))) return []
    if (srclen !== undefined && srclen !== hostBits(address)) return []
    return [{ pref: priority, address, table: String(table) }]
  })
}

/** `ip -json route show table all`: the table is not said of routes in main. */
export function parseRoutes(text: string, family?: Family): KernelRoute[] {
  return rows(text, 'routes').flatMap(({ dst, gateway, dev, table, type, nexthops, via, pref, metric }) => {
    // only IPv6 routes have a preference (RFC 4191)
    const own = family ?? (pref === undefined ? 'inet' : 'inet6')
    const network = typeof dst === 'string' ? parseNetwork(dst, own) : 'none'
    if (typeof network === 'string') return []
    return [
      {
        destination: networkText(network),
        gateway: typeof gateway === 'string' ? canonical(gateway) : undefined,
        iface: typeof dev === 'string' ? dev : undefined,
        table: typeof table === 'string' || typeof table === 'number' ? String(table) : 'main',
        plain: (type === undefined || type === 'unicast') && nexthops === undefined && via === undefined,
        ...(typeof metric === 'number' ? { metric } : {}),
      },
    ]
  })
}
