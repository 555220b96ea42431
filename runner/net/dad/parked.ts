/**
 * The list of addresses that this node hosts but keeps off the wire, because another host has them. `KEEPDIR/parked` says
 * where each belongs, so that it can be tried again: a line each, with the address, its prefix length, its interface,
 * the kept arp_ignore or `-`, and the host that has it. A line `watch ADDRESS BITS INTERFACE` is of an address on the wire
 * that another host may have all the same: it has left parking, or was taken while nobody could be asked.
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

/** An address on the wire for which the wire is asked once more. */
export type Watched = Pick<Parked, 'address' | 'bits' | 'iface'>

/** The whole file. */
export interface Tried {
  parked: Parked[]
  watched: Watched[]
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
  return (await triedHere(node)).parked
}

/** All addresses that the retry loop is to look after. */
export async function triedHere(node: Node): Promise<Tried> {
  return parseTried((await node.read(parkedFile(node.settings.keepdir))) ?? '')
}

/** Is there anything for the retry loop to do? */
export async function hasToTry(node: Node): Promise<boolean> {
  const { parked, watched } = await triedHere(node)
  return parked.length + watched.length > 0
}

function parseTried(text: string): Tried {
  return { parked: parseParked(text), watched: parseWatched(text) }
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

/** The same of the lines of watched addresses. */
export function parseWatched(text: string): Watched[] {
  return text.split('\n').flatMap((line) => {
    const [, written = '', bits, iface = ''] = /^watch (\S+) (\d+) (\S+)$/.exec(line) ?? []
    const address = canonical(written)
    return address ? [{ address, bits: Number(bits), iface }] : []
  })
}

function textOf({ parked, watched }: Tried): string {
  const lines = [
    ...parked.map(
      (each) => `${each.address} ${each.bits} ${each.iface} ${each.arpIgnore ?? '-'} ${each.rival}`,
    ),
    ...watched.map((each) => `watch ${each.address} ${each.bits} ${each.iface}`),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** Run `work` with the lists, which it may change, while nobody else can; they are kept as `work` leaves them. */
export async function withParked<T>(
  node: Node,
  work: (parked: Parked[], watched: Watched[]) => Promise<T>,
): Promise<T> {
  const file = parkedFile(node.settings.keepdir)
  const lock = `${file}.lock`
  return await node.hold(lock, LOCK_SECONDS, async () => {
    const before = (await node.read(file)) ?? ''
    const tried = parseTried(before)
    const result = await work(tried.parked, tried.watched)
    const after = textOf(tried)
    if (after !== before) await node.write(file, after, { until: lock })
    return result
  })
}

/** Is the address where we park, rather than where somebody has put it by mistake? */
export function isParkingPlace({ iface, bits, address, deprecated }: Held): boolean {
  return iface === PARKING_PLACE && bits === hostBits(address) && deprecated === true
}
