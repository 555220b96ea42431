import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { addAddress, deleteAddress, tryDelete } from '../address/add-delete.ts'
import { interfaces, pick } from '../address/interfaces.ts'
import { isRight, type Placement } from '../address/placement.ts'
import { conflictPolicy, decide, decideBefore, isCheckedInVain, type DadOutcome } from '../dad/conflict.ts'
import { isParkingPlace } from '../dad/parked.ts'
import { dadPolicy } from '../dad/policy.ts'
import { watch } from '../dad/watch.ts'
import { duplicateCheck, isUnderCheck, waitForDad, type DadState } from '../dad/state.ts'
import type { Held, Link } from '../ip-json.ts'
import { putBack } from './relocate.ts'

export interface Taking {
  /** The interface of `target`, as it was before the event. */
  link: Link
  /** Where the address is. */
  places: readonly Held[]
  target: Placement
  /** It was parked, or watched: another host had it. */
  isDoubtful: boolean
}

/**
 * See that an address which is put in its place, by `put`, is ours alone; where it is not, the conflict is decided. The
 * address goes where `target` says from wherever it is on the wire; one that was parked can be bound all the time. The wire is
 * asked once more 5 s later for an address that another host had, and for one about which nobody could be asked.
 */
export async function take(
  node: Node,
  { link, places, target, isDoubtful: isListed }: Taking,
  put: (node: Node, onWire: readonly Held[], target: Placement) => Promise<void>,
): Promise<DadOutcome> {
  const onWire = places.filter((held) => !isParkingPlace(held))
  const parked = places.filter(isParkingPlace)
  // an event that was killed may have taken it from the list already
  const isDoubtful = isListed || parked.length > 0
  const leaveLo = async () => {
    for (const held of parked.splice(0)) await deleteAddress(node, held)
  }
  try {
    const doubts = { isLocal: parked.length > 0, isDoubtful }
    const before = onWire.length === 0 ? await decideBefore(node, target, doubts) : 'ready'
    // only the kernel asks: it hears every answer while the address is nowhere on this node
    if (before === 'unasked' && familyOf(target.address) === 'inet6') await leaveLo()
    if (before !== 'parked') await put(node, onWire, target)
    const isMoved = !onWire.some((held) => isRight(held, target))
    const old = isMoved ? onWire.find(({ state }) => state === 'ready') : undefined
    const isDecided = before === 'parked' || before === 'seized'
    const outcome = isDecided ? before : await settle(node, target, old)
    const isUnheard = onWire.length === 0 && outcome === 'ready' && isCheckedInVain(node, target, link)
    if (outcome === 'ready' && (isDoubtful || before === 'unasked' || isUnheard)) await watch(node, target)
    // an address that has its place on the wire is no longer held beside it; until then it can be seen that it was parked
    if (outcome !== 'parked') await leaveLo()
    return outcome
  } catch (error) {
    // it is on no list any more: nobody would look after it
    if (error instanceof Refusal) for (const held of parked) await tryDelete(node, held)
    throw error
  }
}

/**
 * Wait until an IPv6 address can be used, as its policy has it; an IPv4 address can at once. When another host answered
 * the duplicate check, the conflict is decided. When the check does not end, the address goes back to its `old` place, if it
 * had one, and the event is refused.
 */
async function settle(node: Node, wanted: Placement, old: Held | undefined): Promise<DadOutcome> {
  const { address, bits, iface } = wanted
  if (familyOf(address) === 'inet') return 'ready'
  const policy = dadPolicy(node, address)
  const limit = await duplicateCheck(node, iface)
  node.because(
    `${address} can be used ${policy.whenUsable(limit / 1000)}${conflictPolicy(node, address).foretold}`,
  )
  const isUsable = (state: DadState) => policy.usable.includes(state)
  const enough = (state: DadState) => isUsable(state) || !isUnderCheck(state)
  const checked = () => waitForDad(node, wanted, { limit, enough })
  let state = await checked()
  const isRemoved = state === 'absent' && (await isUp(node, iface))
  if (isRemoved) {
    node.say(
      `WARNING: somebody removed ${address} from ${iface} while it was checked for duplicates: adding it again`,
    )
    await addAddress(node, wanted, { dadFlag: policy.flag })
    state = await checked()
  }
  if (isUsable(state)) return 'ready'
  const failing = `Failed to add ${address}/${bits} on dev ${iface}`
  if (state !== 'absent') await tryDelete(node, wanted)
  if (state === 'duplicate') return await decide(node, wanted, failing)
  const failure = new Refusal(
    state === 'absent'
      ? `${failing}: ${await whyGone(node, iface, isRemoved)}`
      : `${failing}: duplicate address detection did not end within ${limit / 1000} s: has ${iface} a link?`,
  )
  if (old) await putBack(node, old, failure)
  throw failure
}

async function isUp(node: Node, iface: string): Promise<boolean> {
  return pick(await interfaces(node), iface)?.up === true
}

/** An address vanishes with its link; on a link that is up another program has removed the address. */
async function whyGone(node: Node, iface: string, wasRemoved: boolean): Promise<string> {
  return wasRemoved && (await isUp(node, iface))
    ? `somebody removed it twice while it was checked for duplicates: which program manages ${iface} (networkd, NetworkManager)?`
    : `it was gone again at once: has somebody taken ${iface} down?`
}
