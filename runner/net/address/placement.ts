/** An address with its prefix on an interface, and the words by which `ip` adds and deletes it. Pure. */
import { isNamed, type Held } from '../ip-json.ts'

/** Where an address is, or is to be. */
export interface Placement {
  address: string
  bits: number
  iface: string
  /** The far end of an address that has one. */
  peer?: string
}

/** The words after `ip` that add an address; `subnetBroadcast`: the broadcast address is the subnet's own. */
export function additionLine(
  placement: Placement,
  words: readonly string[] = [],
  { subnetBroadcast = false } = {},
): string[] {
  const broadcast = subnetBroadcast ? ['brd', '+'] : []
  return ['addr', 'add', ...subject(placement), ...broadcast, 'dev', placement.iface, ...words]
}

/** The words after `ip` that delete an address. One that has a far end cannot be deleted without naming that. */
export function deletionLine(placement: Placement): string[] {
  return ['addr', 'del', ...subject(placement), 'dev', placement.iface]
}

/**
 * The words after `ip` by which an address that is there stays for ever, as a source of the node's own connections or not; its
 * duplicate check is not made again.
 */
export function permanenceLine(placement: Placement, { isSource }: { isSource: boolean }): string[] {
  const forEver = ['valid_lft', 'forever', 'preferred_lft', isSource ? 'forever' : '0']
  return ['addr', 'change', ...subject(placement), 'dev', placement.iface, ...forEver]
}

function subject({ address, bits, peer }: Placement): string[] {
  return peer === undefined ? [`${address}/${bits}`] : [address, 'peer', `${peer}/${bits}`]
}

/** Is the address there and as wanted? One that lost its duplicate check is not. */
export function isRight(held: Held, wanted: Placement): boolean {
  return isNamed(held, wanted.iface) && held.bits === wanted.bits && held.state !== 'duplicate'
}

/** Where an address is, for messages: `eth1/25 and eth2/24`. */
export function where(places: readonly Placement[]): string {
  return places.map(({ iface, bits }) => `${iface}/${bits}`).join(' and ')
}
