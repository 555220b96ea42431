import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Answer } from '../../machine/machine.ts'
import { canonical, familyOf, hostBits, type Family } from '../../inet/address.ts'
import { parseLinks, rows, type Link } from '../ip-json.ts'
import { OLDEST_IP } from '../oldest-ip.ts'
import { networkText, parseNetwork } from '../../inet/network.ts'
import { refuseFailed } from '../answer.ts'

/** A rule `from ADDRESS lookup TABLE`, with no other condition. */
export interface SourceRule {
  pref: number
  address: string
  /** As `ip` prints it: a name where rt_tables has one. */
  table: string
}

/** A route of the kernel. */
export interface KernelRoute {
  destination: string
  gateway?: string
  iface?: string
  table: string
  /** A unicast route with one next hop. Others, such as blackhole, are never ours. */
  plain: boolean
  /** A local route: the kernel receives packets for the address, which is on this interface. */
  local: boolean
  metric?: number
  /** The source address that packets get. */
  src?: string
  /** `mtu`, `advmss` and the other properties of connections. */
  metrics: Readonly<Record<string, number>>
}

export interface Seen {
  rules: SourceRule[]
  routes: KernelRoute[]
}

/** The result of one look. */
export interface Look extends Seen {
  /** Without their addresses. */
  links: readonly Link[]
}

/** An empty look: also the result on a kernel without that family. */
export const NOTHING: Look = { rules: [], routes: [], links: [] }

/** For `ip -batch`. Links come last: after them `ip` shows no addresses any more in the same run. */
const INPUT = 'rule show\nroute show table all\nlink show\n'

/** Rules and routes of one family, and the interfaces, in one look. */
export async function lookAtRouting(node: Node, family: Family): Promise<Look> {
  const answer = await node.ask({ input: INPUT })`ip -json ${optionOf(family)} -batch -`
  return isUnknownFamily(answer) ? NOTHING : seenIn(answer, family)
}

/** The routes of both families and the rules of IPv4. The rules of IPv6 need an `ip` of their own. */
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
      `ip -json printed ${JSON.stringify(out.slice(0, 60))}: expected 3 lines, a list each: check "ip -V" (${OLDEST_IP.text} or newer)`,
    )
  return { rules: parseRules(rules), routes: parseRoutes(routes, family), links: parseLinks(links) }
}

/** The interfaces on which the kernel has an address; none while they are down. */
export function interfacesOf(address: string, { routes }: Pick<Look, 'routes'>): string[] {
  const destination = `${address}/${hostBits(address)}`
  return routes.flatMap((route) =>
    route.local && route.destination === destination && route.iface !== undefined ? [route.iface] : [],
  )
}

/** One family's part of a look at both. */
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

/** The fields of `ip -json rule show` for a rule with no other condition than the packet's source. */
const PLAIN = new Set(['priority', 'src', 'srclen', 'table', 'protocol'])

/** The rules for a single source address: all others are never ours. */
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

/** Reads `ip -json route show table all`. A route without a table is one of main. */
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

/** Reads `[{"mtu":1400,"advmss":1300}]`. */
function metricsIn(list: unknown): Record<string, number> {
  const all = Array.isArray(list) ? list.flatMap((each: object) => Object.entries(each)) : []
  return Object.fromEntries(all.filter((each): each is [string, number] => typeof each[1] === 'number'))
}
