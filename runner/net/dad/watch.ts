/**
 * An address on the wire that another host may have all the same: the wire is asked once more. A wrong decision, of a link that
 * did not forward yet, or of an answer that was lost, is seen then.
 */
import type { Node } from '../../node/node.ts'
import { watchParked } from '../background.ts'
import { whereIs } from '../address/interfaces.ts'
import { isRight, type Placement } from '../address/placement.ts'
import { withParked, type Watched } from './parked.ts'
import { askWire } from './wire.ts'

/** From now on the address is watched, by the loop that tries parked ones again. */
export async function watch(node: Node, { address, bits, iface }: Placement): Promise<void> {
  await withParked(node, (_parked, watched) => {
    if (!watched.some((each) => each.address === address)) watched.push({ address, bits, iface })
    return Promise.resolve()
  })
  await watchParked(node)
}

/** Decides the conflict about an address that is on the wire; says what becomes of it. */
export type Concede = (taken: { address: string; iface: string }) => Promise<unknown>

/**
 * Ask once more. An address that has left, and one that nobody else has, is watched no longer. One that another host
 * has is conceded. Throws a Refusal when the link cannot be asked: then the address stays on the list.
 */
export async function askAgain(node: Node, each: Watched, concede: Concede): Promise<void> {
  const here = (await whereIs(node, each.address)).find((held) => isRight(held, each))
  // its own check goes on, and is somebody else's
  if (here?.state === 'tentative') return
  const reply = here ? await askWire(node, each) : 'nobody'
  const isListed = await withParked(node, (_parked, watched) => {
    const found = watched.findIndex(({ address, iface }) => address === each.address && iface === each.iface)
    if (found >= 0) watched.splice(found, 1)
    return Promise.resolve(found >= 0)
  })
  if (!isListed || typeof reply !== 'object') return
  node.say(
    `WARNING: ${each.address} is on ${each.iface}, and another host has it, which did not answer before: ${reply.mac}`,
  )
  await concede(each)
}
