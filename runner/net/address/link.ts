import type { Node } from '../../node/node.ts'
import { NO_INTERFACE } from '../../node/events.ts'
import { familyOf } from '../../inet/address.ts'
import { refuse } from '../../base/refusal.ts'
import { listIn, rows, type Link } from '../ip-json.ts'
import { why } from '../answer.ts'
import { table } from '../ctdb/tool.ts'
import { linksInDetail, pick } from './interfaces.ts'
import type { PublicAddress } from './public-addresses.ts'

/** The finding about a monitored interface; `error` is CTDB's line when the interface is of no use. */
export interface LinkCheck {
  iface: string
  error?: string
}

/**
 * Look at every interface that a public address may be on, and tell the daemon of each. An interface that is switched off
 * is switched on and looked at once more.
 */
export async function checkLinks(node: Node, listed: readonly PublicAddress[]): Promise<LinkCheck[]> {
  const known = await table(node, ['ifaces'], ['Name'])
  if (typeof known === 'string')
    node.say(`WARNING: the daemon's interfaces are not known, looking at public_addresses only: ${known}`)
  const daemons = typeof known === 'string' ? [] : known.map((row) => row['Name'] ?? '')
  const names = [...new Set([...listed.flatMap(({ ifaces }) => ifaces), ...daemons])].toSorted()

  const checks: LinkCheck[] = []
  const links = await switchOn(node, names, await linksInDetail(node))
  for (const iface of names) {
    const error = await whyNoLink(node, iface, links)
    checks.push({ iface, error })
    node.because(error ?? `${iface} has a link`)
  }
  // without the daemon there is nobody to tell
  if (typeof known !== 'string') await tell(node, checks)
  return checks
}

/** The same for an interface without public addresses: the daemon need not know. Gives CTDB's line when the interface is of no use. */
export async function checkLink(node: Node, iface: string): Promise<string | undefined> {
  const links = await switchOn(node, [iface], await linksInDetail(node))
  const error = await whyNoLink(node, iface, links)
  node.because(error ?? `${iface} has a link`)
  return error
}

async function switchOn(
  node: Node,
  names: readonly string[],
  links: readonly Link[],
): Promise<readonly Link[]> {
  const off = names.flatMap((name) => pick(links, name) ?? []).filter((link) => !link.up)
  for (const link of off) {
    node.because(`${link.name} is switched off: switching it on, and looking again`)
    const up = await node.change({ batch: 'ip' })`ip link set dev ${link.name} up`
    if (up.status !== 0) node.say(`WARNING: cannot bring up ${link.name}: ${why(up)}`)
  }
  return off.length === 0 ? links : await linksInDetail(node, (out) => withLinksUp(out, off))
}

/** The output of `ip`, had these interfaces been switched on and found a carrier. */
function withLinksUp(out: string, on: readonly Link[]): string {
  const up = (row: Record<string, unknown>) =>
    on.some(({ name }) => name === row['ifname'])
      ? { ...row, flags: [...listIn(row['flags']), 'UP', 'LOWER_UP'] }
      : row
  return JSON.stringify(rows(out, 'interfaces').map(up))
}

async function tell(node: Node, checks: readonly LinkCheck[]): Promise<void> {
  for (const { iface, error } of checks)
    if (iface !== NO_INTERFACE)
      await node.change`${node.settings.ctdb} setifacelink ${iface} ${error ? 'down' : 'up'}`
}

/**
 * Bring an interface up that is there but down. The Refusal begins with CTDB's line `Failed to bringup interface …`, and
 * names the interfaces that do exist.
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
  const up = await node.change({ batch: 'ip' })`ip link set dev ${link.name} up`
  if (up.status !== 0) refuse(`Failed to bringup interface ${name}: ${why(up)}`)
  return link
}

/** RFC 8200: below this the kernel takes IPv6 off an interface. */
const LEAST_MTU = 1280

/** Why the interface cannot have IPv6 addresses; undefined when it can. */
export function whyNoIPv6({ name, mtu }: Link): string | undefined {
  if (mtu === undefined || mtu >= LEAST_MTU) return undefined
  return `the MTU of ${name} is ${mtu}: below ${LEAST_MTU} the kernel has no IPv6 on it`
}

/** Refuse an IPv6 address on an interface that cannot have it: the kernel's own answer names another cause. */
export function mustCarry(link: Link, address: string): void {
  const no = familyOf(address) === 'inet6' ? whyNoIPv6(link) : undefined
  if (no)
    refuse(`Failed to add ${address} on dev ${link.name}: ${no}: "ip link set dev ${link.name} mtu 1500"`)
}

/** CTDB's line when an interface is of no use; undefined when it has a link. */
export async function whyNoLink(
  node: Node,
  iface: string,
  links: readonly Link[],
): Promise<string | undefined> {
  const link = pick(links, iface)
  if (!link) return `ERROR: Monitored interface ${iface} does not exist`
  const base = lowest(link, links)
  const bond = base.kind === 'bond' ? await node.read(`/proc/net/bonding/${base.name}`) : undefined
  const slaves = links.filter(({ master }) => master === base.name)
  const error = bond === undefined ? undefined : whyBondIsDown(base.name, bond, slaves)
  return error ?? (hasLink(link) ? undefined : `ERROR: No link on the public network interface ${iface}`)
}

/** The device at the bottom: for a VLAN the device below, for a VLAN in a VLAN the device below both. */
export function lowest(link: Link, links: readonly Link[]): Link {
  const seen = new Set([link.name])
  let base = link
  for (;;) {
    const below = base.below === undefined ? undefined : pick(links, base.below)
    if (!below || seen.has(below.name)) return base
    seen.add(below.name)
    base = below
  }
}

/** Loopback and InfiniBand always count as linked, as in CTDB: their drivers do not all report a carrier. */
function hasLink(link: Link): boolean {
  if (link.type === 'loopback' || link.type === 'infiniband') return true
  return link.up && link.carrier
}

/**
 * The fault of a bond, out of `/proc/net/bonding/NAME`, in CTDB's lines. A bond without miimon, as `ip link add` makes it,
 * claims to be up whatever happens: there the slaves' own carrier decides (`slaves`, none if not known).
 */
export function whyBondIsDown(name: string, text: string, slaves: readonly Link[] = []): string | undefined {
  if (/^Currently Active Slave: None$/m.test(text)) return `ERROR: No active slaves for bond device ${name}`
  if (!/^MII Status: up$/m.test(text)) return `ERROR: public network interface ${name} is down`
  if (slaves.length > 0 && !slaves.some((slave) => slave.carrier))
    return `ERROR: No active slaves for bond device ${name}`
  if (!/^Bonding Mode: IEEE 802\.3ad/m.test(text)) return undefined
  // the first MII Status is the bond's own; those of its slaves follow "Slave Interface:"
  const [, ...parts] = text.split(/^Slave Interface: /m)
  const alive = parts.some((slave) => /^MII Status: up$/m.test(slave))
  return alive ? undefined : `ERROR: No active slaves for 802.ad bond device ${name}`
}
