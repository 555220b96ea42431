import { linesForScripts, trimmed, wordsIn } from '../../../base/blanks.ts'
import { canonical, familyOf, type Family } from '../../../inet/address.ts'
import { networkText, parseNetwork } from '../../../inet/network.ts'
import { FAMILY_NAMES, plainWords, valueOf, whyNotMore } from './route-words.ts'

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

/** A public address on this node with its configured routes; none where the file does not name the address. */
export interface RoutedAddress {
  address: string
  iface: string
  routes: readonly Route[]
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
  const earliest = new Map<string, Route>()
  linesForScripts(text).forEach((line, i) => {
    const [first = '', ...words] = wordsIn(line)
    if (first === '' || first.startsWith('#')) return
    const origin = `${file} line ${i + 1}`
    const address = canonical(first)
    const route = address
      ? parseRoute(familyOf(address), words, origin, FORM)
      : `"${first}" is no IP address: ${FORM}`
    const why = typeof route === 'string' ? route : whyTwice(`${address} ${placeOf(route)}`, route, earliest)
    if (why !== undefined) found.bad.push({ address, problem: `${origin}: "${trimmed(line)}": ${why}` })
    else if (address && typeof route !== 'string') {
      const routes = found.routes.get(address)
      if (routes) routes.push(route)
      else found.routes.set(address, [route])
    }
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
  const more = plainWords(rest)
  if (to === undefined) return `no destination: ${form}`
  const network = parseNetwork(to, family)
  if (typeof network === 'string') return network
  if (network.family !== family)
    return `${to} is ${FAMILY_NAMES[network.family]}: expected ${FAMILY_NAMES[family]}`
  const destination = networkText(network)
  if (via === undefined) return { destination, more, origin }
  const gateway = canonical(via)
  if (!gateway) return `"${via}" is no gateway: expected an address without netmask`
  if (familyOf(gateway) !== family)
    return `${via} is ${FAMILY_NAMES[familyOf(gateway)]}: expected ${FAMILY_NAMES[family]}`
  return whyNotMore(more, family) ?? { destination, gateway, more, origin }
}

const placeOf = (route: Route) => `${route.destination} ${valueOf(route, 'metric') ?? ''}`

/** A table holds one route to a destination for each metric: the kernel refuses a second. */
function whyTwice(place: string, route: Route, first: Map<string, Route>): string | undefined {
  const same = first.get(place)
  if (!same) first.set(place, route)
  return same && `${route.destination} is there already, in ${same.origin}`
}
