/** Trouble of public addresses here that no list of addresses shows: an interface that is another's port, a route that goes with an address. */
import { refuseFailed } from '../net/answer.ts'
import { familyOf } from '../inet/address.ts'
import type { Node } from '../node/node.ts'
import { linksInDetail } from '../net/address/interfaces.ts'
import { rows as parseRows, type Link } from '../net/ip-json.ts'
import { onWire, type AddressRow } from './addresses.ts'

/** Kinds of devices to which the kernel hands all that arrives at their ports: an address on a port hears nothing. */
const TAKES_ALL = ['bridge', 'bond', 'team', 'openvswitch']

/** The rows, with `port` and `routes` where there is such trouble. Rejects with a Refusal when nobody can look. */
export async function withHiddenTrouble(
  node: Node,
  rows: readonly AddressRow[],
): Promise<readonly AddressRow[]> {
  const here = rows.filter((row) => onWire(row).length > 0)
  if (here.length === 0) return rows
  const links = await linksInDetail(node)
  // the kernel keeps an IPv6 route without its source
  const isAsked = here.some(({ address }) => familyOf(address) === 'inet')
  const routes = isAsked ? await routesWithSource(node) : []
  return rows.map((row) => {
    const port = onWire(row).flatMap(({ iface }) => portOf(links, iface) ?? [])[0]
    const going = routes.filter(({ source }) => source === row.address).map(({ text }) => text)
    return { ...row, ...(port ? { port } : {}), ...(going.length > 0 ? { routes: going } : {}) }
  })
}

/** The device whose port the interface is, as `bridge br0`; undefined for an interface by itself. */
export function portOf(links: readonly Link[], iface: string): string | undefined {
  const master = links.find(({ name }) => name === iface)?.master
  const kind = links.find(({ name }) => name === master)?.kind
  return master !== undefined && kind !== undefined && TAKES_ALL.includes(kind)
    ? `${kind} ${master}`
    : undefined
}

/** The IPv4 routes of the main table that somebody has given a source, as `ip route` writes them. */
async function routesWithSource(node: Node): Promise<{ source: string; text: string }[]> {
  const answer = await node.ask`ip -json route show`
  refuseFailed(answer, 'routes')
  return parseRows(answer.out, 'routes').flatMap(({ dst, gateway, dev, prefsrc, protocol }) => {
    if (typeof prefsrc !== 'string' || protocol === 'kernel') return []
    const words = [dst, ...(gateway === undefined ? [] : ['via', gateway]), 'dev', dev]
    return [{ source: prefsrc, text: words.join(' ') }]
  })
}
