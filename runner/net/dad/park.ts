/**
 * A parked address is on `lo`, with a host prefix and never preferred: it can be bound, and says nothing. It is on the
 * list before it is put there, and taken from the list before anything else is done to it.
 */
import type { Node } from '../../node/node.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import { familyOf, hostBits } from '../../inet/address.ts'
import { deleteAddress, tryAdd } from '../address/add-delete.ts'
import { whereIs } from '../address/interfaces.ts'
import type { Placement } from '../address/placement.ts'
import type { Answer } from '../../machine/machine.ts'
import { why } from '../answer.ts'
import { arpIgnoreBefore, putBackBesideLvs, silenceParked } from './arp-ignore.ts'
import { isParkingPlace, PARKING_PLACE, triedHere, withParked, type Parked } from './parked.ts'

/**
 * Keep an address here, off the wire; `rival` is the host that has it. It may be parked already. An address that cannot be
 * parked is not listed: it would be tried again although the event has failed, when another node may have it.
 */
export async function park(node: Node, { address, bits, iface }: Placement, rival: string): Promise<void> {
  const isIpv4 = familyOf(address) === 'inet'
  const arpIgnore = await withParked(node, async (parked) => {
    const others = parked.filter((each) => each.address !== address)
    const before = isIpv4 ? await arpIgnoreBefore(node, others) : undefined
    parked.splice(0, Infinity, ...others, { address, bits, iface, arpIgnore: before, rival })
    return before
  })
  if (arpIgnore !== undefined) await silenceParked(node, address)
  const added = await putOnLo(node, address)
  if (added.status === 0 || (await whereIs(node, address)).some(isParkingPlace)) return
  await forgetParked(node, [address])
  refuse(`Failed to park ${address} on ${PARKING_PLACE}: ${why(added)}`)
}

/** Put an address where parked ones are. The answer is the caller's to judge. */
export async function putOnLo(node: Node, address: string): Promise<Answer> {
  const place = { address, bits: hostBits(address), iface: PARKING_PLACE }
  const scope = familyOf(address) === 'inet' ? ['scope', 'host'] : []
  return await tryAdd(node, place, [...scope, 'preferred_lft', '0'])
}

/** Take an address from where parked ones are. */
export async function leaveLo(node: Node, { address }: { address: string }): Promise<void> {
  for (const held of (await whereIs(node, address)).filter(isParkingPlace)) await deleteAddress(node, held)
}

/**
 * From now on nobody tries to put these addresses (all, if none are named) on their interfaces: an event can deal with
 * them, and nobody watches them. Where there is nothing to try this is one look. Tells whether any of them was listed.
 */
export async function forgetParked(node: Node, addresses?: readonly string[]): Promise<boolean> {
  const isMeant = ({ address }: { address: string }) => addresses === undefined || addresses.includes(address)
  const tried = await triedHere(node)
  if (![...tried.parked, ...tried.watched].some(isMeant)) return false
  await withParked(node, async (parked, watched) => {
    for (const each of parked.filter(isMeant)) await unlist(node, parked, each)
    for (const each of watched.filter(isMeant)) watched.splice(watched.indexOf(each), 1)
  })
  return true
}

/**
 * The same for an address that goes. A list that cannot be read or changed never keeps the address here: a WARNING, and whoever
 * tries to put it on its interface needs the list as well.
 */
export async function forgetParkedIfPossible(node: Node, addresses?: readonly string[]): Promise<void> {
  try {
    await forgetParked(node, addresses)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    node.say(`WARNING: ${error.message}: what is parked is not known`)
  }
}

/** Take an address from the list; the last one that needed arp_ignore gives it back. */
export async function unlist(node: Node, parked: Parked[], gone: Parked): Promise<void> {
  parked.splice(parked.indexOf(gone), 1)
  const { arpIgnore } = gone
  if (arpIgnore === undefined || parked.some((each) => each.arpIgnore !== undefined)) return
  await putBackBesideLvs(node, arpIgnore)
}
