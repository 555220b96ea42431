/** Taking policy routing away: of an address that leaves, or all of it. */
import type { Node } from '../../node/node.ts'
import { FAMILIES, familyOf } from '../../inet/address.ts'
import { applyChanges } from './apply.ts'
import { lookAtRouting } from './kernel/kernel-routes.ts'
import { labelOf } from './names/rt-tables.ts'
import { tableNames } from './names/tables.ts'
import type { Routing } from './names/options.ts'
import { ownershipOf } from './owners.ts'
import type { Change } from './plan/change.ts'
import { ourRules } from './plan/ownership.ts'
import { removals, strays } from './plan/removals.ts'
import { warnOfRemovals } from './refused-lines.ts'

/** Remove the rule and the routes of an address that leaves. Its table keeps its number for the address's return. */
export async function unrouteAddress(node: Node, routing: Routing, address: string): Promise<void> {
  const family = familyOf(address)
  const seen = await lookAtRouting(node, family)
  const names = await tableNames(node)
  const ownership = await ownershipOf(node, routing, names, [seen], [address])
  const own = removals(new Map(), seen, ownership).filter((change) => change.address === address)
  if (own.length === 0) node.because(`${address} has neither rule nor routes of its own`)
  warnOfRemovals(node, await applyChanges(node, family, own))
}

/** Leftovers of addresses that are not among `hosted`, as the changes that would remove them. Changes nothing. */
export async function surplusRouting(
  node: Node,
  routing: Routing,
  hosted: readonly string[],
): Promise<Change[]> {
  const names = await tableNames(node)
  const ids = new Map(
    hosted.flatMap((address): [string, number][] => {
      const id = names.find(({ name }) => name === labelOf(address))?.id
      return id === undefined ? [] : [[address, id]]
    }),
  )
  const found: Change[] = []
  for (const family of FAMILIES) {
    const seen = await lookAtRouting(node, family)
    found.push(...removals(ids, seen, await ownershipOf(node, routing, names, [seen], hosted)))
  }
  return found.filter(({ address }) => !hosted.includes(address))
}

/** Remove all rules and routes of ours, for whatever address. Gives whether nothing was refused: each refusal is a WARNING. */
export async function unrouteAll(node: Node, routing: Routing): Promise<boolean> {
  const names = await tableNames(node)
  let isDone = true
  for (const family of FAMILIES) {
    const seen = await lookAtRouting(node, family)
    const ownership = await ownershipOf(node, routing, names, [seen], [])
    for (const { address, table } of ourRules(seen, ownership))
      node.say(`Removing ip rule for public address ${address} for routing table ${table}`)
    const changes = [...removals(new Map(), seen, ownership), ...strays(seen, ownership)]
    const failures = await applyChanges(node, family, changes)
    warnOfRemovals(node, failures)
    isDone &&= failures.length === 0
  }
  return isDone
}
