/**
 * An address on the wire that another host may have all the same: the wire is asked once more. A wrong decision, of a link that
 * did not forward yet, or of an answer that was lost, is seen then.
 */
import type { Node } from '../../node/node.ts'
import { familyOf } from '../../inet/address.ts'
import { watchParked } from '../background.ts'
import { addAddress, tryDelete } from '../address/add-delete.ts'
import { whereIs } from '../address/interfaces.ts'
import { isRight, type Placement } from '../address/placement.ts'
import { leaveLo, putOnLo } from './park.ts'
import { isParkingPlace, withParked, type Watched } from './parked.ts'
import { duplicateCheck, isChecked, waitForDad } from './state.ts'
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
  const places = await whereIs(node, each.address)
  const here = places.find((held) => isRight(held, each))
  // its own check goes on, and is somebody else's
  if (here?.state === 'tentative') return
  // a question to the kernel that was killed leaves the address on lo alone
  const isHalfway = !here && places.some(isParkingPlace)
  const asked = here ? await askWire(node, each) : isHalfway ? 'unasked' : 'nobody'
  const isKernels = asked === 'unasked' && familyOf(each.address) === 'inet6'
  const reply = isKernels ? await askKernel(node, each) : asked
  if (reply === 'open') return
  const isListed = await withParked(node, (_parked, watched) => {
    const found = watched.findIndex((other) => isSame(other, each))
    if (found >= 0) watched.splice(found, 1)
    return Promise.resolve(found >= 0)
  })
  if (!isListed || (typeof reply !== 'object' && reply !== 'somebody')) return
  const whose = typeof reply === 'object' ? reply.mac : "the kernel's duplicate check failed"
  node.say(
    `WARNING: ${each.address} is on ${each.iface}, and another host has it, which did not answer before: ${whose}`,
  )
  await concede(each)
}

/**
 * Without perl the kernel is the only one to ask: its check is made once more, in 1 to 2 s. The address is on lo meanwhile, where it
 * can be bound, and events for it wait. `open`: the check has not ended, or the address was removed.
 */
async function askKernel(node: Node, each: Watched): Promise<'somebody' | 'nobody' | 'open'> {
  return await withParked(node, async (_parked, watched) => {
    if (!watched.some((other) => isSame(other, each)) || !(await isChecked(node, each.iface))) return 'nobody'
    await putOnLo(node, each.address)
    await tryDelete(node, each)
    await addAddress(node, each)
    const state = await waitForDad(node, each, { limit: await duplicateCheck(node, each.iface) })
    if (state !== 'ready' && state !== 'duplicate') return 'open'
    await leaveLo(node, each)
    return state === 'ready' ? 'nobody' : 'somebody'
  })
}

function isSame(one: Watched, other: Watched): boolean {
  return one.address === other.address && one.iface === other.iface
}
