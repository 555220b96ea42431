/**
 * Addresses that this node hosts but keeps off the wire, because another host has them. A parked address is on `lo`, with
 * a host prefix and never preferred: it can be bound, and says nothing. `KEEPDIR/parked` has where it belongs, so that it
 * can be tried again; it is written before the address is put there, and taken back before anything else is done to it.
 */
import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { canonical, familyOf, hostBits } from '../../inet/address.ts'
import type { Held } from '../ip-json.ts'
import { interfaces, whereIs, why } from '../address/interfaces.ts'
import { rememberSysctl } from '../sysctl/lvs-memory.ts'
import type { Wanted } from '../address/add-delete.ts'
import { readNumber, tryWrite } from '../sysctl/sysctl.ts'

/** A line of that file. */
export interface Parked {
  address: string
  /** Where it belongs. */
  bits: number
  iface: string
  /** What arp_ignore was before we made this node keep silent; undefined where we did not. */
  arpIgnore?: number
  /** Who has it, in words. */
  rival: string
}

/** Seconds to wait for others that write the file. */
const LOCK_SECONDS = 10
const PLACE = 'lo'

/**
 * An IPv4 host answers ARP for all its addresses, whatever interface they are on; with arp_ignore 3 not for those of
 * scope `host`. What is parked needs that, and so does an LVS address. The rule for both: who sets it remembers what it
 * was. Who goes while the other still needs it leaves it so, and the other remembers instead. The last puts it back,
 * unless somebody else has changed it.
 */
export const ARP_IGNORE = '/proc/sys/net/ipv4/conf/all/arp_ignore'
export const SILENT = 3

export function parkedFile(keepdir: string): string {
  return `${keepdir}/parked`
}

/** What is parked here. No such file: nothing is. */
export async function parkedHere(node: Node): Promise<Parked[]> {
  return parseParked((await node.read(parkedFile(node.settings.keepdir))) ?? '')
}

/** A line each: address, prefix length, interface, arp_ignore or `-`, and who has it. A line that is none is passed over. */
export function parseParked(text: string): Parked[] {
  return text.split('\n').flatMap((line) => {
    const [, written = '', bits, iface = '', arp, rival = ''] =
      /^(\S+) (\d+) (\S+) (\d+|-) (.*)$/.exec(line) ?? []
    const address = canonical(written)
    if (!address) return []
    return [{ address, bits: Number(bits), iface, ...(arp === '-' ? {} : { arpIgnore: Number(arp) }), rival }]
  })
}

function textOf(parked: readonly Parked[]): string {
  return parked
    .map((each) => `${each.address} ${each.bits} ${each.iface} ${each.arpIgnore ?? '-'} ${each.rival}\n`)
    .join('')
}

/** Run `work` with what is parked, which it may change, while nobody else can: what it leaves in the list is kept. */
export async function withParked<T>(node: Node, work: (parked: Parked[]) => Promise<T>): Promise<T> {
  const file = parkedFile(node.settings.keepdir)
  return await node.hold(`${file}.lock`, LOCK_SECONDS, async () => {
    const before = (await node.read(file)) ?? ''
    const parked = parseParked(before)
    const result = await work(parked)
    const after = textOf(parked)
    if (after !== before) await node.write(file, after)
    return result
  })
}

/** Is this a place where we park, rather than one that somebody has put it at by mistake? */
export function isParkingPlace({ iface, bits, address, deprecated }: Held): boolean {
  return iface === PLACE && bits === hostBits(address) && deprecated === true
}

/** Keep an address here, off the wire; `rival` is who has it. It may be there already. */
export async function park(node: Node, wanted: Wanted, rival: string): Promise<void> {
  const { address, bits, iface } = wanted
  const arpIgnore = await withParked(node, async (parked) => {
    const others = parked.filter((each) => each.address !== address)
    const before = isIpv4(wanted) ? await arpIgnoreBefore(node, others) : undefined
    parked.splice(0, Infinity, ...others, { address, bits, iface, arpIgnore: before, rival })
    return before
  })
  if (arpIgnore !== undefined && !(await tryWrite(node, ARP_IGNORE, `${SILENT}\n`)))
    node.say(`WARNING: cannot set ${ARP_IGNORE}: this node answers ARP for ${address}, which is parked`)
  const scope = isIpv4(wanted) ? ['scope', 'host'] : []
  const added =
    await node.change`ip addr add ${address}/${hostBits(address)} dev ${PLACE} ${scope} preferred_lft 0`
  if (added.status === 0 || (await whereIs(node, address)).some(isParkingPlace)) return
  refuse(`Failed to park ${address} on ${PLACE}: ${why(added)}`)
}

/** What arp_ignore was before us; undefined where another value keeps silent too. */
async function arpIgnoreBefore(node: Node, others: readonly Parked[]): Promise<number | undefined> {
  const before = others.find((each) => each.arpIgnore !== undefined)?.arpIgnore
  return before ?? ((await readNumber(node, ARP_IGNORE)) === 0 ? 0 : undefined)
}

/**
 * From now on nobody tries to put these addresses (all, if none are named) on their interfaces: what is on the node of
 * them can be dealt with. Where nothing is parked this is one look.
 */
export async function forgetParked(node: Node, addresses?: readonly string[]): Promise<void> {
  const isMeant = ({ address }: Parked) => addresses === undefined || addresses.includes(address)
  if (!(await parkedHere(node)).some(isMeant)) return
  await withParked(node, async (parked) => {
    for (const each of parked.filter(isMeant)) await unlist(node, parked, each)
  })
}

/** Take one from the list; the last one gives arp_ignore back, or leaves it to LVS. */
export async function unlist(node: Node, parked: Parked[], gone: Parked): Promise<void> {
  parked.splice(parked.indexOf(gone), 1)
  const { arpIgnore } = gone
  if (arpIgnore === undefined || parked.some((each) => each.arpIgnore !== undefined)) return
  if ((await readNumber(node, ARP_IGNORE)) !== SILENT) return
  if (await isNeededByLvs(node)) await rememberSysctl(node, ARP_IGNORE, String(arpIgnore), String(SILENT))
  else await tryWrite(node, ARP_IGNORE, `${arpIgnore}\n`)
}

/** An address of scope `host` on lo that is not parked there: so a node has the LVS address that does not lead. */
async function isNeededByLvs(node: Node): Promise<boolean> {
  const here = (await interfaces(node)).flatMap(({ addresses }) => addresses)
  const hidden = here.filter((held) => held.iface === PLACE && held.scope === 'host' && isIpv4(held))
  return hidden.some((held) => !held.address.startsWith('127.') && !isParkingPlace(held))
}

/** LVS goes, and puts a sysctl back to what it was; or leaves it to what is parked. */
export async function restoreBesideParked(node: Node, path: string, before: string): Promise<void> {
  const isLeft = path === ARP_IGNORE && (await takeOver(node, Number(before)))
  if (!isLeft) await tryWrite(node, path, `${before}\n`)
}

/** What is parked remembers from now on what arp_ignore was; false when nothing is that needs it. */
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
