import type { Node } from '../node/node.ts'
import { believedInterfaces, orReason, type BelievedInterface } from '../net/ctdb/daemon-view.ts'
import { interfaces, linksInDetail, pick } from '../net/address/interfaces.ts'
import { listedAsFarAsKnown } from './listed.ts'
import type { Column } from '../format/table.ts'
import { whyNoLink } from '../net/address/link.ts'

/** One interface that may hold public addresses. */
export interface InterfaceRow {
  name: string
  believed?: BelievedInterface
  /** Named in public_addresses. */
  listed: boolean
  /** Whether the link is up, by the rules of the monitor event; undefined when there is no such interface. */
  link?: boolean
  /** How many public addresses the kernel has on the interface. */
  held: number
  state: 'ok' | 'down' | 'absent' | 'disagree' | 'unloaded' | 'unlisted' | 'unknown'
}

export const INTERFACE_COLUMNS: readonly Column<InterfaceRow>[] = [
  { name: 'Name', field: 'name', value: ({ name }) => name },
  { name: 'LinkStatus', field: 'daemonLink', value: ({ believed }) => believed?.up },
  { name: 'References', field: 'references', value: ({ believed }) => believed?.references },
  { name: 'Listed', field: 'listed', value: ({ listed }) => listed, quiet: true },
  { name: 'KernelLink', field: 'kernelLink', value: ({ link }) => link },
  { name: 'Held', field: 'held', value: ({ held }) => held },
  {
    name: 'State',
    field: 'state',
    value: ({ state }) => state,
    paint: ({ state }) =>
      state === 'ok'
        ? 'good'
        : state === 'down' || state === 'absent' || state === 'disagree'
          ? 'bad'
          : 'warn',
  },
]

/** The interfaces that the daemon knows, in the daemon's order, then those that only public_addresses names. */
export async function interfaceRows(node: Node): Promise<{ rows: InterfaceRow[]; trouble: string[] }> {
  const file = await listedAsFarAsKnown(node)
  const listed = new Set(file.entries.flatMap(({ ifaces }) => ifaces))
  const believed = await orReason(believedInterfaces(node))
  const daemonSays = typeof believed !== 'string'
  const known = daemonSays ? believed : []
  const links = await linksInDetail(node)
  const held = await interfaces(node)
  const isPublic = new Set(file.entries.map(({ address }) => address))
  const rows: InterfaceRow[] = []
  for (const name of new Set([...known.map((each) => each.name), ...listed])) {
    const here = pick(held, name)
    const row = {
      name,
      believed: known.find((each) => each.name === name),
      listed: listed.has(name),
      link: pick(links, name) && (await whyNoLink(node, name, links)) === undefined,
      held: here?.addresses.filter(({ address }) => isPublic.has(address)).length ?? 0,
    }
    rows.push({ ...row, state: interfaceState(row, daemonSays) })
  }
  return { rows, trouble: [...file.problems, ...(daemonSays ? [] : [believed])] }
}

function interfaceState(
  { believed, listed, link }: Omit<InterfaceRow, 'state'>,
  daemonSays: boolean,
): InterfaceRow['state'] {
  if (link === undefined) return 'absent'
  if (!daemonSays) return link ? 'unknown' : 'down'
  if (!believed) return 'unloaded'
  if (believed.up !== link) return 'disagree'
  if (!link) return 'down'
  return listed ? 'ok' : 'unlisted'
}
