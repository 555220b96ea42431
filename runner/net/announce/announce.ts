import type { Node } from '../../node/node.ts'
import { CannotRun } from '../../machine/errors.ts'
import type { Door } from '../../machine/machine.ts'
import { packageOf, toBeAllowed } from '../../machine/remedy.ts'
import { familyOf } from '../../inet/address.ts'
import { announces } from '../announces.ts'
import { arpingRound } from '../arping.ts'
import { dadPolicy } from '../dad/policy.ts'
import type { Link } from '../ip-json.ts'
import { tryWrite } from '../sysctl/sysctl.ts'

/**
 * Three rounds, 1.1 s apart, as ctdbd announces: old Linux hosts ignore a second update within the ARP locktime
 * of 1 s, so faster repeats are lost, and a single one may be.
 */
export const ROUNDS = 3
const ROUND_MS = 1100
/** A seized address is announced for as long as it is here: so often for a minute, then every 10 s. */
const QUICK_ROUNDS = 60
const SLOW_ROUND_MS = 10_000

/** Milliseconds to the next round, when so many have been sent. */
export function pauseAfter(rounds: number): number {
  return rounds < QUICK_ROUNDS ? ROUND_MS : SLOW_ROUND_MS
}

/** How many rounds of announcing, by the third word of the background program. */
export function roundsOf(how?: string): number {
  return how === SILENT ? 0 : how === AGAIN ? 1 : how === SEIZED ? Infinity : ROUNDS
}

/** Programs that send an unsolicited neighbour advertisement, the first that is there is used. */
const ADVERTISERS = ['ndsend', 'ndptool'] as const

/** Where the kernel could not be told to announce: the event that added the address says so. */
const silent = new WeakSet<Link>()

/**
 * Before an IPv6 address is added: where no program can announce it, let the kernel do so when the duplicate check
 * ends. It does it once, and only for an address that is added after this was set; said in one WARNING.
 */
export async function prepareAnnouncement(node: Node, address: string, link: Link): Promise<void> {
  if (familyOf(address) === 'inet' || !wanted(node, link)) return
  if (node.settings.sendsPackets && (await advertiser(node))) return
  const sysctl = `/proc/sys/net/ipv6/conf/${link.name}/ndisc_notify`
  const isSet = (await node.read(sysctl))?.trim() === '1' || (await tryWrite(node, sysctl, '1\n'))
  if (isSet) silent.delete(link)
  else silent.add(link)
}

/** Third word of the background program: watch the duplicate check, then announce; or watch it and say nothing. */
export const WATCH = 'watch'
export const SILENT = 'silent'
/** Or: another host has it too, and clients are told again and again that it is here. */
export const SEIZED = 'seized'
/** Or: the address is on lo, as an LVS leader has it, and reached by that interface. */
export const ON_LO = 'on-lo'
/** Or: these addresses, with commas between them, are where they were. */
export const AGAIN = 'again'

/**
 * Tell the network where an address is now, in the background: the event does not wait for it. The same program
 * watches the duplicate check of an optimistic address, also where nothing is to be announced. A missing program is
 * one WARNING with the package to install; it never fails the event.
 */
export async function announce(
  node: Node,
  address: string,
  link: Link,
  { seized = false } = {},
): Promise<void> {
  const can = await canAnnounce(node, address, link)
  if (seized && can)
    return await inBackground(node, [address, link.name, SEIZED], `${address} is not announced`)
  const { watched } = dadPolicy(node, address)
  if (!can && !watched) return
  const nor = watched ? ', nor its duplicate check watched' : ''
  const how = watched ? [can ? WATCH : SILENT] : []
  await inBackground(node, [address, link.name, ...how], `${address} is not announced${nor}`)
}

async function canAnnounce(node: Node, address: string, link: Link): Promise<boolean> {
  if (!wanted(node, link)) {
    node.because(`${address} is not announced: EVENTSCRIPT_ANNOUNCE is no, or ${link.name} is a loopback`)
    return false
  }
  const { missing, remedy } = await whatIsMissing(node, address)
  if (missing) node.say(`WARNING: ${missing}: ${consequence(address, link)}: ${remedy}`)
  return missing === undefined
}

/** The same for an IPv4 address that is on lo and reached by this interface: there is no duplicate check to watch. */
export async function announceFromLo(node: Node, address: string, link: Link): Promise<void> {
  if (await canAnnounce(node, address, link))
    await inBackground(node, [address, link.name, ON_LO], `${address} is not announced`)
}

/**
 * Tell the network once of addresses that were put back where they were: what other hosts know of them still holds, so
 * it fails nothing, and a missing program is no WARNING.
 */
export async function announceAgain(node: Node, addresses: readonly string[], link: Link): Promise<void> {
  if (!wanted(node, link) || !(await node.find('arping')))
    return node.because(`${addresses.join(', ')}: not announced again`)
  await inBackground(
    node,
    [addresses.join(','), link.name, AGAIN],
    `${addresses.join(', ')}: not announced again`,
  )
}

/** The only word of the background program: try what is parked again and again, until nothing is. */
export const PARKED = 'parked'

/** Somebody tries what is parked on this node, from now on if not already. */
export async function watchParked(node: Node): Promise<void> {
  await inBackground(node, [PARKED], 'what is parked is not tried again until the next event')
}

async function inBackground(node: Node, words: readonly string[], instead: string): Promise<void> {
  try {
    await node.change({ background: true })`${node.settings.announcer} ${words}`
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error
    node.say(`WARNING: ${instead}: ${error.message}`)
  }
}

function wanted(node: Node, link: Link): boolean {
  return link.type !== 'loopback' && link.name !== 'lo' && announces(node)
}

async function advertiser(door: Door): Promise<string | undefined> {
  for (const program of ADVERTISERS) if (await door.find(program)) return program
  return undefined
}

/** Said during the event: of what goes wrong in the background nobody may hear. */
async function whatIsMissing(node: Node, address: string): Promise<{ missing?: string; remedy?: string }> {
  if (!node.settings.sendsPackets)
    return { missing: 'no privilege to send packets (CAP_NET_RAW)', remedy: toBeAllowed('CAP_NET_RAW') }
  if (familyOf(address) === 'inet')
    return (await node.find('arping')) ? {} : { missing: 'arping not found', remedy: packageOf('arping') }
  if (await advertiser(node)) return {}
  return { missing: 'neither ndsend nor ndptool found', remedy: packageOf('ndptool') }
}

function consequence(address: string, link: Link): string {
  return familyOf(address) === 'inet6' && !silent.has(link)
    ? `${address} is announced once, by the kernel (ndisc_notify of ${link.name})`
    : `${address} is not announced, clients may send to its old place for minutes`
}

/** The programs that make one round, for the announcer; asked once. Throws a Refusal when they are not to be trusted. */
export async function roundOf(door: Door, address: string, iface: string): Promise<string[][]> {
  if (familyOf(address) === 'inet6') {
    const program = await advertiser(door)
    if (program === 'ndsend') return [['ndsend', address, iface]]
    return program ? [['ndptool', '-t', 'na', '-U', '-i', iface, '-T', address, 'send']] : []
  }
  const { out, err } = await door.ask`arping -V`
  return arpingRound(out + err, address, iface)
}
