import { familyOf, hostBits, type Family } from '../../inet/address.ts'
import { addressText, networkOf, numberOf } from '../../inet/network.ts'

interface Kind {
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

const KINDS: Record<Family, Kind> = {
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
 * their first bits are replaced by two that do, so that gateways, prefixes and addresses still belong together. `bits`
 * is the prefix behind an address, of which only a network has nothing but zeros behind it, and keeps them.
 */
export function disguise(): (address: string, bits?: number) => string {
  const families = { inet: disguiseOf(KINDS.inet), inet6: disguiseOf(KINDS.inet6) }
  return (address, bits = hostBits(address)) => {
    const family = familyOf(address)
    const isNetwork = bits < hostBits(address) && networkOf(address, bits).value === numberOf(address)
    // a network that large tells nothing
    if (isNetwork && bits < KINDS[family].head) return address
    const other = addressText(family, families[family](numberOf(address)))
    return isNetwork ? addressText(family, networkOf(other, bits).value) : other
  }
}

function disguiseOf({ bits, head, first, heads, stays }: Kind): (value: bigint) => bigint {
  const digitsOf = (value: bigint) => value.toString(2).padStart(bits, '0')
  const known = new Map<string, string>()
  /** By the bits before it: is a bit turned around? */
  const turned = new Map<string, boolean>()

  function headOf(digits: string): string {
    const said = Number(`0b${digits}`)
    if (stays(said)) return digits
    const made = known.get(digits) ?? heads(known.size).toString(2).padStart(head, '0')
    known.set(digits, made)
    return made
  }

  return (value) => {
    const digits = digitsOf(value)
    const own = digits.slice(0, head)
    // behind a head that stays there are zeros, as behind fe80::
    const model = stays(Number(`0b${own}`)) ? digitsOf(1n) : digitsOf(first)
    let made = headOf(own)
    for (let at = head; at < bits; at += 1) {
      const path = digits.slice(0, at)
      const turns = turned.get(path) ?? digits[at] !== model[at]
      turned.set(path, turns)
      made += turns === (digits[at] === '1') ? '0' : '1'
    }
    return BigInt(`0b${made}`)
  }
}
