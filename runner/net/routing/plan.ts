import { addressOfLabel, type TableName } from './rt-tables.ts'
import { contains, networkOf, parseNetwork, type Network } from '../../inet/network.ts'
import { canonical, familyOf, type Family } from '../../inet/address.ts'
import { LOCKABLE, valueOf, type Route } from './routes-file.ts'
import type { KernelRoute, Seen } from './kernel-routes.ts'
import type { Routing } from './options.ts'
import { idOf, isOurTable } from './tables.ts'

/** A public address on this node, and the routes that are meant for it: none, when nothing is said of it. */
export interface Wanted {
  address: string
  iface: string
  routes: readonly Route[]
}

/** A line for `ip -batch`. */
export interface Line {
  text: string
  kind: 'rule add' | 'rule del' | 'route add' | 'route flush'
  /** Of a route, where it comes from. */
  origin?: string
}

/** What there is to do for one address, in order. */
export interface Change {
  address: string
  /** `add`: it has routes. `remove`: it is not here, or nothing is said of it any more. */
  kind: 'add' | 'remove'
  lines: Line[]
  why: string
}

const ruleWords = (address: string, pref: number, table: string | number) =>
  `from ${address} pref ${pref} table ${table}`

/**
 * What makes the kernel have what is wanted for an address. The routes come before the rule, so that whoever is killed
 * between them has sent nothing the wrong way: a table that no rule names is not asked. Undefined when all is there.
 */
export function additions(
  { address, iface, routes }: Wanted,
  id: number,
  seen: Seen,
  names: readonly TableName[],
  { pref }: Routing,
  force = false,
): Change | undefined {
  const there = seen.routes.filter(({ table }) => idOf(table, names) === id)
  const rules = seen.rules.filter((rule) => rule.address === address && rule.pref === pref)
  const isRight = routesMatch(routes, there, iface) && !force
  const hasRule = rules.some(({ table }) => idOf(table, names) === id)
  if (isRight && hasRule) return undefined
  const flush: Line[] =
    isRight || (there.length === 0 && !force)
      ? []
      : [{ text: `route flush table ${id}`, kind: 'route flush' }]
  const adds: Line[] = isRight
    ? []
    : routes.map((route) => ({
        text: `route add ${routeWords(route, iface)} table ${id}`,
        kind: 'route add',
        origin: route.origin,
      }))
  const rule: Line[] = hasRule ? [] : [{ text: `rule add ${ruleWords(address, pref, id)}`, kind: 'rule add' }]
  const missing = [
    ...(isRight ? [] : [force ? 'its routes afresh' : 'its routes']),
    ...(hasRule ? [] : ['its rule']),
  ]
  return {
    address,
    kind: 'add',
    lines: [...flush, ...adds, ...rule],
    why: `${address} on ${iface}: table ${id} needs ${missing.join(' and ')}`,
  }
}

export function routeWords({ destination, gateway, more }: Route, iface: string): string {
  return [destination, ...(gateway ? ['via', gateway] : []), 'dev', iface, ...more].join(' ')
}

function routesMatch(wanted: readonly Route[], there: readonly KernelRoute[], iface: string): boolean {
  const isThere = (route: Route) =>
    there.some(
      (each) =>
        each.plain &&
        each.destination === route.destination &&
        each.gateway === route.gateway &&
        each.iface === iface &&
        wordsMatch(route, each),
    )
  return wanted.length === there.length && wanted.every(isThere)
}

/**
 * The words behind a gateway that the kernel shows again as numbers and addresses. The others (`proto`, `scope`, `onlink`,
 * `lock`) it shows by other names, or not at all: a change of these comes into effect when all routes are added afresh.
 */
function wordsMatch(route: Route, there: KernelRoute): boolean {
  const usual = usualMetric(familyOf(route.destination))
  const src = valueOf(route, 'src')
  return (
    // 0 is as if nothing were said
    (Number(valueOf(route, 'metric')) || usual) === (there.metric ?? usual) &&
    (src === undefined ? undefined : canonical(src)) === there.src &&
    LOCKABLE.every((word) => {
      const said = Math.min(Number(valueOf(route, word) ?? 0), MOST[word] ?? Infinity)
      return said === (there.metrics[word] ?? 0)
    })
  )
}

/** Above these the kernel takes these (net/ipv4/metrics.c). */
const MOST: Record<string, number> = { mtu: 65_535 - 15, advmss: 65_535 - 40 }

/** What a route gets that is added without a metric (ip-route(8)). */
export function usualMetric(family: Family): number {
  return family === 'inet6' ? 1024 : 0
}

/**
 * What is ours and not wanted: rules for addresses that are not here, rules that name another table than the
 * address has now, and tables of addresses that are not here although no rule names them (of a run that was killed).
 */
export function removals(
  keep: ReadonlyMap<string, number>,
  seen: Seen,
  names: readonly TableName[],
  routing: Routing,
): Change[] {
  const changes = new Map<string, Line[]>()
  const add = (address: string, line: Line) => {
    const lines = changes.get(address) ?? []
    if (!lines.some(({ text }) => text === line.text)) changes.set(address, [...lines, line])
  }
  for (const { address, table } of ourRules(seen, names, routing)) {
    const id = idOf(table, names)
    if (keep.has(address) && id === keep.get(address)) continue
    add(address, { text: `rule del ${ruleWords(address, routing.pref, id ?? table)}`, kind: 'rule del' })
    if (![...keep.values()].includes(id ?? -1)) add(address, flushOf(id ?? table))
  }
  for (const { table } of seen.routes) {
    const address = addressOfLabel(table)
    if (address !== undefined && !keep.has(address)) add(address, flushOf(idOf(table, names) ?? table))
  }
  return [...changes].map(([address, lines]) => ({
    address,
    kind: 'remove',
    lines,
    why: `rules or routes for ${address} are left that are not wanted: removing them`,
  }))
}

const flushOf = (table: string | number): Line => ({
  text: `route flush table ${table}`,
  kind: 'route flush',
})

/** Rules for a single address with our priority that lead to a table of ours. */
export function ourRules(seen: Seen, names: readonly TableName[], routing: Routing): Seen['rules'] {
  return seen.rules.filter(({ pref, table }) => pref === routing.pref && isOurTable(table, names, routing))
}

/** Does rt_tables say that we have ever had an address of that family? Else no rule can be ours. */
export function mayHaveOurs(family: Family, names: readonly TableName[]): boolean {
  return names.some(({ name }) => {
    const address = addressOfLabel(name)
    return address !== undefined && familyOf(address) === family
  })
}

/**
 * Why a gateway cannot be reached from an address, as the kernel would have it: it must be on the wire of that
 * interface. `bits` is the address's own prefix, `seen` the routes there are. Undefined when it can.
 */
export function whyNoGateway(
  { address, iface, routes }: Wanted,
  bits: number | undefined,
  seen: Seen,
): string | undefined {
  // of any table but ours: which of them the kernel asks is for the rules to say, and for it to refuse
  const others = seen.routes.filter(({ table }) => addressOfLabel(table) === undefined)
  const earlier: Network[] = []
  for (const route of routes) {
    const { gateway } = route
    if (gateway === undefined) earlier.push(...networks(route.destination, address))
    else if (!isNear(gateway, address, bits, earlier, route) && !isOnLink(gateway, iface, others))
      return `${route.origin}: gateway ${gateway} is outside the subnet of ${address}${bits === undefined ? '' : `/${bits}`} and of all else on ${iface}: expected a gateway that ${iface} reaches directly`
  }
  return undefined
}

/** Known without a look at the kernel. */
function isNear(
  gateway: string,
  address: string,
  bits: number | undefined,
  earlier: readonly Network[],
  { more }: Route,
): boolean {
  return (
    more.includes('onlink') ||
    /^fe[89ab]/.test(gateway) ||
    (bits !== undefined && contains(networkOf(address, bits), gateway)) ||
    earlier.some((network) => contains(network, gateway))
  )
}

/** Is there a route that says: this gateway is on the wire of that interface? */
export function isOnLink(gateway: string, iface: string, routes: readonly KernelRoute[]): boolean {
  return routes.some(
    (route) =>
      route.iface === iface &&
      route.gateway === undefined &&
      route.plain &&
      networks(route.destination, gateway).some((network) => contains(network, gateway)),
  )
}

function networks(destination: string, address: string): Network[] {
  const network = parseNetwork(destination, familyOf(address))
  return typeof network === 'string' ? [] : [network]
}
