import { canonical, familyOf, type Family } from './address.ts'
import { networkText, parseNetwork } from './network.ts'

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
  const [to, via, ...more] = words
  if (to === undefined) return `no destination: ${form}`
  const network = parseNetwork(to, family)
  if (typeof network === 'string') return network
  if (network.family !== family) return `${to} is ${NAMES[network.family]}: expected ${NAMES[family]}`
  const destination = networkText(network)
  if (via === undefined) return { destination, more, origin }
  const gateway = canonical(via)
  if (!gateway) return `"${via}" is no gateway: expected an address without netmask`
  if (familyOf(gateway) !== family) return `${via} is ${NAMES[familyOf(gateway)]}: expected ${NAMES[family]}`
  return whyNotMore(more) ?? { destination, gateway, more, origin }
}

const NAMES: Record<Family, string> = { inet: 'IPv4', inet6: 'IPv6' }

/** CTDB hands what follows the gateway to `ip`; these words, most with a value, are what makes sense there. */
const WORDS = new Map([
  ['onlink', 0],
  ...['metric', 'mtu', 'advmss', 'src', 'proto', 'scope', 'initcwnd', 'initrwnd'].map(
    (word) => [word, 1] as const,
  ),
])

function whyNotMore(words: readonly string[]): string | undefined {
  let rest = words
  for (;;) {
    const [word] = rest
    if (word === undefined) return undefined
    const values = WORDS.get(word)
    if (values === undefined)
      return `"${word}" behind the gateway: expected nothing, or one of ${[...WORDS.keys()].join(', ')}`
    if (rest.length <= values || !rest.slice(1, 1 + values).every((value) => /^[\w.:]+$/.test(value)))
      return `"${word}" behind the gateway has no value`
    rest = rest.slice(1 + values)
  }
}

/** A table holds one route to a destination, unless their metrics differ: the kernel refuses the second. */
function whyTwice(route: Route, routes: readonly Route[]): string | undefined {
  const same = routes.find(
    (each) => each.destination === route.destination && metricOf(each) === metricOf(route),
  )
  return same && `${route.destination} is there already, in ${same.origin}`
}

function metricOf({ more }: Route): string | undefined {
  const at = more.indexOf('metric')
  return at < 0 ? undefined : more[at + 1]
}
