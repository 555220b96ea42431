import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { decide, decideIpv4, type DadOutcome } from '../dad/conflict.ts'
import { duplicateCheck, isUnderCheck, waitForDad, type DadState } from '../dad/state.ts'
import type { Held } from '../ip-json.ts'
import { isParkingPlace } from '../dad/parked.ts'
import { dadPolicy } from '../dad/policy.ts'
import { deleteAddress, tryDelete } from '../address/add-delete.ts'
import type { Placement } from '../address/placement.ts'

/**
 * See that an address which is put in its place, by `put`, is ours alone: or what has been decided where it is not. It
 * goes where `target` says from wherever it is on the wire; one that was parked can be bound all the time.
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
  const outcome = before === 'ready' ? await settle(node, target) : before
  // once it has its place on the wire it is no longer held beside it
  if (outcome !== 'parked') for (const held of places.filter(isParkingPlace)) await deleteAddress(node, held)
  return outcome
}

/**
 * Wait until an IPv6 address can be used; an IPv4 address can at once, and so can an IPv6 address whose policy is
 * optimistic. When another host answered the duplicate check it is decided what becomes of the address; when the check
 * does not end, the address is removed and the event refused.
 */
async function settle(node: Node, wanted: Placement): Promise<DadOutcome> {
  const { address, bits, iface } = wanted
  if (familyOf(address) === 'inet') return 'ready'
  const policy = dadPolicy(node, address)
  const limit = await duplicateCheck(node, iface)
  const conflict = IN_CONFLICT[node.settings.option('EVENTSCRIPT_DAD_CONFLICT').of(address)]
  node.because(`${address} can be used ${policy.whenUsable(limit / 1000)}${conflict}`)
  const isUsable = (state: DadState) => policy.usable.includes(state)
  const enough = (state: DadState) => isUsable(state) || !isUnderCheck(state)
  const state = await waitForDad(node, wanted, { limit, enough })
  if (isUsable(state)) return 'ready'
  const failing = `Failed to add ${address}/${bits} on dev ${iface}`
  if (state === 'absent') refuse(`${failing}: it was gone again at once: has somebody taken ${iface} down?`)
  await tryDelete(node, wanted)
  if (state === 'duplicate') return await decide(node, wanted, failing)
  refuse(`${failing}: duplicate address detection did not end within ${limit / 1000} s: has ${iface} a link?`)
}

/** What becomes of it otherwise; that the event fails is the rule, and goes without saying. */
const IN_CONFLICT = {
  fail: '',
  park: '; EVENTSCRIPT_DAD_CONFLICT=park: kept on lo, off the wire, if another host has it',
  seize: '; EVENTSCRIPT_DAD_CONFLICT=seize: used all the same if another host has it',
}
