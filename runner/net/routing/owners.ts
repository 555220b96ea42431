import type { Node } from '../../node/node.ts'
import { addressesOf, listIfReadable } from '../address/public-addresses.ts'
import type { Look } from './kernel/kernel-routes.ts'
import type { TableName } from './names/rt-tables.ts'
import type { Routing } from './names/options.ts'
import { mayBeOldRoute, mayBeOldRule, type Ownership } from './plan/ownership.ts'

/**
 * Whose the rules and routes of these looks are. Only where something without our mark may be an old one of ours,
 * public_addresses is read. `known` are public addresses in any case: the daemon has named them.
 */
export async function ownershipOf(
  node: Node,
  routing: Routing,
  names: readonly TableName[],
  looks: readonly Look[],
  known: readonly string[],
): Promise<Ownership> {
  const mayBeOld = looks.some(
    ({ rules, routes }) =>
      rules.some((rule) => mayBeOldRule(rule, routing, names)) ||
      routes.some((route) => mayBeOldRoute(route, names)),
  )
  const listed = mayBeOld ? await listedAddresses(node) : []
  return { routing, names, publicAddresses: new Set([...known, ...listed]) }
}

async function listedAddresses(node: Node): Promise<Iterable<string>> {
  const found = await listIfReadable(node, (why) =>
    node.say(`WARNING: ${why}: rules and routes of older versions are left as they are`),
  )
  return found ? addressesOf(found) : []
}
