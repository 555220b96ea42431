/** Policy routing that another program has removed comes back at monitor. */
import type { Node } from '../../../node/node.ts'
import { POLICY_ROUTING } from '../../../node/handler-names.ts'
import { hostedNow } from '../../address/hosted-list.ts'
import { mustBePrivileged } from '../../privilege.ts'
import { keepUp } from '../../upkeep.ts'
import { bringAbout } from '../bring-about.ts'
import type { Routing } from '../names/options.ts'
import { unrouteAddress } from '../take-away.ts'
import { lackingRouting } from './lacking.ts'

/** Put back what the addresses here lack. What is there and not wanted is left to ipreallocated. */
export async function keepPolicyRouting(node: Node, routing: Routing): Promise<void> {
  await keepUp(node, {
    handler: POLICY_ROUTING,
    what: 'policy routing',
    causes: `another program has removed it, or ${routing.conf} was changed`,
    putBack: () => putBack(node, routing),
  })
}

async function putBack(node: Node, routing: Routing): Promise<string[] | undefined> {
  const lacking = await lackingRouting(node, routing)
  if (!lacking) return undefined
  const { facts, addresses, changes } = lacking
  if (changes.length === 0) return []
  mustBePrivileged(node)
  await bringAbout(node, facts, addresses, { force: false, concerns: () => false })
  const gone = await leaveThoseGone(
    node,
    routing,
    changes.map(({ address }) => address),
  )
  return changes
    .filter(({ address }) => !gone.includes(address))
    .map(({ address, missing }) => `${address} (${missing})`)
}

/**
 * Takes back what was added for an address that was released by hand meanwhile; gives these addresses. The list is changed
 * before the rules are removed, so either that releaseip has seen what was added here, or the list has lost the address now.
 */
async function leaveThoseGone(node: Node, routing: Routing, added: readonly string[]): Promise<string[]> {
  const hosted = (await hostedNow(node)) ?? []
  const gone = added.filter((address) => !hosted.includes(address))
  for (const address of gone) await unrouteAddress(node, routing, address)
  return gone
}
