import { hostname } from 'node:os'
import { canonical, hexDigits } from '../net/address.ts'

/** Addresses that tell nothing about a site, and that decisions are made on. */
const PUBLIC_KNOWLEDGE = /^(?:127\.|0\.0\.0\.0$|255\.|::1?$|ff)/

/**
 * In one pass, so that nothing is hidden twice: an address as 32 digits (/proc/net/if_inet6); a MAC (6, InfiniBand 20
 * bytes), which is no IPv6 address though it looks a bit like one; IPv6; IPv4. The names of our
 * tables (`ctdb.10.0.0.1`) hold addresses too.
 */
const PRIVATE = new RegExp(
  [
    /(?<![0-9a-f])([0-9a-f]{32})(?![0-9a-f])/,
    /(?<![0-9a-f:])((?:[0-9a-f]{2}:){5}(?:[0-9a-f]{2}:)*[0-9a-f]{2})(?![0-9a-f:])/,
    /(?:(?<![\w:.])|(?<=\w:)|(?<=\bctdb\.))[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:\.\d{1,3}){0,3}(?![\w:])/,
    /(?:(?<![\d.])|(?<=\bctdb\.))\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gi',
)

/**
 * A function that hides what is private in a text: addresses, MACs and the name of this host. The same thing becomes
 * the same other thing wherever it appears, in whichever spelling, so that a recording still replays. IPv4 becomes
 * 198.18.x.x (RFC 2544), IPv6 2001:db8::x (RFC 3849), a MAC 02:00:…; prefix lengths and interface names stay.
 */
export function redactor(host = hostname()): (text: string) => string {
  const addresses = new Map<string, string>()
  const macs = new Map<string, string>()
  const counts = { inet: 0, inet6: 0 }

  function address(seen: string): string | undefined {
    const key = canonical(seen)
    if (key === undefined) return undefined
    if (PUBLIC_KNOWLEDGE.test(key)) return seen
    const known = addresses.get(key)
    if (known !== undefined) return known
    const n = (counts[key.includes(':') ? 'inet6' : 'inet'] += 1)
    const made = key.includes(':')
      ? `2001:db8::${n.toString(16)}`
      : `198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
    addresses.set(key, made)
    return made
  }

  function mac(seen: string): string {
    const key = seen.toLowerCase()
    if (/^(?:ff:)+ff$|^(?:00:)+00$/.test(key)) return seen
    const bytes = key.split(':').length
    const n = macs.get(key) ?? String(macs.size + 1)
    macs.set(key, n)
    const digits = Number(n)
      .toString(16)
      .padStart((bytes - 1) * 2, '0')
    return ['02', ...(digits.match(/../g) ?? [])].join(':')
  }

  function hidden(seen: string, digits?: string, bytes?: string): string {
    if (digits !== undefined) {
      const other = address((digits.match(/..../g) ?? []).join(':'))
      return other?.includes(':') ? hexDigits(other) : digits
    }
    if (bytes !== undefined && !canonical(bytes)) return mac(bytes)
    // in "fd00::1: no such host" the last colon is none of the address
    const core = address(seen) === undefined ? seen.replace(/:$/, '') : seen
    return (address(core) ?? core) + seen.slice(core.length)
  }

  const hostPattern =
    host.length > 2 ? new RegExp(`\\b${host.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\b`, 'gi') : undefined

  return (text) => (hostPattern ? text.replaceAll(hostPattern, 'node') : text).replaceAll(PRIVATE, hidden)
}
