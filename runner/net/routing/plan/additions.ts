/** What an address lacks. Pure. */
import type { Seen } from '../kernel/kernel-routes.ts'
import { OUR_PROTOCOL } from '../names/protocols.ts'
import { idOf } from '../names/tables.ts'
import { wordsWithoutProtocol } from '../wanted/route-words.ts'
import type { RoutedAddress, Route } from '../wanted/routes-file.ts'
import { firstRuleDel, flush, routeWords, ruleAdd, type Change, type RoutingLine } from './change.ts'
import { isMarked, isOldRule, oldRoutes, type Ownership } from './ownership.ts'
import { routesMatch } from './same-routes.ts'

/**
 * The missing routes and the missing rule of an address; undefined when nothing is missing. Routes come before the rule: a
 * kill between the two sends no packet astray, as the kernel asks no table without a rule. What is there without our mark
 * is replaced.
 */
export function additions(
  routed: RoutedAddress,
  id: number,
  seen: Seen,
  ownership: Ownership,
  force = false,
): Change | undefined {
  const { address, iface } = routed
  const isHere = ({ table }: { table: string }) => idOf(table, ownership.names) === id
  const old = oldRoutes(seen, ownership).filter(isHere)
  const marked = seen.routes.filter((route) => isMarked(route) && isHere(route))
  const isRight = routesMatch(routed.routes, marked, iface) && old.length === 0 && !force
  const protocols = [...(force ? [OUR_PROTOCOL] : []), ...[...marked, ...old].map(({ protocol }) => protocol)]
  const flushes = [...new Set(protocols)].map((protocol) => flush(id, protocol))
  const routes = isRight ? [] : [...flushes, ...routeLines(routed, id)]
  const rules = ruleLines(address, id, seen, ownership)
  if (routes.length === 0 && rules.length === 0) return undefined
  const missing = [
    ...(isRight ? [] : [force ? 'its routes afresh' : 'its routes']),
    ...(rules.length === 0 ? [] : ['its rule']),
  ].join(' and ')
  return {
    address,
    kind: 'add',
    lines: [...routes, ...rules],
    why: `${address} on ${iface}: table ${id} needs ${missing}`,
    missing,
  }
}

function routeLines({ routes, iface }: RoutedAddress, id: number): RoutingLine[] {
  return routes.map((route: Route) => ({
    text: `route add ${routeWords({ ...route, more: wordsWithoutProtocol(route) }, iface)} table ${id} proto ${OUR_PROTOCOL}`,
    kind: 'route add',
    origin: route.origin,
  }))
}

/**
 * The rule is added first where there is an old one: the address is never without. A new rule goes behind those of the same
 * priority, so that the old one is the first to be deleted. Where both are there, nobody knows which is first.
 */
function ruleLines(address: string, id: number, { rules }: Seen, ownership: Ownership): RoutingLine[] {
  const { pref } = ownership.routing
  const there = rules.filter(
    (rule) => rule.address === address && rule.pref === pref && idOf(rule.table, ownership.names) === id,
  )
  const hasRule = there.some(isMarked)
  const old = there.filter((rule) => isOldRule(rule, ownership)).map(() => firstRuleDel(address, pref, id))
  if (hasRule && old.length === 0) return []
  const add = ruleAdd(address, pref, id)
  return hasRule ? [...old, firstRuleDel(address, pref, id), add] : [add, ...old]
}
