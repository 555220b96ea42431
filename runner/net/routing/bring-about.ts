/** Bringing rules and routes about: all of an address's, or none. */
import type { Node } from '../../node/node.ts'
import { FAMILIES, familyOf } from '../../inet/address.ts'
import { pick } from '../address/interfaces.ts'
import { refuseProblems } from '../address/public-addresses.ts'
import { withoutAddress } from './addresses-here.ts'
import { allOrNone, carryOut, idFor, takeBack, type RoutingFacts } from './carry-out.ts'
import type { Hosted } from './wanted/hosted.ts'
import { NOTHING } from './kernel/kernel-routes.ts'
import { tableIds, type UsedTables } from './names/tables.ts'
import { ownershipOf } from './owners.ts'
import { additions } from './plan/additions.ts'
import type { Change } from './plan/change.ts'
import type { RoutedAddress } from './wanted/routes-file.ts'
import { whyNoGateway } from './plan/gateway.ts'
import { foreignNumbers, numbersInUse, type Ownership } from './plan/ownership.ts'
import { removals } from './plan/removals.ts'
import { additionInWords, warnOfRemovals } from './refused-lines.ts'

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
  const known = [...hosted.map(({ address }) => address), ...addresses]
  const ownership = await ownershipOf(node, routing, names, seen, known)
  const ids = await tableIds(node, routing, names, addresses, takenBy(looks, ownership))
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

/** The kernel has the tables of both families apart: a table may be another's in the one and ours in the other. */
function takenBy(looks: RoutingFacts['looks'], ownership: Ownership): UsedTables {
  const foreign = new Map([...looks].map(([family, look]) => [family, foreignNumbers(look, ownership)]))
  return {
    inUse: numbersInUse([...looks.values()], ownership.names),
    isForeign: (id, address) => foreign.get(familyOf(address))?.includes(id) ?? false,
  }
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
