/** Adding and deleting an address: no other file has words for `ip addr add` and `ip addr del` carried out. */
import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import type { Answer } from '../../machine/machine.ts'
import { why } from '../answer.ts'
import { deleteGuarded, promotes } from './delete-guarded.ts'
import { whereIs } from './interfaces.ts'
import type { Held } from '../ip-json.ts'
import { additionLine, deletionLine, isRight, permanenceLine, type Placement } from './placement.ts'
import { isOtherwise, isSource, sourceWords } from './source.ts'
import { mayHaveSiblings } from './siblings.ts'

export interface Addition {
  /** The word by which `ip` is told of another duplicate check than the kernel's own; of no use to IPv4. */
  dadFlag?: readonly string[]
  /** The address was here a moment ago: also at a deadline it is put back. */
  undo?: boolean
}

/**
 * Put an address on an interface. Broadcast is the subnet's own (`brd +`) for IPv4. Rejects with a Refusal that
 * begins with CTDB's line `Failed to add … on dev …`.
 */
export async function addAddress(
  node: Node,
  { address, bits, iface }: Placement,
  { dadFlag = [], undo = false }: Addition = {},
): Promise<void> {
  const isIpv4 = familyOf(address) === 'inet'
  node.because(`${address}/${bits} is wanted on ${iface}: adding it${undo ? ' again' : ''}`)
  const words = isIpv4 ? [] : [...dadFlag, ...sourceWords(node, address)]
  const line = additionLine({ address, bits, iface }, words, { subnetBroadcast: isIpv4 })
  const added = await node.change({ undo, batch: 'ip' })`ip ${line}`
  if (added.status === 0) return
  const now = await whereIs(node, address)
  if (now.some((held) => isRight(held, { address, bits, iface }))) return
  const reason = (await whyNoIpv6(node, address, iface)) ?? why(added)
  refuse(`Failed to add ${address}/${bits} on dev ${iface}: ${reason}`)
}

/** Where IPv6 is switched off the kernel says "Permission denied", also to root. */
async function whyNoIpv6(node: Node, address: string, iface: string): Promise<string | undefined> {
  if (familyOf(address) === 'inet') return undefined
  const sysctl = `/proc/sys/net/ipv6/conf/${iface}/disable_ipv6`
  return (await node.read(sysctl))?.trim() === '1'
    ? `IPv6 is switched off on ${iface}: "echo 0 >${sysctl}" switches it on`
    : undefined
}

/**
 * Of addresses that are where they should be, see that none goes by itself: an address that a DHCP client or a person has
 * added for a time stays from now on. Each is a source of the node's own connections, or none, as EVENTSCRIPT_IPV6_SOURCE
 * says. Rejects with a Refusal when the kernel does not take that.
 */
export async function keepForEver(node: Node, places: readonly Held[]): Promise<void> {
  for (const held of places) {
    const { address, bits, iface, validFor } = held
    const wanted = { isSource: isSource(node, address) }
    if (validFor !== undefined)
      node.say(
        `WARNING: Public IP ${address} on ${iface} would go in ${validFor} s (valid_lft): it stays from now on`,
      )
    else if (!isOtherwise(node, held)) continue
    else
      node.because(`EVENTSCRIPT_IPV6_SOURCE is ${wanted.isSource ? 'yes' : 'no'}: ${address} was otherwise`)
    const changed = await node.change({ batch: 'ip' })`ip ${permanenceLine(held, wanted)}`
    if (changed.status !== 0) refuse(`Failed to keep ${address}/${bits} on dev ${iface}: ${why(changed)}`)
  }
}

/** Add an address that is no subnet's, with these words. The answer is the caller's to judge. */
export async function tryAdd(node: Node, placement: Placement, words: readonly string[]): Promise<Answer> {
  return await node.change({ batch: 'ip' })`ip ${additionLine(placement, words)}`
}

/**
 * Take an address from an interface. Other addresses of its subnet survive: the kernel promotes one of them, or they are
 * put back, except those that are `going` as well. An address that has gone by itself meanwhile is no failure: the kernel is
 * asked, as its wording varies.
 */
export async function deleteAddress(
  node: Node,
  held: Placement,
  { going = [] }: { going?: readonly string[] } = {},
): Promise<void> {
  const { address, bits, iface } = held
  if (mayHaveSiblings(held) && !(await promotes(node, iface))) return await deleteGuarded(node, held, going)
  const deleted = await tryDelete(node, held)
  if (deleted.status === 0) return
  const now = await whereIs(node, address)
  if (!now.some((other) => other.iface === iface && other.bits === bits)) return
  refuse(`Failed to del ${address}/${bits} on dev ${iface}: ${why(deleted)}`)
}

/** Delete an address that takes no others along, as none of IPv6 does. The answer is the caller's to judge. */
export async function tryDelete(node: Node, placement: Placement): Promise<Answer> {
  return await node.change({
    batch: 'ip',
    removes: { addresses: [placement] },
  })`ip ${deletionLine(placement)}`
}
