/** Policy routing of addresses that come, move or stay. */
import type { Node } from '../../node/node.ts'
import { familyOf } from '../../inet/address.ts'
import { isDown, lookForAll, thoseHere } from './addresses-here.ts'
import { bringAbout } from './bring-about.ts'
import type { Hosted } from './wanted/hosted.ts'
import { lookAtRouting } from './kernel/kernel-routes.ts'
import { forgetTableIds, tableNames } from './names/tables.ts'
import type { Routing } from './names/options.ts'
import { wantedFor } from './wanted/wanted-routes.ts'

/** Give an address that has come, or has moved, its table, its routes and its rule. */
export async function routeAddress(node: Node, routing: Routing, hosted: Hosted): Promise<void> {
  const wanted = await wantedFor(node, routing, [hosted])
  if (wanted.length === 0) return
  const family = familyOf(hosted.address)
  const look = await lookAtRouting(node, family)
  if (isDown(node, hosted, look)) return
  const looks = new Map([[family, look]])
  const names = await tableNames(node)
  await bringAbout(node, { routing, hosted: [hosted], looks, names }, wanted, {
    force: false,
    concerns: (address) => address === hosted.address,
  })
}

/**
 * Bring rules and routes in line with the addresses on this node: missing ones are added, unwanted ones removed. `force`
 * adds all routes afresh.
 */
export async function routeAll(
  node: Node,
  routing: Routing,
  hosted: readonly Hosted[],
  force: boolean,
): Promise<void> {
  const used = await routeAllOnce(node, routing, hosted, { force, lookAtAllRules: false })
  if (used.length === 0) return
  await forgetTableIds(node, used)
  await routeAllOnce(node, routing, hosted, { force, lookAtAllRules: true })
}

/** Gives the addresses whose new tables were another's already, which only the look that came with the changes has shown. */
async function routeAllOnce(
  node: Node,
  routing: Routing,
  hosted: readonly Hosted[],
  { force, lookAtAllRules }: { force: boolean; lookAtAllRules: boolean },
): Promise<readonly string[]> {
  const wanted = await wantedFor(node, routing, hosted)
  const names = await tableNames(node)
  const looks = await lookForAll(node, routing, names, wanted, lookAtAllRules)
  const here = await thoseHere(node, wanted, looks)
  const away = wanted.filter(({ address }) => !here.some((each) => each.address === address))
  return await bringAbout(node, { routing, hosted, looks, names }, here, {
    force,
    // rules and routes of an address that is away for the moment do no harm
    concerns: (address) => !away.some((each) => each.address === address),
  })
}
