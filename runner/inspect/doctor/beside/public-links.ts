import { parseNodes } from '../../../net/ctdb/nodes-file.ts'
import { parsePublicAddresses } from '../../../net/address/public-addresses.ts'
import { isNamed, type Link } from '../../../net/ip-json.ts'
import type { Patient } from '../../finding.ts'

/** The interfaces of this node that public_addresses names. */
export function publicLinks({ publicAddresses, links }: Patient): Link[] {
  const names = parsePublicAddresses(publicAddresses ?? '', '').entries.flatMap(({ ifaces }) => ifaces)
  return links.filter((link) => names.some((name) => isNamed(link, name)))
}

/** The private addresses of the other nodes, which connect to this one; its own where it is the only node. */
export function peersOf({ nodes, links }: Patient): string[] {
  const all = parseNodes(nodes.text ?? '').flatMap(({ address, deleted }) => (deleted ? [] : (address ?? [])))
  const own = links.flatMap(({ addresses }) => addresses.map(({ address }) => address))
  const others = all.filter((each) => !own.includes(each))
  return others.length > 0 ? others : all
}

/** The interface that has the private address of this node, which ctdbd uses; undefined when none has. */
export function privateLink({ nodes, links }: Patient): Link | undefined {
  const listed = new Set(
    parseNodes(nodes.text ?? '').flatMap(({ address, deleted }) => (deleted ? [] : (address ?? []))),
  )
  return links.find(({ addresses }) => addresses.some(({ address }) => listed.has(address)))
}
