/**
 * An IPv4 host answers ARP for all its addresses, whatever interface they are on; with arp_ignore 3 not for those of
 * scope `host`. Parked addresses need that, and so does an LVS address. The rule for both: whoever sets arp_ignore
 * remembers what it was. Whoever goes while the other still needs it leaves it so, and the other remembers instead. The
 * last puts it back, unless somebody else has changed it.
 */
import type { Node } from '../../node/node.ts'
import { familyOf } from '../../inet/address.ts'
import { interfaces } from '../address/interfaces.ts'
import { lvsRecord, note, writeOriginal } from '../sysctl/kept.ts'
import type { Kept } from '../sysctl/record.ts'
import { readNumber, tryWrite } from '../sysctl/sysctl.ts'
import { isParkingPlace, PARKING_PLACE, parkedHere, withParked, type Parked } from './parked.ts'

export const ARP_IGNORE = '/proc/sys/net/ipv4/conf/all/arp_ignore'
export const ARP_SILENT = 3

/** What arp_ignore was before anything was parked; undefined where another value keeps silent too. */
export async function arpIgnoreBefore(node: Node, others: readonly Parked[]): Promise<number | undefined> {
  const before = others.find((each) => each.arpIgnore !== undefined)?.arpIgnore
  return before ?? ((await readNumber(node, ARP_IGNORE)) === 0 ? 0 : undefined)
}

/** From now on this node does not answer ARP for a parked address; a kernel that does not allow that is a WARNING. */
export async function silenceParked(node: Node, address: string): Promise<void> {
  if (!(await tryWrite(node, ARP_IGNORE, `${ARP_SILENT}\n`)))
    node.say(`WARNING: cannot set ${ARP_IGNORE}: this node answers ARP for ${address}, which is parked`)
}

/**
 * Somebody has put arp_ignore back to 0 beside parked addresses, as "sysctl --system" does: it is set again, with one WARNING.
 * The value that the others' last one puts back is then 0. Without parked IPv4 addresses this is no look.
 */
export async function silenceAgain(node: Node, parked: readonly Parked[]): Promise<void> {
  const loud = parked.filter(isIpv4)
  if (loud.length === 0 || (await readNumber(node, ARP_IGNORE)) !== 0) return
  const isStill = await withParked(node, async (list) => {
    const [first] = list.filter(isIpv4)
    if (!first || (await readNumber(node, ARP_IGNORE)) !== 0) return false
    if (!list.some(({ arpIgnore }) => arpIgnore !== undefined)) first.arpIgnore = 0
    return await tryWrite(node, ARP_IGNORE, `${ARP_SILENT}\n`)
  })
  if (!isStill) return
  const names = loud.map(({ address }) => address).join(', ')
  node.say(
    `WARNING: somebody has set ${ARP_IGNORE} to 0 ("sysctl --system"?), and this node answered ARP for ${names}, which another host has: it is ${ARP_SILENT} again; set it so in /etc/sysctl.d for as long as addresses may be parked`,
  )
}

/** The last parked address has gone: arp_ignore is put back, or left to LVS, which remembers from now on. */
export async function putBackBesideLvs(node: Node, arpIgnore: number): Promise<void> {
  if ((await readNumber(node, ARP_IGNORE)) !== ARP_SILENT) return
  const kept = { path: ARP_IGNORE, original: arpIgnore, value: ARP_SILENT }
  if (await isNeededByLvs(node)) await note(node, lvsRecord(node), kept)
  else await writeOriginal(node, kept)
}

/** An address of scope `host` on lo that is not parked there: so a node has the LVS address that does not lead. */
async function isNeededByLvs(node: Node): Promise<boolean> {
  const here = (await interfaces(node)).flatMap(({ addresses }) => addresses)
  const hidden = here.filter((held) => held.iface === PARKING_PLACE && held.scope === 'host' && isIpv4(held))
  return hidden.some((held) => !held.address.startsWith('127.') && !isParkingPlace(held))
}

/** LVS goes, and its sysctls are put back; arp_ignore is left to parked addresses that need it. Says whether that went well. */
export async function putBackBesideParked(node: Node, kept: Kept): Promise<boolean> {
  const isLeft = kept.path === ARP_IGNORE && (await takeOver(node, kept.original))
  return isLeft || (await writeOriginal(node, kept))
}

/** Parked addresses remember from now on what arp_ignore was; false when none of them needs it. */
async function takeOver(node: Node, arpIgnore: number): Promise<boolean> {
  if (!(await parkedHere(node)).some(isIpv4)) return false
  return await withParked(node, (parked) => {
    const needing = parked.filter(isIpv4)
    for (const each of needing) each.arpIgnore ??= arpIgnore
    return Promise.resolve(needing.length > 0)
  })
}

function isIpv4({ address }: { address: string }): boolean {
  return familyOf(address) === 'inet'
}
