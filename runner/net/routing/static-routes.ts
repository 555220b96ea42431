import type { Node } from '../../node/node.ts'
import { LONGEST_ALTNAME, whyNoInterface } from '../../node/events.ts'
import { linesForScripts, trimmed, wordsIn } from '../../base/blanks.ts'
import { canonical, familyOf } from '../../inet/address.ts'
import { refuseProblems } from '../address/public-addresses.ts'
import { parseRoute, type Route } from './wanted/routes-file.ts'
import { pick } from '../address/interfaces.ts'
import { lookAtAll } from './kernel/kernel-routes.ts'
import type { KernelRoute } from './kernel/shown-routes.ts'
import { routeWords, type RoutingLine } from './plan/change.ts'
import { isOnLink } from './plan/gateway.ts'
import { usualMetric } from './plan/same-routes.ts'
import { applyRoutes } from './apply.ts'

/** A line of static-routes. */
export interface StaticRoute extends Route {
  iface: string
}

const FORM = 'expected INTERFACE DESTINATION/BITS GATEWAY'

/** Lines `IFACE NET/BITS GATEWAY`. Blank lines and lines that begin with `#` are skipped. */
export function parseStaticRoutes(text: string, file: string): { routes: StaticRoute[]; problems: string[] } {
  const routes: StaticRoute[] = []
  const problems: string[] = []
  linesForScripts(text).forEach((line, i) => {
    const [iface = '', ...words] = wordsIn(line)
    if (iface === '' || iface.startsWith('#')) return
    const origin = `${file} line ${i + 1}`
    const route = parseLine(iface, words, origin)
    if (typeof route === 'string') problems.push(`${origin}: "${trimmed(line)}": ${route}`)
    else routes.push({ ...route, iface })
  })
  return { routes, problems }
}

function parseLine(iface: string, words: readonly string[], origin: string): Route | string {
  const why = whyNoInterface(iface, LONGEST_ALTNAME)
  if (why) return `"${iface}" is no interface name (${why}): ${FORM}`
  const [, via = '', ...more] = words
  const gateway = canonical(via)
  if (!gateway) return via === '' ? `no gateway: ${FORM}` : `"${via}" is no gateway: ${FORM}`
  if (more.length > 0) return `"${more[0]}" behind the gateway: ${FORM}`
  return parseRoute(familyOf(gateway), words, origin, FORM)
}

/** The routes of the file; undefined when there is no such file, and no work is needed. Refuses bad lines. */
export async function staticRoutes(node: Node): Promise<StaticRoute[] | undefined> {
  const file = `${node.settings.base}/static-routes`
  const text = await node.read(file)
  if (text === undefined) return undefined
  const { routes, problems } = parseStaticRoutes(text, file)
  refuseProblems({ problems })
  return routes
}

/** Why a route is not added; undefined when it is to be added. */
export function whyNotAdd(route: StaticRoute, there: readonly KernelRoute[]): string | undefined {
  const { destination, gateway = '', iface } = route
  const main = there.filter(({ table }) => table === 'main')
  const same = main.find((each) => each.destination === destination && isOfUsualMetric(each, gateway))
  if (same?.gateway === gateway && same.iface === iface) return 'it is there'
  if (same) return `there is one already, ${same.gateway ? `via ${same.gateway} ` : ''}on ${same.iface}`
  // any interface that is up reaches link-local gateways, and has a link-local address by itself
  if (isOnLink(gateway, iface, main)) return undefined
  return `${iface} does not reach ${gateway} now: there is no such interface, or it has no address of that subnet`
}

/** Has the route the metric that ours would get (ip-route(8))? Beside a route of another metric there is room for ours. */
function isOfUsualMetric({ metric }: KernelRoute, gateway: string): boolean {
  return metric === undefined || metric === usualMetric(familyOf(gateway))
}

/** The line that adds a route, and the route in words. */
export interface MissingRoute extends RoutingLine {
  words: string
}

/**
 * Add the missing routes of the interfaces `of`, of all interfaces when that is not given. A route that is not possible yet
 * waits until an address comes to its interface.
 */
export async function addStaticRoutes(
  node: Node,
  routes: readonly StaticRoute[],
  of?: readonly string[],
): Promise<void> {
  await addRoutes(node, await missingRoutes(node, routes, of))
}

/** The routes that are missing and possible. Nothing is changed; without a route nothing is asked. */
export async function missingRoutes(
  node: Node,
  routes: readonly StaticRoute[],
  of?: readonly string[],
): Promise<MissingRoute[]> {
  if (routes.length === 0) return []
  const { routes: there, links } = await lookAtAll(node)
  // the file and the daemon may name an interface by its altname; the kernel's routes never do
  const nameOf = (iface: string) => pick(links, iface)?.name ?? iface
  const concerned = of?.map(nameOf)
  const lines: MissingRoute[] = []
  for (const each of routes) {
    const route = { ...each, iface: nameOf(each.iface) }
    if (concerned && !concerned.includes(route.iface)) continue
    const words = routeWords(route, route.iface)
    const why = whyNotAdd(route, there)
    node.because(`${route.origin}: ${words}: ${why ?? 'it is missing: adding it'}`)
    if (!why && !lines.some((line) => line.words === words))
      lines.push({ words, text: `route add ${words} proto static`, kind: 'route add', origin: route.origin })
  }
  return lines
}

/** Add them. A route that the kernel refuses fails the event after all were tried. */
export async function addRoutes(node: Node, lines: readonly MissingRoute[]): Promise<void> {
  const failures = await applyRoutes(node, lines)
  refuseProblems({
    problems: failures.map(
      ({ line, reason }) =>
        `${line.origin}: failed to add route: "ip ${line.text}": ${reason}: mend that line`,
    ),
  })
}
