/** A parked address goes to its interface when no other host has it any more. */
import type { Node } from '../../node/node.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { packageOf } from '../../machine/remedy/remedy.ts'
import { addAddress, tryDelete } from '../address/add-delete.ts'
import { flushRouteCaches } from '../sysctl/sysctl.ts'
import { leaveLo, putOnLo, unlist } from './park.ts'
import { withParked, type Parked } from './parked.ts'
import { dadNow, duplicateCheck, isChecked, waitForDad, type DadState } from './state.ts'
import { askWire } from './wire.ts'

/** The answer of the host that has the address is heard only while the address is off lo. */
export class HiddenAnswer extends Refusal {
  override name = 'HiddenAnswer'
}

/**
 * One try; true when the address is on its interface now. It is put there before it leaves `lo`, so that it can be bound
 * all the time. An event for the address takes it from the list before it looks. So the event sees an address that was
 * added here, and nothing is done here to an address that is not listed any more. From then on the address is watched.
 * Throws a Refusal when nobody can be asked.
 */
export async function unpark(node: Node, each: Parked): Promise<boolean> {
  const reply = await askWire(node, each)
  if (typeof reply === 'object') return false
  const isIpv4 = familyOf(each.address) === 'inet'
  if (!isIpv4 && !(await passesCheck(node, each))) return false
  if (reply === 'unasked' && !(await passesOffLo(node, each))) return false
  const moved = await withParked(node, async (parked, watched) => {
    const listed = same(parked, each)
    if (!listed) return false
    if (isIpv4) await addAddress(node, each)
    await leaveLo(node, each)
    await unlist(node, parked, listed)
    watched.push({ address: each.address, bits: each.bits, iface: each.iface })
    return true
  })
  if (!moved) return false
  await flushRouteCaches(node)
  node.say(
    `${each.address}/${each.bits} is no longer parked: no other host has it, it is on ${each.iface} now`,
  )
  return true
}

/** The kernel is the judge: the address is added, and stays when its check ends well. */
async function passesCheck(node: Node, each: Parked): Promise<boolean> {
  const added = await withParked(node, async (parked) => {
    if (!same(parked, each)) return false
    // A failed check stands for ever: a try that was killed may have left one.
    if ((await dadNow(node, each)) === 'duplicate') await tryDelete(node, each)
    await addAddress(node, each)
    return true
  })
  if (!added) return false
  const state = await checked(node, each)
  if (state === 'ready') return true
  await withParked(node, async (parked) => {
    if (same(parked, each) && state !== 'absent') await tryDelete(node, each)
  })
  return false
}

/**
 * The kernel was the only one to ask, and a reverse-path filter drops what comes from an address that is here: such is the answer
 * of a host that has the address. So a check that went well is made again while the address is not on lo. Events for it wait
 * meanwhile. Throws a Refusal when only the second check fails, or the kernel makes none.
 */
async function passesOffLo(node: Node, each: Parked): Promise<boolean> {
  const toDo = `${packageOf('perl')}, with which we ask ourselves`
  return await withParked(node, async (parked) => {
    if (!same(parked, each)) return false
    await tryDelete(node, each)
    if (!(await isChecked(node, each.iface)))
      refuse(`the kernel makes no duplicate check on ${each.iface} (accept_dad, dad_transmits): ${toDo}`)
    await leaveLo(node, each)
    let state: DadState = 'absent'
    try {
      await addAddress(node, each)
      state = await checked(node, each)
    } finally {
      if (state !== 'ready') await backToLo(node, each)
    }
    if (state === 'duplicate')
      throw new HiddenAnswer(
        `a filter of this node (rpfilter?) hides the answer of the host that has it: ${toDo}`,
      )
    return state === 'ready'
  })
}

async function checked(node: Node, each: Parked): Promise<DadState> {
  return await waitForDad(node, each, { limit: await duplicateCheck(node, each.iface) })
}

async function backToLo(node: Node, each: Parked): Promise<void> {
  await tryDelete(node, each)
  await putOnLo(node, each.address)
}

function same(parked: readonly Parked[], { address, iface, bits }: Parked): Parked | undefined {
  return parked.find((each) => each.address === address && each.iface === iface && each.bits === bits)
}
