import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Answer } from '../../machine/machine.ts'
import { canonical, familyOf, hostBits, type Family } from '../../inet/address.ts'
import { parseLinks, rows, type Link } from '../ip-json.ts'
import { refuseFailed } from '../address/interfaces.ts'
import { networkText, parseNetwork } from '../../inet/network.ts'

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
  /** By it the kernel takes packets for that address in: the address is on this interface. */
  local: boolean
  metric?: number
  /** The address that packets get as their source. */
  src?: string
  /** `mtu`, `advmss` and what else a route may say of its connections. */
  metrics: Readonly<Record<string, number>>
}

export interface Seen {
  rules: SourceRule[]
  routes: KernelRoute[]
}

/** What one look shows. */
export interface Look extends Seen {
  /** No addresses. */
  links: readonly Link[]
}

/** Nothing: also what a kernel without that family has. */
export const NOTHING: Look = { rules: [], routes: [], links: [] }

/** For `ip -batch`: the links last, as behind them this ip would show no addresses any more, and who knows what else. */
const INPUT = 'rule show\nroute show table all\nlink show\n'

/** Rules and routes of one family, and the interfaces, in one look. */
export async function lookAtRouting(node: Node, family: Family): Promise<Look> {
  const answer = await node.ask({ input: INPUT })`ip -json ${optionOf(family)} -batch -`
  return isUnknownFamily(answer) ? NOTHING : seenIn(answer, family)
}

/** The routes of both families, and of the rules those of IPv4: for IPv6's it takes an `ip` of their own. */
export async function lookAtAll(node: Node): Promise<Look> {
  return seenIn(await node.ask({ input: INPUT })`ip -json -batch -`)
}

/** The rules of IPv6. */
export async function lookAtRules6(node: Node): Promise<SourceRule[]> {
  const answer = await node.ask`ip -json -6 rule show`
  if (isUnknownFamily(answer)) return []
  refuseFailed(answer, 'rules')
  return parseRules(answer.out)
}

function isUnknownFamily({ err }: Answer): boolean {
  return /not supported/i.test(err)
}

function seenIn(answer: Answer, family?: Family): Look {
  refuseFailed(answer, 'rules and routes')
  const { out } = answer
  const [rules, routes, links, ...more] = out.split('\n').filter((line) => line.trim() !== '')
  if (rules === undefined || routes === undefined || links === undefined || more.length > 0)
    throw new Refusal(
      `ip -json printed ${JSON.stringify(out.slice(0, 60))}: expected 3 lines, a list each: check "ip -V" (iproute2 4.14 or newer)`,
    )
  return { rules: parseRules(rules), routes: parseRoutes(routes, family), links: parseLinks(links) }
}

/** The interfaces that the kernel has an address on: none while they are down. */
export function interfacesOf(address: string, { routes }: Pick<Look, 'routes'>): string[] {
  const destination = `${address}/${hostBits(address)}`
  return routes.flatMap((route) =>
    route.local && route.destination === destination && route.iface !== undefined ? [route.iface] : [],
  )
}

/** Of a look at both families the part of one. */
export function partOf({ rules, routes, links }: Look, family: Family): Look {
  return {
    rules: rules.filter(({ address }) => familyOf(address) === family),
    routes: routes.filter(({ destination }) => familyOf(destination) === family),
    links,
  }
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
  return rows(text, 'routes').flatMap((row) => {
    const { dst, gateway, dev, table, type, nexthops, via, metric, prefsrc } = row
    // only IPv6 routes have a preference (RFC 4191)
    const own = family ?? (row['pref'] === undefined ? 'inet' : 'inet6')
    const network = typeof dst === 'string' ? parseNetwork(dst, own) : 'none'
    if (typeof network === 'string') return []
    return [
      {
        destination: networkText(network),
        gateway: typeof gateway === 'string' ? canonical(gateway) : undefined,
        iface: typeof dev === 'string' ? dev : undefined,
        table: typeof table === 'string' || typeof table === 'number' ? String(table) : 'main',
        plain: (type === undefined || type === 'unicast') && nexthops === undefined && via === undefined,
        local: type === 'local',
        metric: typeof metric === 'number' ? metric : undefined,
        src: typeof prefsrc === 'string' ? canonical(prefsrc) : undefined,
        metrics: metricsIn(row['metrics']),
      },
    ]
  })
}

/** `[{"mtu":1400,"advmss":1300}]` */
function metricsIn(list: unknown): Record<string, number> {
  const all = Array.isArray(list) ? list.flatMap((each: object) => Object.entries(each)) : []
  return Object.fromEntries(all.filter((each): each is [string, number] => typeof each[1] === 'number'))
}
