/** Rules and routes as `ip -json` shows them. */
import { canonical, hostBits, type Family } from '../../../inet/address.ts'
import { networkText, parseNetwork } from '../../../inet/network.ts'
import { rows } from '../../ip-json.ts'

/** A rule `from ADDRESS lookup TABLE`, with no other condition. */
export interface SourceRule {
  pref: number
  address: string
  /** As `ip` prints it: a name where rt_tables has one. */
  table: string
  /** As `ip` prints it, a number or a name; undefined for a rule that was added without one. */
  protocol?: string
}

/** The rules of a family. */
export interface Rules {
  rules: SourceRule[]
  /** The tables that all other rules lead to. */
  others: string[]
}

/** A route of the kernel. */
export interface KernelRoute {
  destination: string
  gateway?: string
  iface?: string
  table: string
  /** As `ip` prints it, a number or a name; undefined for a route that was added without one (`boot`). */
  protocol?: string
  /** A unicast route with one next hop. Others, such as blackhole, are never ours. */
  plain: boolean
  /** A local route: the kernel receives packets for the address, which is on this interface. */
  local: boolean
  metric?: number
  /** The source address that packets get. */
  src?: string
  /** `mtu`, `advmss` and the other properties of connections; undefined where `ip` does not name them. */
  metrics?: Readonly<Record<string, number>>
}

/** The fields of `ip -json rule show` for a rule with no other condition than the packet's source. */
const PLAIN = new Set(['priority', 'src', 'srclen', 'table', 'protocol'])

/** Reads `ip -json rule show`. Only rules for a single source address can be ours. */
export function parseRules(text: string): Rules {
  const found: Rules = { rules: [], others: [] }
  for (const row of rows(text, 'rules')) {
    const rule = sourceRule(row)
    const table = wordOf(row['table'])
    if (rule) found.rules.push(rule)
    else if (table !== undefined) found.others.push(table)
  }
  return found
}

function sourceRule(row: Record<string, unknown>): SourceRule | undefined {
  const { priority, src, srclen } = row
  const address = typeof src === 'string' ? canonical(src) : undefined
  const table = wordOf(row['table'])
  if (!address || table === undefined || typeof priority !== 'number') return undefined
  if (!Object.keys(row).every((key) => PLAIN.has(key))) return undefined
  if (srclen !== undefined && srclen !== hostBits(address)) return undefined
  return { pref: priority, address, table, protocol: wordOf(row['protocol']) }
}

/** A name or a number, which `ip` prints with quotes or without. */
function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** Reads `ip -json route show table all`. A route without a table is one of main. */
export function parseRoutes(text: string, family?: Family): KernelRoute[] {
  return rows(text, 'routes').flatMap((row) => {
    const { dst, gateway, dev, type, nexthops, via, metric, prefsrc } = row
    // only IPv6 routes have a preference (RFC 4191)
    const own = family ?? (row['pref'] === undefined ? 'inet' : 'inet6')
    const network = typeof dst === 'string' ? parseNetwork(dst, own) : 'none'
    if (typeof network === 'string') return []
    return [
      {
        destination: networkText(network),
        gateway: typeof gateway === 'string' ? canonical(gateway) : undefined,
        iface: typeof dev === 'string' ? dev : undefined,
        table: wordOf(row['table']) ?? 'main',
        protocol: wordOf(row['protocol']),
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
function metricsIn(list: unknown): Record<string, number> | undefined {
  if (list === null) return undefined
  const all = Array.isArray(list) ? list.flatMap((each: object) => Object.entries(each)) : []
  return Object.fromEntries(all.filter((each): each is [string, number] => typeof each[1] === 'number'))
}
