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

/** A table holds one route to a destination for each metric: the kernel refuses a second. */
function whyTwice(route: Route, routes: readonly Route[]): string | undefined {
  const same = routes.find(
    (each) => each.destination === route.destination && valueOf(each, 'metric') === valueOf(route, 'metric'),
  )
  return same && `${route.destination} is there already, in ${same.origin}`
}
