import { isIPv4, SocketAddress } from 'node:net'
import { memoize } from '../base/memoize.ts'

/** `inet` or `inet6`, the words of `ip -json`. */
export type Family = 'inet' | 'inet6'

export const FAMILIES: readonly Family[] = ['inet', 'inet6']

/**
 * The one spelling in which addresses are compared: that of `inet_ntop`, which ctdbd uses as well (lower case, zeros
 * compressed, no brackets). An IPv4-mapped IPv6 address becomes IPv4. Undefined for any other text, also for an address with
 * a zone (`fe80::1%eth0`).
 */
export const canonical: (text: string) => string | undefined = memoize((text) => {
  if (isIPv4(text)) return text
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const address = /^[\da-f:.]+$/i.test(bare) ? printed(bare) : undefined
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address ?? '')?.[1] ?? address
})

/** By inet_pton and inet_ntop. isIPv6() of node 20 first compiles a pattern, which takes as long as a run of `ip`. */
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

/** The length of a host prefix in the family of an address: 32 or 128 bits. */
export function hostBits(address: string): number {
  return familyOf(address) === 'inet6' ? 128 : 32
}

/** A canonical IPv6 address in the form of `/proc/net/if_inet6`: 32 hexadecimal digits. */
export const hexDigits: (address: string) => string = memoize((address) => {
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
