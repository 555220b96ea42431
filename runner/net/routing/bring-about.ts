/** Bringing rules and routes about: all of an address's, or none. */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { FAMILIES, familyOf, type Family } from '../../inet/address.ts'
import { pick } from '../address/interfaces.ts'
import { refuseProblems } from '../address/public-addresses.ts'
import { withoutAddress } from './addresses-here.ts'
import { applyChanges, lookAndApply, type Failure } from './apply.ts'
import type { Hosted } from './hosted.ts'
import { NOTHING, type Look } from './kernel-routes.ts'
import { parseRules, type SourceRule } from './shown-routes.ts'
import { OUR_PROTOCOL } from './names/protocols.ts'
import { labelOf, type TableName } from './names/rt-tables.ts'
import { tableIds } from './names/tables.ts'
import type { Routing } from './options.ts'
import { ownershipOf } from './owners.ts'
import { additions } from './plan/additions.ts'
import { flush, ruleDel, type Change, type RoutedAddress } from './plan/change.ts'
import { whyNoGateway } from './plan/gateway.ts'
import { isMarked, numbersInUse } from './plan/ownership.ts'
import { removals } from './plan/removals.ts'
import { additionInWords, warnOfRemovals } from './refused-lines.ts'

/** What is known before anything is changed. */
export interface RoutingFacts {
  routing: Routing
  hosted: readonly Hosted[]
  looks: ReadonlyMap<Family, Look>
  /** The entries of rt_tables. */
  names: readonly TableName[]
}

/**
 * 1. Check first: nothing is changed yet. An address whose gateway is out of reach keeps its present routing, and the
 *    others still get theirs.
 * 2. Find a table for each address.
 * 3. Make all changes of a family in one run of `ip`.
 * 4. Take everything from an address that was refused anything: half of its routes would send packets astray.
 *
 * Gives the addresses that have nothing after all, because another's rule leads to the new tables.
 */
export async function bringAbout(
  node: Node,
  facts: RoutingFacts,
  meant: readonly RoutedAddress[],
  { force, concerns }: { force: boolean; concerns: (address: string) => boolean },
): Promise<readonly string[]> {
  const { routing, hosted, looks, names } = facts
  const { near, far } = reachable(facts, meant)
  const wanted = await withoutAddress(node, near)
  const addresses = wanted.map(({ address }) => address)
  const seen = [...looks.values()]
  const ids = await tableIds(node, routing, names, addresses, numbersInUse(seen, names))
  const known = [...hosted.map(({ address }) => address), ...addresses]
  const ownership = await ownershipOf(node, routing, names, seen, known)
  const problems = [...far.values()]
  for (const family of FAMILIES) {
    const look = looks.get(family) ?? NOTHING
    const surplus = removals(ids, look, ownership).filter(
      ({ address }) => concerns(address) && !far.has(address),
    )
    const missing = wanted
      .filter(({ address }) => familyOf(address) === family)
      .flatMap((each) => additions(each, idFor(ids, each), look, ownership, force) ?? [])
    sayRemovals(node, surplus, ids, hosted)
    const { failures, used } = await allOrNone(
      () => carryOut(node, facts, family, [...surplus, ...missing], ids),
      () => takeBack(node, family, routing, missing, ids),
    )
    warnOfRemovals(node, failures)
    const refused = failures.filter(({ change }) => change.kind === 'add')
    const undone = [
      ...refused.map(({ change }) => change),
      ...missing.filter(({ address }) => used.includes(address)),
    ]
    await takeBack(node, family, routing, undone, ids)
    if (used.length > 0) return used
    problems.push(...refused.map((failure) => additionInWords(failure, idFor(ids, failure.change))))
  }
  refuseProblems({ problems })
  return []
}

/** The addresses whose gateways can be reached, and why the others' cannot. */
function reachable(
  { hosted, looks }: RoutingFacts,
  meant: readonly RoutedAddress[],
): { near: RoutedAddress[]; far: Map<string, string> } {
  const far = new Map<string, string>()
  const near = meant.flatMap((each) => {
    const look = looks.get(familyOf(each.address)) ?? NOTHING
    // an admin may say an altname; the kernel's routes never do
    const named = { ...each, iface: pick(look.links, each.iface)?.name ?? each.iface }
    const bits = hosted.find(({ address }) => address === each.address)?.bits
    const why = whyNoGateway(named, bits, look)
    if (why === undefined) return [named]
    far.set(each.address, why)
    return []
  })
  return { near, far }
}

/** Where the rules were not looked at, the look comes with the changes: `used` are the addresses whose new tables are another's. */
async function carryOut(
  node: Node,
  { looks, names }: RoutingFacts,
  family: Family,
  changes: readonly Change[],
  ids: ReadonlyMap<string, number>,
): Promise<{ failures: Failure[]; used: string[] }> {
  const isNew = ({ address }: Change) => !names.some(({ id }) => id === ids.get(address))
  const fresh = changes.filter((change) => change.kind === 'add' && isNew(change))
  if (!looks.get(family)?.isWithoutRules || fresh.length === 0)
    return { failures: await applyChanges(node, family, changes), used: [] }
  const { failures, before } = await lookAndApply(node, family, changes)
  // a rehearsal has looked at nothing
  const { rules, others } = before === '' ? NOTHING : parseRules(before)
  // ip already knows the new names
  const known = [...names, ...[...ids].map(([address, id]) => ({ id, name: labelOf(address) }))]
  const isForeign = (rule: SourceRule, address: string) => !isMarked(rule) || rule.address !== address
  const used = fresh.flatMap(({ address }) => {
    const foreign = rules.filter((rule) => isForeign(rule, address))
    const taken = numbersInUse([{ rules: foreign, others, routes: [] }], known)
    return taken.includes(ids.get(address) ?? -1) ? [address] : []
  })
  for (const address of used)
    node.because(
      `table ${ids.get(address)} is another's, whose rule leads there: ${address} gets another number`,
    )
  return { failures, used }
}

function sayRemovals(
  node: Node,
  surplus: readonly Change[],
  ids: ReadonlyMap<string, number>,
  hosted: readonly Hosted[],
): void {
  for (const { address } of surplus)
    if (!ids.has(address))
      node.say(
        `Removing ip rule/routes for ${hosted.some((each) => each.address === address) ? '' : 'unhosted '}public address ${address}`,
      )
}

function idFor(ids: ReadonlyMap<string, number>, { address }: { address: string }): number {
  const id = ids.get(address)
  if (id === undefined) throw new Error(`no table for ${address}`)
  return id
}

/** Undo all of the work when it ends with a Refusal: nobody knows how far it has come. */
async function allOrNone<T>(work: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) await undo()
    throw error
  }
}

/** Remove again what was added for these addresses. */
async function takeBack(
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
