import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { decide, decideIpv4, type Outcome } from '../dad/conflict.ts'
import { duplicateCheck, waitForDad, type DadState } from '../dad/state.ts'
import type { Held } from '../ip-json.ts'
import { isParkingPlace } from '../dad/parked.ts'
import { deleteAddress, type Wanted } from '../address/add-delete.ts'

/**
 * See that an address which is put in its place, by `put`, is ours alone: or what has been decided where it is not. It
 * goes where `target` says from wherever it is on the wire; one that was parked can be bound all the time.
 */
export async function take(
  node: Node,
  places: readonly Held[],
  target: Wanted,
  put: (node: Node, onWire: readonly Held[], target: Wanted) => Promise<void>,
): Promise<Outcome> {
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
async function settle(node: Node, wanted: Wanted): Promise<Outcome> {
  const { address, bits, iface } = wanted
  if (familyOf(address) === 'inet') return 'ready'
  const policy = node.settings.option('EVENTSCRIPT_DAD').of(address)
  const limit = await duplicateCheck(node, iface)
  const conflict = IN_CONFLICT[node.settings.option('EVENTSCRIPT_DAD_CONFLICT').of(address)]
  node.because(`${address} can be used ${WHEN[policy](limit / 1000)}${conflict}`)
  const enough = policy === 'optimistic' ? (state: DadState) => state !== 'tentative' : undefined
  const state = await waitForDad(node, wanted, { limit, enough })
  if (state === 'ready' || (state === 'optimistic' && enough)) return 'ready'
  const failing = `Failed to add ${address}/${bits} on dev ${iface}`
  if (state === 'absent') refuse(`${failing}: it was gone again at once: has somebody taken ${iface} down?`)
  await node.change`ip addr del ${address}/${bits} dev ${iface}`
  if (state === 'duplicate') return await decide(node, wanted, failing)
  refuse(`${failing}: duplicate address detection did not end within ${limit / 1000} s: has ${iface} a link?`)
}

/** Of each policy, when an address that was added with it can be used. */
const WHEN = {
  default: (seconds: number) => `when its duplicate check is over, in ${seconds} s at most`,
  fast: (seconds: number) => `when its duplicate check, with short times, is over, in ${seconds} s at most`,
  optimistic: () => 'at once, while its duplicate check goes on: it is watched',
  off: () => 'at once, without a duplicate check',
}

/** What becomes of it otherwise; that the event fails is the rule, and goes without saying. */
const IN_CONFLICT = {
  fail: '',
  park: '; EVENTSCRIPT_DAD_CONFLICT=park: kept on lo, off the wire, if another host has it',
  seize: '; EVENTSCRIPT_DAD_CONFLICT=seize: used all the same if another host has it',
}
