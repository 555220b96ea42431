/**
 * The packets of an announcement as they are on an Ethernet: the same bytes that arping and ndsend send, for a daemon that
 * has hundreds of addresses to announce and no processor to spare for as many programs.
 */
import { familyOf, hexDigits } from '../../inet/address.ts'

const EVERYBODY = 'ffffffffffff'
/** ff02::1, all nodes of the link; and what its packets are addressed to on an Ethernet (RFC 2464). */
const ALL_NODES = 'ff020000000000000000000000000001'
const ALL_NODES_MAC = '333300000001'

/**
 * Frames, in hexadecimal, that say where `address` is from now on; `mac` as `ip` prints it. Of IPv4 the two forms, request
 * and reply, of a gratuitous ARP (RFC 5227, section 3; some networks take only one of them); of IPv6 an unsolicited
 * neighbour advertisement to all nodes that overrides what they know (RFC 4861, section 7.2.6).
 */
export function announcementFrames(address: string, mac: string): string[] {
  const own = mac.replaceAll(':', '')
  return familyOf(address) === 'inet'
    ? [arp('0001', own, address, EVERYBODY), arp('0002', own, address, own)]
    : [advertisement(own, hexDigits(address))]
}

/** Ethernet (1), IPv4 (0800), their lengths; sender and target: both with the same address. */
function arp(operation: string, own: string, address: string, target: string): string {
  const ip = address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('')
  return `${EVERYBODY}${own}0806000108000604${operation}${own}${ip}${target}${ip}`
}

/** Type 136, Override, about the address; option 2 is our hardware address. From the address itself, hop limit 255. */
function advertisement(own: string, address: string): string {
  const head = '88000000'
  const body = `20000000${address}0201${own}`
  const checksum = internetChecksum(`${address}${ALL_NODES}000000200000003a${head}${body}`)
  const header = `6000000000203aff${address}${ALL_NODES}`
  return `${ALL_NODES_MAC}${own}86dd${header}8800${checksum}${body}`
}

/** RFC 1071, over the pseudo header (RFC 8200, section 8.1) and the packet. */
function internetChecksum(hex: string): string {
  let sum = 0
  for (let i = 0; i < hex.length; i += 4) sum += parseInt(hex.slice(i, i + 4), 16)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return (~sum & 0xffff).toString(16).padStart(4, '0')
}
