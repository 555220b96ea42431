import { canonical, familyOf, type Family } from '../../inet/address.ts'
import { networkText, parseNetwork } from '../../inet/network.ts'
import { PROTOCOLS } from './names/protocols.ts'

/** A route of one public address, or of 11.routing. */
export interface Route {
  /** The network, as networkText() writes it. */
  destination: string
  gateway?: string
  /** Further words of the file for `ip route add`: `onlink`, `mtu 9000`. */
  more: readonly string[]
  /** The file and line, for messages: `/etc/ctdb/policy_routing line 3`. */
  origin: string
}

export interface RoutingFile {
  routes: Map<string, Route[]>
  /** One sentence for each bad line, and the address of the line, where that can be read. */
  bad: { address?: string; problem: string }[]
}

const FORM = 'expected ADDRESS DESTINATION/BITS [GATEWAY]'

/**
 * The file of policy routing: lines `ADDRESS DESTINATION/BITS [GATEWAY [WORD…]]`, separated by blanks or tabs. Blank lines
 * and lines that begin with `#` are skipped, as are addresses of other nodes: all nodes may share one file.
 */
export function parseRoutingFile(text: string, file: string): RoutingFile {
  const found: RoutingFile = { routes: new Map(), bad: [] }
  text.split('\n').forEach((line, i) => {
    const [first = '', ...words] = line.trim().split(/\s+/)
    if (first === '' || first.startsWith('#')) return
    const origin = `${file} line ${i + 1}`
    const address = canonical(first)
    const route = address
      ? parseRoute(familyOf(address), words, origin, FORM)
      : `"${first}" is no IP address: ${FORM}`
    const routes = found.routes.get(address ?? '') ?? []
    const why = typeof route === 'string' ? route : whyTwice(route, routes)
    if (why !== undefined) found.bad.push({ address, problem: `${origin}: "${line.trim()}": ${why}` })
    else if (address && typeof route !== 'string') found.routes.set(address, [...routes, route])
  })
  return found
}

/** The words after the address, or after the interface in static-routes, as a route; a sentence when they are none. */
export function parseRoute(
  family: Family,
  words: readonly string[],
  origin: string,
  form: string,
): Route | string {
  const [to, via, ...rest] = words
  const more = rest.map((word) => SAME[word] ?? word)
  if (to === undefined) return `no destination: ${form}`
  const network = parseNetwork(to, family)
  if (typeof network === 'string') return network
  if (network.family !== family) return `${to} is ${NAMES[network.family]}: expected ${NAMES[family]}`
  const destination = networkText(network)
  if (via === undefined) return { destination, more, origin }
  const gateway = canonical(via)
  if (!gateway) return `"${via}" is no gateway: expected an address without netmask`
  if (familyOf(gateway) !== family) return `${via} is ${NAMES[familyOf(gateway)]}: expected ${NAMES[family]}`
  return whyNotMore(more, family) ?? { destination, gateway, more, origin }
}

const NAMES: Record<Family, string> = { inet: 'IPv4', inet6: 'IPv6' }

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

function whyNotMore(words: readonly string[], family: Family): string | undefined {
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
    return address && familyOf(address) === family ? undefined : `an ${NAMES[family]} address`
  }
  const { names = [], most, time } = kind
  const number = time ? value.replace(/m?s$/, '') : value
  if (names.includes(value) || (NUMBER.test(number) && Number(number) <= most)) return undefined
  return [...names, ...(most < 0 ? [] : [`a number up to ${most}`])].join(', ')
}

/** A table holds one route to a destination for each metric: the kernel refuses a second. */
function whyTwice(route: Route, routes: readonly Route[]): string | undefined {
  const same = routes.find(
    (each) => each.destination === route.destination && valueOf(each, 'metric') === valueOf(route, 'metric'),
  )
  return same && `${route.destination} is there already, in ${same.origin}`
}

/** The words after the gateway but `proto`: our routes have a protocol of their own. */
export function wordsWithoutProtocol({ more }: Route): string[] {
  return more.filter((word, i) => word !== 'proto' && more[i - 1] !== 'proto')
}

/** The value of a word; undefined when the route does not have it. */
export function valueOf({ more }: Route, word: string): string | undefined {
  const at = more.indexOf(word)
  if (at < 0) return undefined
  return more[at + 1] === 'lock' ? more[at + 2] : more[at + 1]
}
