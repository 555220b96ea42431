import { canonical, familyOf, hexDigits, hostBits, type Family } from './address.ts'

/** A network by its address and the length of its prefix. Two that are the same have the same text. */
export interface Network {
  family: Family
  /** The address without the bits behind the prefix. */
  value: bigint
  bits: number
}

/** The network that an address with that prefix is in. */
export function networkOf(address: string, bits: number): Network {
  const behind = BigInt(hostBits(address) - bits)
  return { family: familyOf(address), value: (numberOf(address) >> behind) << behind, bits }
}

/**
 * `10.5.0.0/16`, `10.5/16`, `10.5.0.0/255.255.0.0`, `fd05::/64`, an address for that host alone, `default` (of which the family must be given):
 * what `ip route` takes, and what it prints. A sentence instead when it is none.
 */
export function parseNetwork(text: string, family: Family): Network | string {
  if (text === 'default') return { family, value: 0n, bits: 0 }
  const [, name = '', mask] = /^([^/]*)(?:\/([\d.]+))?$/.exec(text) ?? []
  // `ip` fills up what is left out of an IPv4 address only where a mask follows
  const padded = mask !== undefined && /^\d+(\.\d+){0,2}$/.test(name) ? padWithZeros(name) : name
  const address = canonical(padded)
  if (!address) return `"${text}" is no network: expected one such as ${EXAMPLES[family]}`
  const bits = mask === undefined ? hostBits(address) : bitsOf(mask, familyOf(address))
  if (bits === undefined) return `"${mask}" is no netmask: expected 0 to ${hostBits(address)}`
  const network = networkOf(address, bits)
  // the kernel refuses this for IPv4; for IPv6 it leaves those bits out
  if (network.family === 'inet' && network.value !== numberOf(address))
    return `${text} has bits behind its netmask: expected ${networkText(network)}`
  return network
}

/** How long a prefix is, written as its length or, for IPv4, as `255.255.0.0`; undefined when it is neither. */
export function bitsOf(mask: string, family: Family): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask) <= LENGTHS[family] ? Number(mask) : undefined
  if (family !== 'inet' || canonical(mask) === undefined) return undefined
  return /^(1*)0*$/.exec(numberOf(mask).toString(2).padStart(32, '0'))?.[1]?.length
}

const LENGTHS: Record<Family, number> = { inet: 32, inet6: 128 }
const EXAMPLES: Record<Family, string> = { inet: '192.0.2.0/24', inet6: '2001:db8::/64' }

export function padWithZeros(name: string): string {
  return [...name.split('.'), '0', '0', '0'].slice(0, 4).join('.')
}

/** As one types it behind `ip route add`: always with the prefix, `0.0.0.0/0` rather than `default`. */
export function networkText({ family, value, bits }: Network): string {
  return `${addressText(family, value)}/${bits}`
}

export function contains({ family, value, bits }: Network, address: string): boolean {
  if (familyOf(address) !== family) return false
  return networkOf(address, bits).value === value
}

/** Another host of the address's subnet, for a question about it; none of `taken`. Undefined where there is room for none. */
export function neighbourOf(address: string, bits: number, taken: readonly string[]): string | undefined {
  const { family, value } = networkOf(address, bits)
  // the last one of a subnet is its broadcast address
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
