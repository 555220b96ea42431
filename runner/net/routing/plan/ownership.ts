/**
 * Which rules and routes are ours. Those with our mark; and those without any that CTDB's script or an older version of ours
 * has left: they are known by their exact form and an address of public_addresses. Pure.
 */
import { familyOf } from '../../../inet/address.ts'
import type { Seen } from '../kernel/kernel-routes.ts'
import type { KernelRoute, SourceRule } from '../kernel/shown-routes.ts'
import { OUR_PROTOCOL } from '../names/protocols.ts'
import { addressOfLabel, RESERVED, type TableName } from '../names/rt-tables.ts'
import { idOf } from '../names/tables.ts'
import type { Routing } from '../names/options.ts'

/** What decides whose a rule or a route is. */
export interface Ownership {
  routing: Routing
  /** The entries of rt_tables. */
  names: readonly TableName[]
  /** The addresses of public_addresses. */
  publicAddresses: ReadonlySet<string>
}

export function isMarked({ protocol }: Pick<SourceRule, 'protocol'>): boolean {
  return protocol === OUR_PROTOCOL
}

/** `from ADDRESS pref OURS lookup ctdb.ADDRESS`, as the rules without our mark were; the table may have lost its name. */
export function isOldRule(rule: SourceRule, { routing, names, publicAddresses }: Ownership): boolean {
  if (!mayBeOldRule(rule, routing, names)) return false
  return publicAddresses.has(rule.address)
}

/** The same before public_addresses is read. */
export function mayBeOldRule(
  { protocol, pref, address, table }: SourceRule,
  { pref: ours, low, high }: Routing,
  names: readonly TableName[],
): boolean {
  if (protocol !== undefined || pref !== ours) return false
  const label = labelled(table, names)
  if (label !== undefined) return label === address
  const id = idOf(table, names)
  const isNamed = names.some((each) => each.id === id)
  return !isNamed && id !== undefined && id >= low && id <= high && !RESERVED.has(id)
}

/** The address whose name a table has; undefined for a table that is not named so. */
function labelled(table: string, names: readonly TableName[]): string | undefined {
  const id = idOf(table, names)
  return (
    addressOfLabel(table) ??
    names.flatMap((each) => (each.id === id ? (addressOfLabel(each.name) ?? []) : []))[0]
  )
}

/** The address that a route's table is named for; undefined where that is one of the other family, which has such a table, too. */
export function addressOfTable(
  { table, destination }: Pick<KernelRoute, 'table' | 'destination'>,
  names: readonly TableName[],
): string | undefined {
  const address = labelled(table, names)
  return address !== undefined && familyOf(address) === familyOf(destination) ? address : undefined
}

/** May this route without a mark be an old one of ours? Older versions and CTDB's script have added plain ones only. */
export function mayBeOldRoute(route: KernelRoute, names: readonly TableName[]): boolean {
  return route.protocol === undefined && route.plain && addressOfTable(route, names) !== undefined
}

/**
 * The old routes of ours among these. Each is in the table that an old rule of ours leads to, where the file may have given
 * it a protocol; or in the table of a public address. Where another's rule leads, none is ours.
 */
export function oldRoutes(seen: Seen, ownership: Ownership): KernelRoute[] {
  const { names, publicAddresses } = ownership
  const numberOf = (table: string) => idOf(table, names)
  const old = new Set(
    seen.rules.filter((rule) => isOldRule(rule, ownership)).map(({ table }) => numberOf(table)),
  )
  const taken = new Set(tablesOfOthersRules(seen, ownership).map(numberOf))
  return seen.routes.filter((route) => {
    const id = numberOf(route.table)
    if (!route.plain || isMarked(route) || taken.has(id)) return false
    if (old.has(id)) return route.protocol !== 'kernel'
    return route.protocol === undefined && publicAddresses.has(addressOfTable(route, names) ?? '')
  })
}

function tablesOfOthersRules({ rules, others }: Seen, ownership: Ownership): string[] {
  const foreign = rules.filter((rule) => !isMarked(rule) && !isOldRule(rule, ownership))
  return [...others, ...foreign.map(({ table }) => table)]
}

/** The numbers of the tables that have rules or routes of others. */
export function foreignNumbers(seen: Seen, ownership: Ownership): number[] {
  const old = new Set(oldRoutes(seen, ownership))
  const routes = seen.routes.filter((route) => !isMarked(route) && !old.has(route))
  return numbersOf(
    [...tablesOfOthersRules(seen, ownership), ...routes.map(({ table }) => table)],
    ownership.names,
  )
}

/** The rules of ours, of whatever address. */
export function ourRules({ rules }: Pick<Seen, 'rules'>, ownership: Ownership): SourceRule[] {
  return rules.filter((rule) => isMarked(rule) || isOldRule(rule, ownership))
}

/**
 * The numbers of the tables that rules and routes name, whoever's they are. Routes with our mark alone are the remains of a
 * killed run: their table is free, and is emptied of them first.
 */
export function numbersInUse(looks: readonly Seen[], names: readonly TableName[]): number[] {
  const tables = looks.flatMap(({ rules, others, routes }) => [
    ...rules.map(({ table }) => table),
    ...others,
    ...routes.filter((route) => !isMarked(route)).map(({ table }) => table),
  ])
  return numbersOf(tables, names)
}

function numbersOf(tables: readonly string[], names: readonly TableName[]): number[] {
  return [...new Set(tables)].flatMap((table) => idOf(table, names) ?? [])
}
