import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { deleteAddress, tryDelete } from '../address/add-delete.ts'
import { isRight, type Placement } from '../address/placement.ts'
import { conflictPolicy, decide, decideIpv4, type DadOutcome } from '../dad/conflict.ts'
import { isParkingPlace } from '../dad/parked.ts'
import { dadPolicy } from '../dad/policy.ts'
import { duplicateCheck, isUnderCheck, waitForDad, type DadState } from '../dad/state.ts'
import type { Held } from '../ip-json.ts'
import { putBack } from './relocate.ts'

/**
 * See that an address which is put in its place, by `put`, is ours alone; where it is not, the conflict is decided. The
 * address goes where `target` says from wherever it is on the wire; one that was parked can be bound all the time.
 */
export async function take(
  node: Node,
  places: readonly Held[],
  target: Placement,
  put: (node: Node, onWire: readonly Held[], target: Placement) => Promise<void>,
): Promise<DadOutcome> {
  const onWire = places.filter((held) => !isParkingPlace(held))
  const before = onWire.length === 0 ? await decideIpv4(node, target) : 'ready'
  if (before !== 'parked') await put(node, onWire, target)
  const isMoved = !onWire.some((held) => isRight(held, target))
  const old = isMoved ? onWire.find(({ state }) => state === 'ready') : undefined
  const outcome = before === 'ready' ? await settle(node, target, old) : before
  // an address that has its place on the wire is no longer held beside it
  if (outcome !== 'parked') for (const held of places.filter(isParkingPlace)) await deleteAddress(node, held)
  return outcome
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
  const state = await waitForDad(node, wanted, { limit, enough })
  if (isUsable(state)) return 'ready'
  const failing = `Failed to add ${address}/${bits} on dev ${iface}`
  if (state !== 'absent') await tryDelete(node, wanted)
  if (state === 'duplicate') return await decide(node, wanted, failing)
  const failure = new Refusal(
    state === 'absent'
      ? `${failing}: it was gone again at once: has somebody taken ${iface} down?`
      : `${failing}: duplicate address detection did not end within ${limit / 1000} s: has ${iface} a link?`,
  )
  if (old) await putBack(node, old, failure)
  throw failure
}
