/** Carrying out the changes of policy routing, and taking them back. */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Family } from '../../inet/address.ts'
import { applyChanges, lookAndApply, type Failure } from './apply.ts'
import { NOTHING, type Look } from './kernel/kernel-routes.ts'
import { OUR_PROTOCOL } from './names/protocols.ts'
import { labelOf, type TableName } from './names/rt-tables.ts'
import type { Routing } from './names/options.ts'
import type { Hosted } from './wanted/hosted.ts'
import { flush, ruleDel, type Change } from './plan/change.ts'
import { isMarked, mayBeOldRule, numbersInUse } from './plan/ownership.ts'
import { warnOfRemovals } from './refused-lines.ts'
import { parseRules, type SourceRule } from './kernel/shown-routes.ts'

/** What is known before anything is changed. */
export interface RoutingFacts {
  routing: Routing
  hosted: readonly Hosted[]
  looks: ReadonlyMap<Family, Look>
  /** The entries of rt_tables. */
  names: readonly TableName[]
}

/** Where the rules were not looked at, the look comes with the changes: `used` are the addresses whose tables are another's. */
export async function carryOut(
  node: Node,
  { routing, looks, names }: RoutingFacts,
  family: Family,
  changes: readonly Change[],
  ids: ReadonlyMap<string, number>,
): Promise<{ failures: Failure[]; used: string[] }> {
  const isNew = ({ address }: Change) => !names.some(({ id }) => id === ids.get(address))
  const added = changes.filter(({ kind }) => kind === 'add')
  if (!looks.get(family)?.isWithoutRules || added.length === 0)
    return { failures: await applyChanges(node, family, changes), used: [] }
  const { failures, before } = await lookAndApply(node, family, changes)
  // a rehearsal has looked at nothing
  const { rules, others } = before === '' ? NOTHING : parseRules(before)
  // ip already knows the new names: an address may have had another table before
  const known = [...[...ids].map(([address, id]) => ({ id, name: labelOf(address) })), ...names]
  const isForeign = (rule: SourceRule, address: string) =>
    rule.address !== address || !(isMarked(rule) || mayBeOldRule(rule, routing, known))
  const used = added.filter(({ address }) => {
    const foreign = rules.filter((rule) => isForeign(rule, address))
    const taken = numbersInUse([{ rules: foreign, others, routes: [] }], known)
    return taken.includes(ids.get(address) ?? -1)
  })
  for (const change of used) {
    const words = `table ${ids.get(change.address)} is another's, whose rule leads there: ${change.address} gets another number`
    if (isNew(change)) node.because(words)
    else node.say(`WARNING: ${words}`)
  }
  return { failures, used: used.map(({ address }) => address) }
}

/** The table of an address that has been given one. */
export function idFor(ids: ReadonlyMap<string, number>, { address }: { address: string }): number {
  const id = ids.get(address)
  if (id === undefined) throw new Error(`no table for ${address}`)
  return id
}

/** Undo all of the work when it ends with a Refusal: nobody knows how far it has come. */
export async function allOrNone<T>(work: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) await undo()
    throw error
  }
}

/** Remove again what was added for these addresses. */
export async function takeBack(
  node: Node,
  family: Family,
  { pref }: Routing,
  added: readonly Pick<Change, 'address'>[],
  ids: ReadonlyMap<string, number>,
): Promise<void> {
  const addresses = [...new Set(added.map(({ address }) => address))]
  const changes = addresses.map((address): Change => {
    const id = idFor(ids, { address })
    return {
      address,
      kind: 'remove',
      why: `${address}: taking back what was added`,
      lines: [ruleDel(address, pref, id), flush(id, OUR_PROTOCOL)],
    }
  })
  warnOfRemovals(node, await applyChanges(node, family, changes, true))
}
