/** What the addresses of this node lack of their policy routing. Nothing is changed. */
import type { Node } from '../../../node/node.ts'
import { familyOf } from '../../../inet/address.ts'
import { thoseHere } from '../addresses-here.ts'
import { idFor, type RoutingFacts } from '../carry-out.ts'
import { interfacesOf, lookAtRules6, NOTHING } from '../kernel/kernel-routes.ts'
import type { Routing } from '../names/options.ts'
import { allot } from '../names/rt-tables.ts'
import { tableNames } from '../names/tables.ts'
import { ownershipOf } from '../owners.ts'
import { additions } from '../plan/additions.ts'
import type { Change } from '../plan/change.ts'
import { numbersInUse } from '../plan/ownership.ts'
import { hostedByList } from '../wanted/hosted.ts'
import type { RoutedAddress } from '../wanted/routes-file.ts'
import { wantedFor } from '../wanted/wanted-routes.ts'
import { quickLook } from './quick-look.ts'

export interface Lacking {
  facts: RoutingFacts
  /** The addresses that lack something, each on its real interface. */
  addresses: readonly RoutedAddress[]
  /** What would be added for each. */
  changes: readonly Change[]
}

/**
 * The list of this node says which addresses are here, and the kernel where: the daemon is not asked. An address that is
 * configured but not in the kernel is passed over, as its event may be running. One program where nothing is missing, one
 * more where IPv6 may lack something; none where no address here has routes of its own.
 */
export async function lackingRouting(node: Node, routing: Routing): Promise<Lacking | undefined> {
  // what ipreallocated warns of is no news every 15 s
  const quiet = { ...node, say: (line: string) => node.because(line.replace(/^WARNING: /, '')) }
  const hosted = await hostedByList(quiet)
  const wanted = await wantedFor(quiet, routing, hosted)
  if (wanted.length === 0) return undefined
  const names = await tableNames(node)
  const { looks, isGuess } = await quickLook(node, routing, names, wanted)
  const lacking = await lackingBy(quiet, { routing, hosted, looks, names }, wanted)
  if (!isGuess || lacking.changes.length === 0) return lacking
  return await lackingBy(quiet, { routing, hosted, looks: await withRules6(node, looks), names }, wanted)
}

async function withRules6(node: Node, looks: RoutingFacts['looks']): Promise<RoutingFacts['looks']> {
  const { rules, others } = await lookAtRules6(node)
  return new Map([...looks, ['inet6', { ...(looks.get('inet6') ?? NOTHING), rules, others }]])
}

async function lackingBy(
  quiet: Node,
  facts: RoutingFacts,
  wanted: readonly RoutedAddress[],
): Promise<Lacking> {
  const { routing, looks, names } = facts
  const lookOf = (address: string) => looks.get(familyOf(address)) ?? NOTHING
  const placed = wanted.map((each) => {
    const place = interfacesOf(each.address, lookOf(each.address)).find((iface) => iface !== 'lo')
    return { ...each, iface: place ?? each.iface }
  })
  const here = await thoseHere(quiet, placed, looks)
  const seen = [...looks.values()]
  const addresses = here.map(({ address }) => address)
  const { ids } = allot(names, addresses, routing, numbersInUse(seen, names))
  const ownership = await ownershipOf(quiet, routing, names, seen, addresses)
  const changes = here
    .filter(({ address }) => ids.has(address))
    .flatMap((each) => additions(each, idFor(ids, each), lookOf(each.address), ownership) ?? [])
  return {
    facts,
    addresses: here.filter(({ address }) => changes.some((change) => change.address === address)),
    changes,
  }
}
