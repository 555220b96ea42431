/** Looks after parked addresses: each is tried on its interface again and again, until its rival is gone. */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { announces } from '../announces.ts'
import { dadNow, duplicateCheck, waitForDad } from './state.ts'
import { whereIs } from '../address/interfaces.ts'
import { isParkingPlace, parkedHere, withParked, type Parked } from './parked.ts'
import { addAddress, deleteAddress, tryDelete } from '../address/add-delete.ts'
import { rivalMac } from './address-owner.ts'
import { flushRouteCaches } from '../sysctl/sysctl.ts'
import { letParkedGo } from './let-go.ts'
import { unlist } from './park.ts'

/** Milliseconds from one try to the next. A try asks the wire once: 60 addresses are 12 packets a second. */
const TRY_EVERY_MS = 5000

export interface Keeping {
  sleep: (ms: number) => Promise<unknown>
  /** Tell the network that the address is on that interface now. Not called where EVENTSCRIPT_ANNOUNCE is no. */
  announce: (address: string, iface: string) => void | Promise<unknown>
  /** Our handler is still where CTDB looks; without it no event of ours would release what is taken here. Always, if not given. */
  isInPlace?: () => Promise<boolean>
}

/** Try until nothing is parked any more. A failure of one address is reported, and the next round tries again. */
export async function keepTrying(
  nodeNow: () => Promise<Node>,
  { sleep, announce, isInPlace = () => Promise.resolve(true) }: Keeping,
): Promise<void> {
  const moved: Promise<unknown>[] = []
  /** The failure of each address, reported once for as long as it is the same. */
  const said = new Map<string, string>()
  for (;;) {
    const node = await nodeNow()
    const parked = await parkedHere(node)
    if (parked.length === 0) break
    if (!(await isInPlace())) {
      const gone = await letParkedGo(node)
      node.say(`${gone.join(', ')}: no longer parked, and not on this node: our handler was uninstalled`)
      break
    }
    await Promise.all(
      parked.map(async (each) => {
        try {
          const hasMoved = await tryAgain(node, each)
          if (hasMoved && announces(node)) moved.push(Promise.resolve(announce(each.address, each.iface)))
          said.delete(each.address)
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
          if (said.get(each.address) !== error.message)
            node.say(`WARNING: ${each.address}, which is parked, cannot be tried again: ${error.message}`)
          said.set(each.address, error.message)
        }
      }),
    )
    await sleep(TRY_EVERY_MS)
  }
  await Promise.all(moved)
}

/**
 * One try; true when the address is on its interface now. It is put there before it leaves `lo`, so that it can be bound
 * all the time. An event for the address takes it from the list before it looks. So the event sees an address that was
 * added here, and nothing is done here to an address that is not listed any more.
 */
async function tryAgain(node: Node, each: Parked): Promise<boolean> {
  const isFree =
    familyOf(each.address) === 'inet' ? await isFreeIpv4(node, each) : await isFreeIpv6(node, each)
  if (!isFree) return false
  const moved = await withParked(node, async (parked) => {
    const listed = same(parked, each)
    if (!listed) return false
    if (familyOf(each.address) === 'inet') await addAddress(node, each)
    for (const held of (await whereIs(node, each.address)).filter(isParkingPlace))
      await deleteAddress(node, held)
    await unlist(node, parked, listed)
    return true
  })
  if (!moved) return false
  await flushRouteCaches(node)
  node.say(
    `${each.address}/${each.bits} is no longer parked: no other host has it, it is on ${each.iface} now`,
  )
  return true
}

async function isFreeIpv4(node: Node, each: Parked): Promise<boolean> {
  return (await rivalMac(node, each)) === undefined
}

/** The kernel is the judge: the address is added, and stays when its check ends well. */
async function isFreeIpv6(node: Node, each: Parked): Promise<boolean> {
  const added = await withParked(node, async (parked) => {
    if (!same(parked, each)) return false
    // A failed check stands for ever: a try that was killed may have left one.
    if ((await dadNow(node, each)) === 'duplicate') await tryDelete(node, each)
    await addAddress(node, each)
    return true
  })
  if (!added) return false
  const state = await waitForDad(node, each, { limit: await duplicateCheck(node, each.iface) })
  if (state === 'ready') return true
  await withParked(node, async (parked) => {
    if (same(parked, each) && state !== 'absent') await tryDelete(node, each)
  })
  return false
}

function same(parked: readonly Parked[], { address, iface, bits }: Parked): Parked | undefined {
  return parked.find((each) => each.address === address && each.iface === iface && each.bits === bits)
}
