/** What one node sees for `eventscript why`: of itself, and of an address. Other nodes get this as JSON. */
import { historyFile } from '../../engine/history/run.ts'
import type { Facts } from '../../node/facts.ts'
import type { Node } from '../../node/node.ts'
import { interfaces } from '../../net/address/interfaces.ts'
import { orReason, type BelievedNode } from '../../net/ctdb/daemon-view.ts'
import { askWire, type Asked } from '../../net/dad/wire.ts'
import { audit } from '../audit/audit.ts'
import { commandOf, type Fault } from '../audit/fault.ts'
import { lookAtCluster } from '../check/check.ts'
import type { HandlerEnd } from '../check/handlers.ts'
import { interfaceRows, type InterfaceRow } from '../interfaces.ts'
import { listedAsFarAsKnown } from '../listed.ts'
import { failingSince } from './failing-since.ts'

/** A fault of the audit, with its repair as a command. */
export type SeenFault = Omit<Fault, 'repair'> & { repair?: string }

export interface Evidence {
  /** This node's number; undefined where ctdbd does not say. */
  own?: number
  /** All nodes, as ctdbd here sees them; or why it does not say. */
  nodes: BelievedNode[] | string
  /** How the scripts of the last monitor event ended; or why that is not known. */
  scripts: HandlerEnd[] | string
  hung: string[] | string
  /** When the first of the monitor events began that have failed without an end since; ISO 8601. */
  failingSince?: string
  /** Each public address that is listed or in the kernel here. */
  addresses: SeenAddress[]
  /** Why public_addresses cannot be read. */
  unread?: string
  links: Pick<InterfaceRow, 'name' | 'state' | 'link'>[]
  faults: SeenFault[]
  trouble: string[]
  /** The MACs of all interfaces. */
  macs: string[]
  /** Who else answers for the address that was asked for, by interface; or why nobody could be asked. */
  wire: { iface: string; answer?: Asked; unasked?: string }[]
}

export interface SeenAddress {
  address: string
  /** The node that has it, as ctdbd believes; -1: none. */
  believed?: number
  /** The line of public_addresses: `/24 eth0,eth1`, and its interfaces. */
  listed?: string
  ifaces: readonly string[]
  /** Where the kernel has it: `eth0/24`. */
  kernel: readonly string[]
  parked: boolean
  /** While it is parked: the MAC of the host that has it. */
  rival?: string
}

/** Look at all that, within so many seconds. `folder` is that of our handlers. */
export async function evidenceHere(
  node: Node,
  facts: Facts,
  folder: string,
  { address, seconds }: { address?: string; seconds: number },
): Promise<Evidence> {
  const [sight, audited, links, list, macs] = await Promise.all([
    lookAtCluster(facts, seconds),
    audit(node, facts, folder),
    interfaceRows(node),
    listedAsFarAsKnown(node),
    orReason(interfaces(node)),
  ])
  const addresses = audited.rows.map((row) => ({
    address: row.address,
    ...(row.believed === undefined ? {} : { believed: row.believed.node }),
    ...(row.listed === undefined ? {} : { listed: `/${row.listed.bits} ${row.listed.ifaces.join(',')}` }),
    ifaces: row.listed?.ifaces ?? [],
    kernel: row.held.map(({ iface, bits }) => `${iface}/${bits}`),
    parked: row.parked,
    ...(row.rival === undefined ? {} : { rival: row.rival }),
  }))
  const { nodes, handlers: scripts, hung } = sight
  const since = await failingSince(historyFile(facts.env))
  return {
    ...(audited.own === undefined ? {} : { own: audited.own }),
    nodes,
    scripts,
    hung,
    ...(since === undefined ? {} : { failingSince: since }),
    addresses,
    ...(list.unread === undefined ? {} : { unread: list.unread }),
    links: links.rows.map(({ name, state, link }) => ({
      name,
      state,
      ...(link === undefined ? {} : { link }),
    })),
    faults: audited.faults.map(({ repair, ...fault }) => ({
      ...fault,
      ...(repair === undefined ? {} : { repair: commandOf(repair) }),
    })),
    trouble: audited.trouble,
    macs: typeof macs === 'string' ? [] : macs.flatMap(({ mac }) => mac ?? []),
    wire: await wireOf(
      node,
      addresses.find((each) => each.address === address),
    ),
  }
}

/** Ask on each interface where the address is, or might be. */
async function wireOf(node: Node, seen: SeenAddress | undefined): Promise<Evidence['wire']> {
  if (!seen) return []
  const held = seen.kernel.map((place) => place.split('/')[0] ?? '').filter((iface) => iface !== 'lo')
  const ifaces = held.length > 0 ? held : seen.ifaces
  return await Promise.all(
    ifaces.map(async (iface) => {
      const asked = await orReason(
        askWire(node, { address: seen.address, iface }).then((answer) => ({ answer })),
      )
      return typeof asked === 'string' ? { iface, unasked: asked } : { iface, ...asked }
    }),
  )
}
