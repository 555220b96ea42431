import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { deleteGuarded, promotes } from './delete-guarded.ts'
import { isNamed, type Held, type Link } from '../ip-json.ts'
import { why, whereIs } from './interfaces.ts'
import { deletionLine, mayHaveSiblings } from './siblings.ts'
import { tryWrite } from '../sysctl/sysctl.ts'

/** What an event wants: this address with this prefix on this interface. */
export interface Wanted {
  address: string
  bits: number
  iface: string
  /** The far end of an address that has one. */
  peer?: string
}

/** Is it there and as wanted? An address that lost its duplicate check is not. */
export function isRight(held: Held, wanted: Wanted): boolean {
  return isNamed(held, wanted.iface) && held.bits === wanted.bits && held.state !== 'duplicate'
}

/**
 * One WARNING, in CTDB's words, when the kernel has the address otherwise than the daemon says. `instead` says
 * what is done about it.
 */
export function warnIfDifferent(node: Node, places: readonly Held[], said: Wanted, instead: string): void {
  const differences = places.flatMap((held) => [
    ...(isNamed(held, said.iface) ? [] : [`hosted on interface ${held.iface} but VNN says ${said.iface}`]),
    ...(held.bits === said.bits ? [] : [`has ${held.bits} bit netmask but VNN says ${said.bits}`]),
  ])
  if (differences.length === 0) return
  node.say(`WARNING: Public IP ${said.address} ${differences.join(', and ')}: ${instead}`)
}

/**
 * Put an address on an interface. Broadcast is the subnet's own (`brd +`) for IPv4. Rejects with a Refusal that
 * begins with CTDB's line `Failed to add … on dev …`.
 */
export async function addAddress(
  node: Node,
  { address, bits, iface }: Wanted,
  { dad = 'as set', undo = false }: { dad?: DadWish; undo?: boolean } = {},
): Promise<void> {
  const broadcast = familyOf(address) === 'inet' ? ['brd', '+'] : []
  const how = familyOf(address) === 'inet6' ? dadFlag(node, address, dad) : []
  node.because(`${address}/${bits} is wanted on ${iface}: adding it${undo ? ' again' : ''}`)
  const added = await node.change({ undo })`ip addr add ${address}/${bits} ${broadcast} dev ${iface} ${how}`
  if (added.status === 0) return
  const now = await whereIs(node, address)
  if (now.some((held) => isRight(held, { address, bits, iface }))) return
  const reason = (await whyNoIpv6(node, address, iface)) ?? why(added)
  refuse(`Failed to add ${address}/${bits} on dev ${iface}: ${reason}`)
}

/**
 * Which duplicate check an IPv6 address is added with: `as set` by EVENTSCRIPT_DAD; the kernel's own; `none` for one
 * that this node held a moment ago, or that it is to have whoever else does.
 */
export type DadWish = 'as set' | 'kernel' | 'none'

/** How `ip` is told which duplicate check is wanted. */
function dadFlag(node: Node, address: string, dad: DadWish): string[] {
  if (dad !== 'as set') return dad === 'none' ? ['nodad'] : []
  const flags = { default: [], fast: [], optimistic: ['optimistic'], off: ['nodad'] }
  return flags[node.settings.option('EVENTSCRIPT_DAD').of(address)]
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
 * Take an address from an interface. Other addresses of its subnet survive: the kernel promotes one of them, or they are
 * put back, but for those that are `going` as well. An address that has gone by itself meanwhile is fine: the kernel is
 * asked, as its wording varies.
 */
export async function deleteAddress(
  node: Node,
  held: Wanted,
  { going = [] }: { going?: readonly string[] } = {},
): Promise<void> {
  const { address, bits, iface } = held
  if (mayHaveSiblings(held) && !(await promotes(node, iface))) return await deleteGuarded(node, held, going)
  const deleted = await node.change`ip ${deletionLine(held)}`
  if (deleted.status === 0) return
  const now = await whereIs(node, address)
  if (!now.some((other) => other.iface === iface && other.bits === bits)) return
  refuse(`Failed to del ${address}/${bits} on dev ${iface}: ${why(deleted)}`)
}

/**
 * Bring an interface up that is there but down. `Failed to bringup interface …` is CTDB's line; the names that
 * do exist come with it.
 */
export async function bringUp(
  node: Node,
  link: Link | undefined,
  name: string,
  links: readonly Link[],
): Promise<Link> {
  if (!link) {
    const names = links.map((each) => each.name).join(', ')
    refuse(
      `Failed to bringup interface ${name}: there is no such interface, only ${names}: mend public_addresses`,
    )
  }
  if (link.up) {
    node.because(`${link.name} is up`)
    return link
  }
  node.because(`${link.name} is down: bringing it up`)
  const up = await node.change`ip link set dev ${link.name} up`
  if (up.status !== 0) refuse(`Failed to bringup interface ${name}: ${why(up)}`)
  return link
}

/** Routes that the kernel remembers for the old place are forgotten; where it keeps none there is nothing to write. */
export async function flushRouteCaches(node: Node): Promise<void> {
  await tryWrite(node, '/proc/sys/net/ipv4/route/flush', '1\n')
  await tryWrite(node, '/proc/sys/net/ipv6/route/flush', '1\n')
}

/** Where it is, in a word for messages: `eth1/25 and eth2/24`. */
export function where(places: readonly Wanted[]): string {
  return places.map(({ iface, bits }) => `${iface}/${bits}`).join(' and ')
}
