/** The words of `ip route add` that may follow a gateway. */
import { canonical, familyOf, type Family } from '../../../inet/address.ts'
import { PROTOCOLS } from '../names/protocols.ts'

export const FAMILY_NAMES: Record<Family, string> = { inet: 'IPv4', inet6: 'IPv6' }

/** What carries such words: a route. */
interface WithWords {
  more: readonly string[]
}

/** Synonyms in `ip route`. */
const SAME: Record<string, string> = { preference: 'metric', priority: 'metric', dsfield: 'tos' }

/** The value of a word: one of the names, or a number up to `most`. */
interface ValueForm {
  names?: readonly string[]
  most: number
  /** May `lock` stand before it? */
  lock?: boolean
  /** The number may have a unit, ms or s: `5ms`. */
  time?: boolean
}

/** Properties that a route gives to its connections. */
export const LOCKABLE = ['mtu', 'advmss', 'window', 'initcwnd', 'initrwnd']

/**
 * The words that make sense after a gateway; CTDB hands all of them to `ip`. Each value is checked to be one that `ip` can
 * read: after a value that `ip` cannot read, all later lines stay undone, and `ip` does not say which line it was.
 */
const WORDS = new Map<string, ValueForm | 'address' | 'nothing'>([
  ['onlink', 'nothing'],
  ['src', 'address'],
  ['metric', { most: 2 ** 32 - 1 }],
  ...LOCKABLE.map((word): [string, ValueForm] => [word, { most: 2 ** 32 - 1, lock: true }]),
  ...['hoplimit', 'cwnd', 'ssthresh', 'reordering'].map((word): [string, ValueForm] => [
    word,
    { most: 2 ** 32 - 1, lock: true },
  ]),
  ...['rtt', 'rttvar', 'rto_min'].map((word): [string, ValueForm] => [
    word,
    { most: 2 ** 32 - 1, time: true },
  ]),
  ['quickack', { most: 1 }],
  ['realm', { most: 255 }],
  ['tos', { most: 255 }],
  ['congctl', { names: ['cubic', 'reno', 'bbr', 'dctcp'], most: -1, lock: true }],
  ['features', { names: ['ecn'], most: -1 }],
  ['proto', { names: PROTOCOLS, most: 255 }],
  ['scope', { names: ['global', 'site', 'link', 'host'], most: 255 }],
])

/** The same words, each by the name that is used here. */
export function plainWords(words: readonly string[]): string[] {
  return words.map((word) => SAME[word] ?? word)
}

/** What is wrong with the words; undefined when `ip` can read them. */
export function whyNotMore(words: readonly string[], family: Family): string | undefined {
  let rest = words
  for (;;) {
    const [word] = rest
    if (word === undefined) return undefined
    const kind = WORDS.get(word)
    if (kind === undefined)
      return `"${word}" behind the gateway: expected nothing, or one of ${[...WORDS.keys()].join(', ')}`
    const isLocked = typeof kind === 'object' && kind.lock && rest[1] === 'lock'
    const values = kind === 'nothing' ? 0 : isLocked ? 2 : 1
    if (rest.length <= values) return `"${word}" behind the gateway has no value`
    const expected = whyNotValue(rest[values] ?? '', kind, family)
    if (expected) return `"${word} ${rest[values]}" behind the gateway: expected ${expected}`
    rest = rest.slice(1 + values)
  }
}

/** Decimal or hexadecimal. `ip` would read a number with a leading 0 as octal. */
const NUMBER = /^(?:0|[1-9]\d{0,9}|0x[\da-f]{1,8})$/i

/** The expected value in words; undefined when the value is good. */
function whyNotValue(
  value: string,
  kind: ValueForm | 'address' | 'nothing',
  family: Family,
): string | undefined {
  if (kind === 'nothing') return undefined
  if (kind === 'address') {
    const address = canonical(value)
    return address && familyOf(address) === family ? undefined : `an ${FAMILY_NAMES[family]} address`
  }
  const { names = [], most, time } = kind
  const number = time ? value.replace(/m?s$/, '') : value
  if (names.includes(value) || (NUMBER.test(number) && Number(number) <= most)) return undefined
  return [...names, ...(most < 0 ? [] : [`a number up to ${most}`])].join(', ')
}

/** The words after the gateway but `proto`: our routes have a protocol of their own. */
export function wordsWithoutProtocol({ more }: WithWords): string[] {
  return more.filter((word, i) => word !== 'proto' && more[i - 1] !== 'proto')
}

/** The value of a word; undefined when the route does not have it. */
export function valueOf({ more }: WithWords, word: string): string | undefined {
  const at = more.indexOf(word)
  if (at < 0) return undefined
  return more[at + 1] === 'lock' ? more[at + 2] : more[at + 1]
}
