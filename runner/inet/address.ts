import { isIPv4, SocketAddress } from 'node:net'
import { remembering } from '../base/memoize.ts'

/** `inet` or `inet6`, the words of `ip -json`. */
export type Family = 'inet' | 'inet6'

export const FAMILIES: readonly Family[] = ['inet', 'inet6']

/**
 * The one spelling in which addresses are compared: what `inet_ntop` prints, which is also what ctdbd
 * passes (lower case, zeros compressed, no brackets). An IPv4-mapped IPv6 address becomes IPv4.
 * Returns undefined for anything that is no address; a zone (`fe80::1%eth0`) is none of ours either.
 */
export const canonical: (text: string) => string | undefined = remembering((text) => {
  const bare = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text
  if (isIPv4(bare)) return bare
  const address = /^[\da-f:.]+$/i.test(bare) ? printed(bare) : undefined
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address ?? '')?.[1] ?? address
})

/** By inet_pton and inet_ntop: isIPv6() of node 20 first compiles a pattern, which takes as long as running `ip`. */
function printed(text: string): string | undefined {
  try {
    return new SocketAddress({ address: text, family: 'ipv6' }).address
  } catch {
    return undefined
  }
}

/** The family of a canonical address. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 'inet6' : 'inet'
}

/** Bits of a host prefix in that family: 32 or 128. */
export function hostBits(address: string): number {
  return familyOf(address) === 'inet6' ? 128 : 32
}

/** A canonical IPv6 address as `/proc/net/if_inet6` writes it: 32 hexadecimal digits. */
export const hexDigits: (address: string) => string = remembering((address) => {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const plain = dotted ? `${dotted[1]}${group(dotted[2], dotted[3])}:${group(dotted[4], dotted[5])}` : address
  const [head = '', tail] = plain.split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].map((word) => word.padStart(4, '0')).join('')
})

function group(high = '0', low = '0'): string {
  return (Number(high) * 256 + Number(low)).toString(16)
}
