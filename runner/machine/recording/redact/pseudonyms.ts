import { familyOf, hostBits, type Family } from '../../../inet/address.ts'
import { addressText, middleOf, networkOf, numberOf } from '../../../inet/network.ts'

/** What other addresses of a family look like. */
interface Scheme {
  bits: number
  /** So many bits are replaced as one. */
  head: number
  /** What the first address becomes; whatever comes later differs from it in as few places as it can. */
  first: bigint
  /** What stands in place of the Nth head. */
  heads: (n: number) => number
  /** A head by which decisions are made. */
  stays: (head: number) => boolean
}

const SCHEMES: Record<Family, Scheme> = {
  inet: {
    bits: 32,
    head: 8,
    first: numberOf('198.18.0.1'), // RFC 2544
    // 198 to 223, then 1 and up: never 0, loopback or multicast
    heads: (n) => (n < 26 ? 198 + n : 1 + ((n - 26) % 126)),
    stays: () => false,
  },
  inet6: {
    bits: 128,
    head: 16,
    first: numberOf('2001:db8::1'), // RFC 3849
    heads: (n) => 0x2001 + n,
    stays: (head) => head >> 6 === 0xfe80 >> 6, // link-local is on every wire
  },
}

/**
 * Other addresses in place of a site's own, such that what is in a network stays in it: two that agree in so many of
 * their first bits are replaced by two that do, so that gateways, prefixes and addresses still belong together.
 */
export class Pseudonyms {
  readonly #families: Record<Family, FamilyPseudonyms> = {
    inet: new FamilyPseudonyms(SCHEMES.inet),
    inet6: new FamilyPseudonyms(SCHEMES.inet6),
  }
  /** The bits of the networks that were seen, by their middle, which a handler computes. That of `default` has no text. */
  readonly #middles = new Map<string, number>([['8000::', 0]])

  /** `bits` is the prefix after an address, of which only a network has nothing but zeros after it, and keeps them. */
  of(address: string, bits = hostBits(address)): string {
    const family = familyOf(address)
    const isWhole = bits === hostBits(address)
    const around = isWhole ? this.#middles.get(address) : undefined
    if (around !== undefined) return this.#middleIn(address, around)
    const middle = middleOf(networkOf(address, bits))
    if (middle !== undefined) this.#middles.set(middle, bits)
    const isNetwork = !isWhole && networkOf(address, bits).value === numberOf(address)
    // a network that large tells nothing
    if (isNetwork && bits < SCHEMES[family].head) return address
    const other = addressText(family, this.#families[family].of(numberOf(address)))
    return isNetwork ? addressText(family, networkOf(other, bits).value) : other
  }

  /** The middle of a network becomes the middle of what the network becomes. */
  #middleIn(address: string, bits: number): string {
    const { family, value } = networkOf(address, bits)
    return middleOf(networkOf(this.of(addressText(family, value), bits), bits)) ?? address
  }
}

class FamilyPseudonyms {
  readonly #scheme: Scheme
  readonly #heads = new Map<string, string>()
  /** By the bits before it: is a bit turned around? */
  readonly #turned = new Map<string, boolean>()

  constructor(scheme: Scheme) {
    this.#scheme = scheme
  }

  of(value: bigint): bigint {
    const { head, first, stays } = this.#scheme
    const digits = this.#digitsOf(value)
    const own = digits.slice(0, head)
    // after a head that stays there are zeros, as after fe80::
    const model = this.#digitsOf(stays(Number(`0b${own}`)) ? 1n : first)
    let made = this.#headOf(own)
    for (let at = head; at < digits.length; at += 1) {
      const path = digits.slice(0, at)
      const turns = this.#turned.get(path) ?? digits[at] !== model[at]
      this.#turned.set(path, turns)
      made += turns === (digits[at] === '1') ? '0' : '1'
    }
    return BigInt(`0b${made}`)
  }

  #headOf(digits: string): string {
    const { head, heads, stays } = this.#scheme
    if (stays(Number(`0b${digits}`))) return digits
    const made = this.#heads.get(digits) ?? heads(this.#heads.size).toString(2).padStart(head, '0')
    this.#heads.set(digits, made)
    return made
  }

  #digitsOf(value: bigint): string {
    return value.toString(2).padStart(this.#scheme.bits, '0')
  }
}
