import { canonical } from '../../../inet/address.ts'

/** An entry of iproute2's `rt_tables`: a table's number and its name. */
export interface TableName {
  id: number
  name: string
}

/** Our tables are called `ctdb.ADDRESS`: CTDB's script and admins know them by that name. */
const PREFIX = 'ctdb.'

export function labelOf(address: string): string {
  return `${PREFIX}${address}`
}

/** The address in a name of ours; undefined for other names, such as an admin's `ctdb.storage`. */
export function addressOfLabel(name: string): string | undefined {
  return name.startsWith(PREFIX) ? canonical(name.slice(PREFIX.length)) : undefined
}

/** Lines `ID NAME`, the number decimal or hexadecimal as `ip` reads it. Other lines are skipped. */
export function parseTables(text: string): TableName[] {
  return text.split('\n').flatMap((line) => parseEntry(line) ?? [])
}

function parseEntry(line: string): TableName | undefined {
  const [, id, name] = /^\s*(0x[0-9a-f]+|\d+)\s+([^\s#]+)/i.exec(line) ?? []
  return id !== undefined && name !== undefined ? { id: Number(id), name } : undefined
}

/** The kernel's own tables: unspec, default, main, local. */
export const RESERVED = new Set([0, 253, 254, 255])

/**
 * A table for each address: its present table, or the lowest free number of the range. A number that has another name as
 * well is somebody else's. `others` are ids that are taken elsewhere; `none` are the addresses without a table. No entry is removed here: an address keeps its table while the
 * daemon runs.
 */
export function allot(
  tables: readonly TableName[],
  addresses: readonly string[],
  { low, high }: { low: number; high: number },
  others: readonly number[] = [],
): { ids: Map<string, number>; added: TableName[]; none: string[] } {
  const known = new Map(withOneName(tables).map(({ id, name }) => [name, id]))
  const taken = new Set([...tables.map(({ id }) => id), ...others])
  const ids = new Map<string, number>()
  const added: TableName[] = []
  const none: string[] = []
  let next = low
  for (const address of addresses) {
    const name = labelOf(address)
    const own = known.get(name)
    if (own !== undefined && !RESERVED.has(own)) {
      ids.set(address, own)
      continue
    }
    while (next <= high && (taken.has(next) || RESERVED.has(next))) next += 1
    if (next > high) none.push(address)
    else {
      ids.set(address, next)
      added.push({ id: next, name })
      next += 1
    }
  }
  return { ids, added, none }
}

/** The entries whose number has no other name, the first of a name last. */
function withOneName(tables: readonly TableName[]): TableName[] {
  const names = new Map<number, Set<string>>()
  for (const { id, name } of tables) names.set(id, (names.get(id) ?? new Set()).add(name))
  return tables.filter(({ id }) => names.get(id)?.size === 1).toReversed()
}

/** The text with these entries added at its end. */
export function withEntries(text: string, added: readonly TableName[]): string {
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`
  return whole + added.map(({ id, name }) => `${id}\t${name}\n`).join('')
}

/**
 * The text without our entries, all or those of some addresses. All else stays, also entries that an admin has put into our
 * range.
 */
export function withoutOurs(text: string, addresses?: readonly string[]): string {
  const isToGo = (line: string) => {
    const address = addressOfLabel(parseEntry(line)?.name ?? '')
    return address !== undefined && (addresses?.includes(address) ?? true)
  }
  return text
    .split('\n')
    .filter((line) => !isToGo(line))
    .join('\n')
}
