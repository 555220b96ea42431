import type { Node } from '../../node/node.ts'
import type { Door } from '../../machine/machine.ts'
import { packageOf, toBeAllowed } from '../../machine/remedy/remedy.ts'
import { familyOf } from '../../inet/address.ts'
import { arpingRound } from '../arping.ts'
import { dadPolicy } from '../dad/policy.ts'
import { announcesOn, inBackground } from '../background.ts'
import type { Link } from '../ip-json.ts'
import { tryWrite } from '../sysctl/sysctl.ts'

/** Programs that send an unsolicited neighbour advertisement, the first that is there is used. */
const ADVERTISERS = ['ndsend', 'ndptool'] as const

/** Links on which the kernel could not be set to announce: the event that added the address says so. */
const silent = new WeakSet<Link>()

/**
 * Before an IPv6 address is added: where no program can announce it, let the kernel do so when the duplicate check
 * ends. It does it once, and only for an address that is added after this was set; said in one WARNING.
 */
export async function prepareAnnouncement(node: Node, address: string, link: Link): Promise<void> {
  if (familyOf(address) === 'inet' || !announcesOn(node, link)) return
  if (node.settings.sendsPackets && (await advertiser(node))) return
  const sysctl = `/proc/sys/net/ipv6/conf/${link.name}/ndisc_notify`
  const isSet = (await node.read(sysctl))?.trim() === '1' || (await tryWrite(node, sysctl, '1\n'))
  if (isSet) silent.delete(link)
  else silent.add(link)
}

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
  const at = { address, iface: link.name }
  if (seized && can) return await inBackground(node, { ...at, mode: 'seized' }, `${address} is not announced`)
  const { watched } = dadPolicy(node, address)
  if (!can && !watched) return
  const nor = watched ? ', nor its duplicate check watched' : ''
  const mode = !watched ? 'usual' : can ? 'watch' : 'silent'
  await inBackground(node, { ...at, mode }, `${address} is not announced${nor}`)
}

async function canAnnounce(node: Node, address: string, link: Link): Promise<boolean> {
  if (!announcesOn(node, link)) {
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
    await inBackground(node, { mode: 'on-lo', address, iface: link.name }, `${address} is not announced`)
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
