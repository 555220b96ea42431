import { canonical, familyOf, type Family } from '../../inet/address.ts'
import { networkText, parseNetwork } from '../../inet/network.ts'

/** A route of one public address, or of 11.routing. */
export interface Route {
  /** The network as networkText() writes it. */
  destination: string
  gateway?: string
  /** Further words for `ip route add`, as the file has them: `onlink`, `mtu 9000`. */
  more: readonly string[]
  /** Where it comes from, for messages: `/etc/ctdb/policy_routing line 3`. */
  origin: string
}

export interface RoutingFile {
  routes: Map<string, Route[]>
  /** One sentence for each bad line; `address` is whose line it is, as far as that can be read. */
  bad: { address?: string; problem: string }[]
}

const FORM = 'expected ADDRESS DESTINATION/BITS [GATEWAY]'

/**
 * The file of policy routing: `ADDRESS DESTINATION/BITS [GATEWAY [WORD…]]`, blanks or tabs between. Blank lines and
 * lines that begin with `#` are skipped, as are addresses of other nodes: every node may have the same file.
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

/** The words behind the address, or behind the interface in static-routes; a sentence instead when they are no route. */
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

/** Other words of `ip route` for the same. */
const SAME: Record<string, string> = { preference: 'metric', priority: 'metric', dsfield: 'tos' }

/** What stands behind a word: one of the names, or a number up to `most`. */
interface Kind {
  names?: readonly string[]
  most: number
  /** May `lock` stand before it? */
  lock?: boolean
  /** A number may be of milliseconds or seconds: `5ms`. */
  time?: boolean
}

/** What a route says of the connections that use it. */
export const LOCKABLE = ['mtu', 'advmss', 'window', 'initcwnd', 'initrwnd']

/** Names that iproute2 has built in. */
const PROTOCOLS =
  'kernel boot static ra dhcp redirect gated mrt zebra bird babel xorp ntk keepalived bgp isis ospf rip eigrp'.split(
    ' ',
  )

/**
 * CTDB hands what follows the gateway to `ip`; these words, most with a value, are what makes sense there. Each value is
 * one that `ip` can read: over one that it cannot, it leaves everything behind that line undone, and does not say which.
 */
const WORDS = new Map<string, Kind | 'address' | 'nothing'>([
  ['onlink', 'nothing'],
  ['src', 'address'],
  ['metric', { most: 2 ** 32 - 1 }],
  ...LOCKABLE.map((word): [string, Kind] => [word, { most: 2 ** 32 - 1, lock: true }]),
  ...['hoplimit', 'cwnd', 'ssthresh', 'reordering'].map((word): [string, Kind] => [
    word,
    { most: 2 ** 32 - 1, lock: true },
  ]),
  ...['rtt', 'rttvar', 'rto_min'].map((word): [string, Kind] => [word, { most: 2 ** 32 - 1, time: true }]),
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

/** Decimal or hexadecimal; with a 0 before it `ip` reads it as octal. */
const NUMBER = /^(?:0|[1-9]\d{0,9}|0x[\da-f]{1,8})$/i

/** What was expected, if the value is anything else. */
function whyNotValue(value: string, kind: Kind | 'address' | 'nothing', family: Family): string | undefined {
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

/** A table holds one route to a destination, unless their metrics differ: the kernel refuses the second. */
function whyTwice(route: Route, routes: readonly Route[]): string | undefined {
  const same = routes.find(
    (each) => each.destination === route.destination && valueOf(each, 'metric') === valueOf(route, 'metric'),
  )
  return same && `${route.destination} is there already, in ${same.origin}`
}

/** What stands behind a word. */
export function valueOf({ more }: Route, word: string): string | undefined {
  const at = more.indexOf(word)
  if (at < 0) return undefined
  return more[at + 1] === 'lock' ? more[at + 2] : more[at + 1]
}
