import { canonical, familyOf, hexDigits, hostBits, type Family } from './address.ts'

/** A network, by its address and the length of its prefix. The same network has the same text. */
export interface Network {
  family: Family
  /** The address without the bits after the prefix. */
  value: bigint
  bits: number
}

/** The network of an address with that prefix. */
export function networkOf(address: string, bits: number): Network {
  const behind = BigInt(hostBits(address) - bits)
  return { family: familyOf(address), value: (numberOf(address) >> behind) << behind, bits }
}

/**
 * Reads `10.5.0.0/16`, `10.5/16`, `10.5.0.0/255.255.0.0`, `fd05::/64`, an address (that host alone), or `default` (of the given
 * family): all that `ip route` takes and prints. A sentence when the text is no network.
 */
export function parseNetwork(text: string, family: Family): Network | string {
  if (text === 'default') return { family, value: 0n, bits: 0 }
  const [, name = '', mask] = /^([^/]*)(?:\/([\d.]+))?$/.exec(text) ?? []
  // `ip` fills up a short IPv4 address only before a mask
  const padded = mask !== undefined && /^\d+(\.\d+){0,2}$/.test(name) ? padWithZeros(name) : name
  const address = canonical(padded)
  if (!address) return `"${text}" is no network: expected one such as ${EXAMPLES[family]}`
  const bits = mask === undefined ? hostBits(address) : bitsOf(mask, familyOf(address))
  if (bits === undefined) return `"${mask}" is no netmask: expected 0 to ${hostBits(address)}${octal(mask)}`
  const network = networkOf(address, bits)
  // the kernel refuses such bits for IPv4, and ignores them for IPv6
  if (network.family === 'inet' && network.value !== numberOf(address))
    return `${text} has bits behind its netmask: expected ${networkText(network)}`
  return network
}

/**
 * The length of a prefix that is written as a number or, for IPv4, as `255.255.0.0`; undefined for other text. A number with
 * a leading 0 is none: `ip` reads 024 as 20.
 */
export function bitsOf(mask: string, family: Family): number | undefined {
  if (/^(?:0|[1-9]\d{0,2})$/.test(mask)) return Number(mask) <= LENGTHS[family] ? Number(mask) : undefined
  if (family !== 'inet' || canonical(mask) === undefined) return undefined
  return /^(1*)0*$/.exec(numberOf(mask).toString(2).padStart(32, '0'))?.[1]?.length
}

function octal(mask = ''): string {
  return /^0\d+$/.test(mask) ? ' without a leading 0, as ip would read octal' : ''
}

const LENGTHS: Record<Family, number> = { inet: 32, inet6: 128 }
const EXAMPLES: Record<Family, string> = { inet: '192.0.2.0/24', inet6: '2001:db8::/64' }

export function padWithZeros(name: string): string {
  return [...name.split('.'), '0', '0', '0'].slice(0, 4).join('.')
}

/** The text for `ip route add`: always with the prefix, `0.0.0.0/0` rather than `default`. */
export function networkText({ family, value, bits }: Network): string {
  return `${addressText(family, value)}/${bits}`
}

export function contains({ family, value, bits }: Network, address: string): boolean {
  if (familyOf(address) !== family) return false
  return networkOf(address, bits).value === value
}

/** More bits leave a network so few addresses that a host may have the one in the middle. */
const FEW = 112

/** The address in the middle of an IPv6 network, which stands for all of the network; undefined where a host may have it. */
export function middleOf({ family, value, bits }: Network): string | undefined {
  if (family === 'inet' || bits > FEW) return undefined
  return addressText(family, value + (1n << BigInt(LENGTHS[family] - bits - 1)))
}

/** The address of another host in the subnet, none of `taken`; undefined where the subnet has no room. */
export function neighbourOf(address: string, bits: number, taken: readonly string[]): string | undefined {
  const { family, value } = networkOf(address, bits)
  // the last address of a subnet is its broadcast address
  const last = value + (1n << BigInt(hostBits(address) - bits)) - 2n
  for (let each = last; each > value; each -= 1n) {
    const neighbour = addressText(family, each)
    if (neighbour !== address && !taken.includes(neighbour)) return neighbour
  }
  return undefined
}

export function numberOf(address: string): bigint {
  if (familyOf(address) === 'inet6') return BigInt(`0x${hexDigits(address)}`)
  return address.split('.').reduce((number, octet) => number * 256n + BigInt(octet), 0n)
}

export function addressText(family: Family, value: bigint): string {
  if (family === 'inet') return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = value.toString(16).padStart(32, '0').match(/..../g) ?? []
  return canonical(groups.join(':')) ?? ''
}
