import { addressOfLabel, type TableName } from './rt-tables.ts'
import { contains, networkOf, parseNetwork, type Network } from '../../inet/network.ts'
import { canonical, familyOf, type Family } from '../../inet/address.ts'
import { LOCKABLE, valueOf, type Route } from './routes-file.ts'
import type { KernelRoute, Seen } from './kernel-routes.ts'
import type { Routing } from './options.ts'
import { idOf, isOurTable } from './tables.ts'

/** A public address on this node with its configured routes; none where the file does not name the address. */
export interface RoutedAddress {
  address: string
  iface: string
  routes: readonly Route[]
}

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
}

const ruleWords = (address: string, pref: number, table: string | number) =>
  `from ${address} pref ${pref} table ${table}`

/**
 * The missing routes and the missing rule of an address; undefined when nothing is missing. Routes come before the rule: a
 * kill between the two sends no packet astray, as the kernel asks no table without a rule.
 */
export function additions(
  { address, iface, routes }: RoutedAddress,
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
  const flush: RoutingLine[] =
    isRight || (there.length === 0 && !force)
      ? []
      : [{ text: `route flush table ${id}`, kind: 'route flush' }]
  const adds: RoutingLine[] = isRight
    ? []
    : routes.map((route) => ({
        text: `route add ${routeWords(route, iface)} table ${id}`,
        kind: 'route add',
        origin: route.origin,
      }))
  const rule: RoutingLine[] = hasRule
    ? []
    : [{ text: `rule add ${ruleWords(address, pref, id)}`, kind: 'rule add' }]
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
 * Compares the words after a gateway that the kernel shows again as numbers and addresses. The others (`proto`, `scope`,
 * `onlink`, `lock`) come back by other names, or not at all: changes of these take effect when all routes are added afresh.
 */
function wordsMatch(route: Route, there: KernelRoute): boolean {
  const usual = usualMetric(familyOf(route.destination))
  const src = valueOf(route, 'src')
  return (
    // 0 means the default
    (Number(valueOf(route, 'metric')) || usual) === (there.metric ?? usual) &&
    (src === undefined ? undefined : canonical(src)) === there.src &&
    LOCKABLE.every((word) => {
      const said = Math.min(Number(valueOf(route, word) ?? 0), MOST[word] ?? Infinity)
      return said === (there.metrics[word] ?? 0)
    })
  )
}

/** The kernel lowers larger values to these (net/ipv4/metrics.c). */
const MOST: Record<string, number> = { mtu: 65_535 - 15, advmss: 65_535 - 40 }

/** The metric of a route that is added without one (ip-route(8)). */
export function usualMetric(family: Family): number {
  return family === 'inet6' ? 1024 : 0
}

/**
 * Removes what is ours and not wanted: rules for addresses that are not here, rules that name another table than the
 * address has now, and tables of addresses that are not here although no rule names them, as a killed run leaves them.
 */
export function removals(
  keep: ReadonlyMap<string, number>,
  seen: Seen,
  names: readonly TableName[],
  routing: Routing,
): Change[] {
  const changes = new Map<string, RoutingLine[]>()
  const add = (address: string, line: RoutingLine) => {
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

const flushOf = (table: string | number): RoutingLine => ({
  text: `route flush table ${table}`,
  kind: 'route flush',
})

/** The rules for a single address that have our priority and lead to a table of ours. */
export function ourRules(seen: Seen, names: readonly TableName[], routing: Routing): Seen['rules'] {
  return seen.rules.filter(({ pref, table }) => pref === routing.pref && isOurTable(table, names, routing))
}

/** Does rt_tables name an address of that family? Without one no rule can be ours. */
export function mayHaveOurs(family: Family, names: readonly TableName[]): boolean {
  return names.some(({ name }) => {
    const address = addressOfLabel(name)
    return address !== undefined && familyOf(address) === family
  })
}

/**
 * Why a gateway cannot be reached from an address, by the kernel's rule: the gateway must be on the wire of that interface.
 * `bits` is the address's own prefix, `seen` the present routes. Undefined when all gateways can be reached.
 */
export function whyNoGateway(
  { address, iface, routes }: RoutedAddress,
  bits: number | undefined,
  seen: Seen,
): string | undefined {
  // any table but ours counts: the rules decide which table the kernel asks, and the kernel may still refuse
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

/** Whether the gateway is near by what is known without the kernel's routes. */
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

/** Does a route say that this gateway is on the wire of that interface? */
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
