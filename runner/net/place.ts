import type { Node } from '../handler.ts'
import { refuse } from '../refusal.ts'
import { familyOf } from './address.ts'
import { ANOTHER_HAS_IT, duplicateCheck, waitForDad, type DadState } from './dad.ts'
import { isNamed, type Held, type Link } from './ip.ts'
import { why, whereIs } from './look.ts'
import { tryWrite } from './sysctl.ts'

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
export async function addAddress(node: Node, { address, bits, iface }: Wanted, known = false): Promise<void> {
  const broadcast = familyOf(address) === 'inet' ? ['brd', '+'] : []
  const how = familyOf(address) === 'inet6' ? dadFlag(node, address, known) : []
  node.because(`${address}/${bits} is wanted on ${iface}: adding it${known ? ' again' : ''}`)
  const added = await node.change({
    undo: known,
  })`ip addr add ${address}/${bits} ${broadcast} dev ${iface} ${how}`
  if (added.status === 0) return
  const now = await whereIs(node, address)
  if (now.some((held) => isRight(held, { address, bits, iface }))) return
  const reason = (await whyNoIpv6(node, address, iface)) ?? why(added)
  refuse(`Failed to add ${address}/${bits} on dev ${iface}: ${reason}`)
}

/** How `ip` is told which duplicate check is wanted. */
function dadFlag(node: Node, address: string, known: boolean): string[] {
  // an address that this node holds already needs none to be put back
  if (known) return ['nodad']
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
 * Take an address from an interface. Other addresses of its subnet survive: the kernel promotes one of them.
 * An address that has gone by itself meanwhile is fine: the kernel is asked, as its wording varies.
 */
export async function deleteAddress(node: Node, { address, bits, iface, peer }: Wanted): Promise<void> {
  if (familyOf(address) === 'inet') await keepSecondaries(node, iface)
  const what = peer === undefined ? [`${address}/${bits}`] : [address, 'peer', `${peer}/${bits}`]
  const deleted = await node.change`ip addr del ${what} dev ${iface}`
  if (deleted.status === 0) return
  const now = await whereIs(node, address)
  if (!now.some((held) => held.iface === iface && held.bits === bits)) return
  refuse(`Failed to del ${address}/${bits} on dev ${iface}: ${why(deleted)}`)
}

async function keepSecondaries(node: Node, iface: string): Promise<void> {
  const sysctl = `/proc/sys/net/ipv4/conf/${iface}/promote_secondaries`
  if ((await node.read(sysctl))?.trim() === '1') return
  if (!(await tryWrite(node, sysctl, '1\n')))
    node.say(`WARNING: cannot set ${sysctl}: other addresses of the subnet on ${iface} may go with this one`)
}

/**
 * Wait until an IPv6 address can be used; an IPv4 address can at once, and so can an IPv6 address whose policy is
 * optimistic. When another host answered the duplicate check, or the check does not end, the address is removed and
 * the event refused.
 */
export async function settle(node: Node, wanted: Wanted): Promise<void> {
  const { address, bits, iface } = wanted
  if (familyOf(address) === 'inet') return
  const policy = node.settings.option('EVENTSCRIPT_DAD').of(address)
  const limit = await duplicateCheck(node, iface)
  node.because(`${address} can be used ${WHEN[policy](limit / 1000)}`)
  const enough = policy === 'optimistic' ? (state: DadState) => state !== 'tentative' : undefined
  const state = await waitForDad(node, wanted, { limit, enough })
  if (state === 'ready' || (state === 'optimistic' && enough)) return
  const endless = `duplicate address detection did not end within ${limit / 1000} s: has ${iface} a link?`
  const reason = {
    duplicate: ANOTHER_HAS_IT,
    tentative: endless,
    optimistic: endless,
    absent: `it was gone again at once: has somebody taken ${iface} down?`,
  }[state]
  if (state !== 'absent') await node.change`ip addr del ${address}/${bits} dev ${iface}`
  refuse(`Failed to add ${address}/${bits} on dev ${iface}: ${reason}`)
}

/** Of each policy, when an address that was added with it can be used. */
const WHEN = {
  default: (seconds: number) => `when its duplicate check is over, in ${seconds} s at most`,
  fast: (seconds: number) => `when its duplicate check, with short times, is over, in ${seconds} s at most`,
  optimistic: () => 'at once, while its duplicate check goes on: it is watched',
  off: () => 'at once, without a duplicate check',
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
