import type { Node } from '../../../node/node.ts'
import { refuse } from '../../../base/refusal.ts'
import type { Routing } from './options.ts'
import {
  addressOfLabel,
  allot,
  labelOf,
  parseTables,
  withEntries,
  withoutOurs,
  type TableName,
} from './rt-tables.ts'

/** The folders in which newer releases of iproute2 ship its files of names. A file in /etc takes its place. */
export const SHIPPED_IN = ['/usr/share/iproute2', '/usr/lib/iproute2']
const SHIPPED = SHIPPED_IN.map((folder) => `${folder}/rt_tables`)

/** A third of an event's time. CTDB's script waits 30 s, all of an event's time. */
const LOCK_SECONDS = 10

function fileOf(node: Node): string {
  return `${node.settings.etcdir}/iproute2/rt_tables`
}

function lockOf(node: Node): string {
  return `${node.settings.vardir}/failover/per_ip_routing/rt_tables_lock`
}

/** The names of the table numbers on this machine. */
export async function tableNames(node: Node): Promise<TableName[]> {
  return parseTables(await readTables(node))
}

/**
 * The text of the file in /etc, or else of the shipped file: a new file in /etc begins as a copy of that, because `ip` reads
 * only one of the two and no name may be lost.
 */
async function readTables(node: Node): Promise<string> {
  for (const file of [fileOf(node), ...SHIPPED]) {
    const text = await node.read(file)
    if (text !== undefined) return text
  }
  return ''
}

/** Ids that packages and admins use outside that file: `ip` reads all `rt_tables.d/*.conf`, and we write to none of them. */
async function idsElsewhere(node: Node): Promise<number[]> {
  const ids: number[] = []
  for (const folder of [`${node.settings.etcdir}/iproute2`, ...SHIPPED_IN].map(
    (each) => `${each}/rt_tables.d/`,
  ))
    for (const name of ((await node.read(folder)) ?? '').split('\n'))
      if (/^[^.].*\.conf$/.test(name))
        ids.push(...parseTables((await node.read(`${folder}${name}`)) ?? '').map(({ id }) => id))
  return ids
}

/** The tables that the kernel's rules and routes name. */
export interface UsedTables {
  /** Whoever's rules and routes they are: none of these ids is free. */
  inUse: readonly number[]
  /** Does this table, in the family of this address, have rules or routes that are not ours? */
  isForeign: (id: number, address: string) => boolean
}

/**
 * A table id for each address: the id in rt_tables, or a free id, which is written there under the lock of CTDB's script.
 * An address whose table is another's gets a free id as well, and its line is replaced. No lock is taken when `names` has
 * good tables for all of the addresses. Refuses, and gives out no id, when the range is full.
 */
export async function tableIds(
  node: Node,
  routing: Routing,
  names: readonly TableName[],
  addresses: readonly string[],
  { inUse, isForeign }: UsedTables,
): Promise<ReadonlyMap<string, number>> {
  const isOthers = ({ id, name }: TableName) => {
    const address = addressOfLabel(name)
    return address !== undefined && isForeign(id, address)
  }
  const good = (all: readonly TableName[]) => all.filter((each) => !isOthers(each))
  const known = allot(good(names), addresses, routing)
  if (known.added.length === 0 && known.none.length === 0) return known.ids
  return await node.hold(lockOf(node), LOCK_SECONDS, async () => {
    // another event may have written meanwhile
    const text = await readTables(node)
    const there = parseTables(text)
    const { ids, added, none } = allot(good(there), addresses, routing, [
      ...inUse,
      ...(await idsElsewhere(node)),
    ])
    if (none.length > 0)
      refuse(
        `add_routing_for_ip: out of table ids in range ${routing.low} - ${routing.high}: ${fileOf(node)} and the kernel's rules and routes leave none for ${none[0]}: set CTDB_PER_IP_ROUTING_TABLE_ID_HIGH higher`,
      )
    for (const entry of added)
      sayNumber(
        node,
        entry,
        there.find((each) => each.name === entry.name && isOthers(each)),
      )
    const replaced = addresses.filter((address) => added.some(({ name }) => name === labelOf(address)))
    if (added.length > 0)
      await node.write(fileOf(node), withEntries(withoutOurs(text, replaced), added), { readers: 'all' })
    return ids
  })
}

function sayNumber(node: Node, { id, name }: TableName, lost: TableName | undefined): void {
  if (lost)
    node.say(
      `WARNING: table ${lost.id} is ${name} in ${fileOf(node)}, but has rules or routes that are not ours: ${name} is table ${id} from now on`,
    )
  else node.because(`${name} is table ${id} from now on`)
}

/** Remove our entries, all or those of some addresses. The file stays, as with CTDB's script. */
export async function forgetTableIds(node: Node, addresses?: readonly string[]): Promise<void> {
  await node.hold(lockOf(node), LOCK_SECONDS, async () => {
    const text = await node.read(fileOf(node))
    if (text === undefined) return
    const left = withoutOurs(text, addresses)
    if (left !== text) await node.write(fileOf(node), left, { readers: 'all' })
  })
}

/** The number of a table that is printed as a number or a name; undefined for an unknown name. */
export function idOf(table: string, names: readonly TableName[]): number | undefined {
  if (/^\d+$/.test(table)) return Number(table)
  return names.find(({ name }) => name === table)?.id ?? BUILT_IN[table]
}

/** The names that `ip` has built in. */
const BUILT_IN: Record<string, number> = { default: 253, main: 254, local: 255 }
