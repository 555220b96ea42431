import { hostname } from 'node:os'
import { canonical, familyOf, hexDigits } from '../../inet/address.ts'
import { bitsOf, padWithZeros } from '../../inet/network.ts'
import { disguise } from './pseudonyms.ts'

/** Addresses that tell nothing about a site, and that decisions are made on; the last two are in our own messages. */
const PUBLIC_KNOWLEDGE = /^(?:127\.|0\.0\.0\.0$|255\.|::1?$|ff|192\.0\.2\.0$|2001:db8::$)/

/**
 * In one pass, so that nothing is hidden twice: an address as 32 digits (/proc/net/if_inet6); a MAC (6, InfiniBand 20
 * bytes), which is no IPv6 address though it looks a bit like one; IPv6; IPv4, also as short as a network may be written
 * (`10.5/16`). The names of our tables (`ctdb.10.0.0.1`) hold addresses too.
 */
const PRIVATE = new RegExp(
  [
    /(?<![0-9a-f])([0-9a-f]{32})(?![0-9a-f])/,
    /(?<![0-9a-f:])((?:[0-9a-f]{2}:){5}(?:[0-9a-f]{2}:)*[0-9a-f]{2})(?![0-9a-f:])/,
    /(?:(?<![\w:.])|(?<=\w:)|(?<=\bctdb\.))[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:\.\d{1,3}){0,3}(?![\w:])/,
    /(?:(?<![\d.])|(?<=\bctdb\.))\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/,
    /(?<![\w.:/])\d{1,3}(?:\.\d{1,3}){1,2}(?=\/(?:\d{1,2}|255(?:\.\d{1,3}){3})(?![\w./]))/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gi',
)

/**
 * A function that hides what is private in a text: addresses, MACs and the name of this host. The same thing becomes
 * the same other thing wherever it appears, in whichever spelling, and what is in a network stays in it, so that a
 * recording still replays. The first IPv4 address becomes 198.18.0.1, the first IPv6 one 2001:db8::1, a MAC 02:00:…;
 * prefix lengths and interface names stay.
 */
export function redactor(host = hostname()): (text: string) => string {
  const other = disguise()
  const addresses = new Map<string, string>()
  const macs = new Map<string, string>()

  /** `behind` is what follows it: of a network, the length of its prefix, or its netmask. */
  function address(seen: string, behind: string): string | undefined {
    const key = canonical(seen)
    if (key === undefined) return undefined
    if (PUBLIC_KNOWLEDGE.test(key)) return seen
    const mask = /^\/((?:\d{1,3}\.){0,3}\d{1,3})(?!\d)/.exec(behind)?.[1] ?? ''
    const bits = bitsOf(mask, familyOf(key))
    const made = addresses.get(`${key}/${bits}`) ?? other(key, bits)
    addresses.set(`${key}/${bits}`, made)
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

  function hidden(
    seen: string,
    digits: string | undefined,
    bytes: string | undefined,
    behind: string,
  ): string {
    if (digits !== undefined) {
      const made = address((digits.match(/..../g) ?? []).join(':'), '')
      return made?.includes(':') ? hexDigits(made) : digits
    }
    if (bytes !== undefined && !canonical(bytes)) return mac(bytes)
    if (/^\d+(\.\d+){1,2}$/.test(seen)) return address(padWithZeros(seen), behind) ?? seen
    // in "fd00::1: no such host" the last colon is none of the address
    const core = canonical(seen) === undefined ? seen.replace(/:$/, '') : seen
    return (address(core, behind) ?? core) + seen.slice(core.length)
  }

  const hostPattern =
    host.length > 2 ? new RegExp(`\\b${host.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\b`, 'gi') : undefined

  return (text) =>
    (hostPattern ? text.replaceAll(hostPattern, 'node') : text).replaceAll(
      PRIVATE,
      (seen: string, digits: string | undefined, bytes: string | undefined, at: number, whole: string) =>
        hidden(
          seen,
          digits,
          bytes,
          whole.slice(at + seen.length, at + seen.length + '/255.255.255.255 '.length),
        ),
    )
}
