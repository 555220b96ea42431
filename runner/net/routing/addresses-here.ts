/** Which addresses are on this node now, and on which interface, by the kernel's word and not the daemon's. */
import type { Node } from '../../node/node.ts'
import { FAMILIES, familyOf, type Family } from '../../inet/address.ts'
import type { Link } from '../ip-json.ts'
import { pick } from '../address/interfaces.ts'
import { parkedHere } from '../dad/parked.ts'
import type { Hosted } from './wanted/hosted.ts'
import type { RoutedAddress, Route } from './wanted/routes-file.ts'
import { interfacesOf, lookAtAll, lookAtRules6, NOTHING, partOf, type Look } from './kernel/kernel-routes.ts'
import type { Routing } from './names/options.ts'
import { addressOfTable, isMarked } from './plan/ownership.ts'
import { mayHaveOurs } from './plan/removals.ts'
import { allot, type TableName } from './names/rt-tables.ts'

/**
 * A look at both families, with as few programs as possible; no look when nothing can be ours and nothing is wanted. When
 * table numbers are to be given out in both, which needs a program for the lock, the rules of IPv6 are not looked at unless
 * `all` says so, or a named table has IPv6 routes that only the rules can tell whose they are: the look comes with the
 * changes. Wanted rules are added in any case, and unwanted ones go at the next ipreallocated.
 */
export async function lookForAll(
  node: Node,
  routing: Routing,
  names: readonly TableName[],
  wanted: readonly RoutedAddress[],
  all: boolean,
): Promise<ReadonlyMap<Family, Look>> {
  const concerned = FAMILIES.filter(
    (family) => mayHaveOurs(family, names) || wanted.some(({ address }) => familyOf(address) === family),
  )
  if (concerned.length === 0) return new Map()
  const addresses = wanted.map(({ address }) => address)
  const needsNumbers = allot(names, addresses, routing).added.length > 0
  const both = await lookAtAll(node)
  const isUnclear = partOf(both, 'inet6').routes.some(
    (route) => !isMarked(route) && addressOfTable(route, names),
  )
  const isLater = needsNumbers && concerned.length > 1 && !all && !isUnclear
  if (isLater)
    node.because('the rules of IPv6 are looked at with the changes, as table numbers are to be given out')
  const six = !concerned.includes('inet6') || isLater ? NOTHING : await lookAtRules6(node)
  return new Map([
    ['inet', partOf(both, 'inet')],
    ['inet6', { ...partOf(both, 'inet6'), rules: six.rules, others: six.others, isWithoutRules: isLater }],
  ])
}

/**
 * The addresses that can have their routes now, each with its real interface. An address that the kernel has dropped, as it
 * drops IPv6 when an interface goes down, gets its routes at its next takeip, which the daemon sends.
 */
export async function thoseHere(
  node: Node,
  wanted: readonly RoutedAddress[],
  seen: ReadonlyMap<Family, Look>,
): Promise<RoutedAddress[]> {
  const parked = wanted.length > 0 ? await parkedHere(node) : []
  const away = new Map<string, string[]>()
  const here = wanted.flatMap((each) => {
    const { address, iface } = each
    const look = seen.get(familyOf(address)) ?? NOTHING
    const said = pick(look.links, iface)
    const places = interfacesOf(address, look)
    const isThere = places.includes(said?.name ?? '') || parked.some((other) => other.address === address)
    const elsewhere = isThere ? undefined : places.find((place) => place !== 'lo')
    const link = elsewhere === undefined ? said : pick(look.links, elsewhere)
    if (!link?.up || !(isThere || elsewhere)) {
      const why = whyAway(link?.name ?? iface, link, familyOf(address))
      away.set(why, [...(away.get(why) ?? []), address])
      return []
    }
    if (elsewhere)
      node.say(
        `WARNING: Public IP ${address} hosted on interface ${elsewhere} but VNN says ${iface}: its routes are for ${elsewhere}`,
      )
    return [{ ...each, iface: link.name }]
  })
  for (const [why, addresses] of away) sayAway(node, why, addresses)
  return here
}

/** An event's interface that is down can have no routes: that is said, and the lines of the file are not to blame. */
export function isDown(node: Node, { address, iface }: Hosted, { links }: Look): boolean {
  const link = pick(links, iface)
  if (!link || link.up) return false
  sayAway(node, whyAway(link.name, link, familyOf(address)), [address])
  return true
}

function sayAway(node: Node, why: string, addresses: readonly string[]): void {
  node.say(`WARNING: ${why} ${addresses.join(', ')}: policy routing stays as it is until takeip`)
}

/** An interface that is down keeps its IPv4 addresses, and has lost those of IPv6. */
function whyAway(iface: string, link: Link | undefined, family: Family): string {
  if (!link) return `${iface} is not there, and so without`
  if (link.up) return `${iface} does not have`
  return `${iface} is down, and so ${family === 'inet' ? 'of no use to' : 'without'}`
}

/**
 * A parked address is not on its interface, so the kernel finds a gateway of its subnet out of reach. With `onlink` the
 * routes are in place before the address comes.
 */
export async function withoutAddress(
  node: Node,
  wanted: readonly RoutedAddress[],
): Promise<readonly RoutedAddress[]> {
  const parked = wanted.length > 0 ? await parkedHere(node) : []
  return wanted.map((each) => {
    if (!parked.some(({ address }) => address === each.address)) return each
    node.because(`${each.address} is kept off the wire: its gateways are taken to be on ${each.iface}`)
    return { ...each, routes: each.routes.map(onLink) }
  })
}

function onLink(route: Route): Route {
  const isPlain = route.gateway === undefined || route.more.includes('onlink')
  return isPlain ? route : { ...route, more: [...route.more, 'onlink'] }
}
