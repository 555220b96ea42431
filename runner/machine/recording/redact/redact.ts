import { hostname } from 'node:os'
import { canonical, familyOf, hexDigits } from '../../../inet/address.ts'
import { bitsOf, padWithZeros } from '../../../inet/network.ts'
import { Pseudonyms } from './pseudonyms.ts'

/** Addresses that tell nothing about a site, and that decisions are made on; the last two are in our own messages. */
const PUBLIC_KNOWLEDGE = /^(?:127\.|0\.0\.0\.0$|255\.|::1?$|ff|192\.0\.2\.0$|2001:db8::$)/

/**
 * In one pass, so that nothing is hidden twice: an address as 32 digits (/proc/net/if_inet6); a MAC (6, InfiniBand 20
 * bytes), which is no IPv6 address though it looks a bit like one; IPv6; IPv4, also as short as a network may be written
 * (`10.5/16`). The names of our tables (`ctdb.10.0.0.1`) hold addresses too.
 */
const PRIVATE = new RegExp(
  [
    /(?<![0-9a-f])(?<digits>[0-9a-f]{32})(?![0-9a-f])/,
    /(?<![0-9a-f]|\b[0-9a-f]{1,4}:|::)(?<bytes>(?:[0-9a-f]{2}:){5}(?:[0-9a-f]{2}:)*[0-9a-f]{2})(?![0-9a-f]|:[0-9a-f:])/,
    /(?:(?<![a-z0-9:.])|(?<=\w:)|(?<=\bctdb\.))[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:\.\d{1,3}){0,3}(?![a-z0-9:])/,
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
  const own = new Redactor(host)
  return (text) => own.hide(text)
}

/** What a match of PRIVATE is, if it is no address as people write it; and where it stands. */
interface Found {
  digits?: string
  bytes?: string
  /** The text after it: of a network, the length of its prefix, or its netmask. */
  after: string
}

/** Of a regular expression. */
const SPECIAL = /[.*+?^${}()|[\]\\]/g

class Redactor {
  readonly #host: RegExp | undefined
  readonly #other = new Pseudonyms()
  readonly #addresses = new Map<string, string>()
  readonly #macs = new Map<string, number>()

  constructor(host: string) {
    const [full = '', short = ''] = [host, host.split('.', 1)[0] ?? ''].map((name) =>
      name.replaceAll(SPECIAL, '\\$&'),
    )
    // whatever domain follows the short name tells the site as well
    const names = `(?:${full}|${short}(?:\\.[a-z][a-z0-9-]*)*)`
    this.#host = short.length > 2 ? new RegExp(`(?<![a-z0-9])${names}(?![a-z0-9])`, 'gi') : undefined
  }

  hide(text: string): string {
    const unnamed = this.#host ? text.replaceAll(this.#host, 'node') : text
    return unnamed.replaceAll(PRIVATE, (seen: string, ...found: unknown[]) => {
      const [at, whole, groups] = found.slice(-3) as [number, string, Omit<Found, 'after'>]
      const end = at + seen.length
      return this.#hidden(seen, { ...groups, after: whole.slice(end, end + '/255.255.255.255 '.length) })
    })
  }

  #hidden(seen: string, { digits, bytes, after }: Found): string {
    if (digits !== undefined) {
      const made = this.#address((digits.match(/..../g) ?? []).join(':'), '')
      return made?.includes(':') ? hexDigits(made) : digits
    }
    if (bytes !== undefined && !canonical(bytes)) return this.#mac(bytes)
    if (/^\d+(\.\d+){1,2}$/.test(seen)) return this.#address(padWithZeros(seen), after) ?? seen
    // in "fd00::1: no such host" the last colon is none of the address
    const core = canonical(seen) === undefined ? seen.replace(/:$/, '') : seen
    return (this.#address(core, after) ?? core) + seen.slice(core.length)
  }

  #address(seen: string, after: string): string | undefined {
    const key = canonical(seen)
    if (key === undefined) return undefined
    if (PUBLIC_KNOWLEDGE.test(key)) return seen
    const mask = /^\/((?:\d{1,3}\.){0,3}\d{1,3})(?!\d)/.exec(after)?.[1] ?? ''
    const bits = bitsOf(mask, familyOf(key))
    const made = this.#addresses.get(`${key}/${bits}`) ?? this.#other.of(key, bits)
    this.#addresses.set(`${key}/${bits}`, made)
    return made
  }

  #mac(seen: string): string {
    const key = seen.toLowerCase()
    if (/^(?:ff:)+ff$|^(?:00:)+00$/.test(key)) return seen
    const bytes = key.split(':').length
    const number = this.#macs.get(key) ?? this.#macs.size + 1
    this.#macs.set(key, number)
    const digits = number.toString(16).padStart((bytes - 1) * 2, '0')
    return ['02', ...(digits.match(/../g) ?? [])].join(':')
  }
}
