/** What is ours and not wanted. Pure. */
import { familyOf, type Family } from '../../../inet/address.ts'
import type { Seen } from '../kernel/kernel-routes.ts'
import type { KernelRoute, SourceRule } from '../kernel/shown-routes.ts'
import { OUR_PROTOCOL } from '../names/protocols.ts'
import { addressOfLabel, type TableName } from '../names/rt-tables.ts'
import { idOf } from '../names/tables.ts'
import { firstRuleDel, flush, ruleDel, type Change, type RoutingLine } from './change.ts'
import { addressOfTable, isMarked, oldRoutes, ourRules, type Ownership } from './ownership.ts'

/**
 * Removes what is ours and not wanted: rules for addresses that are not here, rules that name another table than the
 * address has now, and our routes in tables of no address that is here, as a killed run leaves them. `keep` has the table
 * of each address that is here.
 */
export function removals(keep: ReadonlyMap<string, number>, seen: Seen, ownership: Ownership): Change[] {
  const { names, routing } = ownership
  const lines = new Map<string, RoutingLine[]>()
  const add = (address: string, line: RoutingLine) => {
    const there = lines.get(address) ?? []
    if (!there.some(({ text }) => text === line.text)) lines.set(address, [...there, line])
  }
  // the deletion of a marked rule comes first: that of an old one takes any
  const rules = ourRules(seen, ownership).toSorted((a, b) => Number(isMarked(b)) - Number(isMarked(a)))
  for (const rule of rules) {
    const isWanted = rule.pref === routing.pref && idOf(rule.table, names) === keep.get(rule.address)
    if (!isWanted) add(rule.address, deletion(rule, names))
  }
  const kept = new Set(keep.values())
  for (const route of ourRoutes(seen, ownership)) {
    const address = addressFor(route, rules, names)
    if (address !== undefined && !kept.has(idOf(route.table, names) ?? -1))
      add(address, flushOf(route, names))
  }
  return [...lines].map(([address, all]) => removal(address, all))
}

/** Our routes in tables of which nobody knows the address any more: rt_tables has lost the name, and no rule leads there. */
export function strays(seen: Seen, ownership: Ownership): Change[] {
  const { names } = ownership
  const rules = ourRules(seen, ownership)
  const routes = seen.routes.filter(isMarked).filter((route) => addressFor(route, rules, names) === undefined)
  const tables = [...new Set(routes.map(({ table }) => table))]
  return tables.map((table) => removal(`table ${table}`, [flush(idOf(table, names) ?? table, OUR_PROTOCOL)]))
}

function removal(address: string, lines: RoutingLine[]): Change {
  return {
    address,
    kind: 'remove',
    lines,
    why: `rules or routes for ${address} are left that are not wanted: removing them`,
  }
}

function ourRoutes(seen: Seen, ownership: Ownership): KernelRoute[] {
  return [...seen.routes.filter(isMarked), ...oldRoutes(seen, ownership)]
}

/** The address that a table is for: by its name, or by a rule of ours that leads there. */
function addressFor(
  route: KernelRoute,
  rules: readonly SourceRule[],
  names: readonly TableName[],
): string | undefined {
  return addressOfTable(route, names) ?? rules.find(({ table }) => table === route.table)?.address
}

function deletion(rule: SourceRule, names: readonly TableName[]): RoutingLine {
  const { address, pref, table } = rule
  return (isMarked(rule) ? ruleDel : firstRuleDel)(address, pref, idOf(table, names) ?? table)
}

function flushOf(route: KernelRoute, names: readonly TableName[]): RoutingLine {
  return flush(idOf(route.table, names) ?? route.table, route.protocol)
}

/** Does rt_tables name an address of that family? Without one no rule can be ours. */
export function mayHaveOurs(family: Family, names: readonly TableName[]): boolean {
  return names.some(({ name }) => {
    const address = addressOfLabel(name)
    return address !== undefined && familyOf(address) === family
  })
}
