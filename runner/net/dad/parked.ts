/**
 * The list of addresses that this node hosts but keeps off the wire, because another host has them. `KEEPDIR/parked` says
 * where each belongs, so that it can be tried again: a line each, with the address, its prefix length, its interface,
 * the kept arp_ignore or `-`, and the host that has it.
 */
import type { Node } from '../../node/node.ts'
import { canonical, hostBits } from '../../inet/address.ts'
import type { Held } from '../ip-json.ts'

/** A line of that file. */
export interface Parked {
  address: string
  /** Where it belongs. */
  bits: number
  iface: string
  /** What arp_ignore was before this node was kept silent; undefined where nothing was changed for this address. */
  arpIgnore?: number
  /** The host that has it, in words. */
  rival: string
}

/** Seconds to wait for others that write the file. */
const LOCK_SECONDS = 10

/** The interface that parked addresses are on. */
export const PARKING_PLACE = 'lo'

export function parkedFile(keepdir: string): string {
  return `${keepdir}/parked`
}

/** The addresses that are parked here. No such file: none. */
export async function parkedHere(node: Node): Promise<Parked[]> {
  return parseParked((await node.read(parkedFile(node.settings.keepdir))) ?? '')
}

/** A line that is none of ours is passed over. */
export function parseParked(text: string): Parked[] {
  return text.split('\n').flatMap((line) => {
    const [, written = '', bits, iface = '', arp, rival = ''] =
      /^(\S+) (\d+) (\S+) (\d+|-) (.*)$/.exec(line) ?? []
    const address = canonical(written)
    if (!address) return []
    return [{ address, bits: Number(bits), iface, ...(arp === '-' ? {} : { arpIgnore: Number(arp) }), rival }]
  })
}

function parkedText(parked: readonly Parked[]): string {
  return parked
    .map((each) => `${each.address} ${each.bits} ${each.iface} ${each.arpIgnore ?? '-'} ${each.rival}\n`)
    .join('')
}

/** Run `work` with the list, which it may change, while nobody else can; the list is kept as `work` leaves it. */
export async function withParked<T>(node: Node, work: (parked: Parked[]) => Promise<T>): Promise<T> {
  const file = parkedFile(node.settings.keepdir)
  const lock = `${file}.lock`
  return await node.hold(lock, LOCK_SECONDS, async () => {
    const before = (await node.read(file)) ?? ''
    const parked = parseParked(before)
    const result = await work(parked)
    const after = parkedText(parked)
    if (after !== before) await node.write(file, after, { until: lock })
    return result
  })
}

/** Is the address where we park, rather than where somebody has put it by mistake? */
export function isParkingPlace({ iface, bits, address, deprecated }: Held): boolean {
  return iface === PARKING_PLACE && bits === hostBits(address) && deprecated === true
}
