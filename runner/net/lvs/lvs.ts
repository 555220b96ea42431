import type { Node } from '../../node/node.ts'
import { familyOf } from '../../inet/address.ts'
import { endConnections } from '../clients/connections.ts'
import { ownNumber } from '../ctdb/tool.ts'
import { setServices, whyNoIpvs } from './ipvs.ts'
import { keepSysctl, lastTime, remember, restoreSysctls } from '../sysctl/lvs-memory.ts'
import { groupOf, type Group } from './nodes.ts'
import { mayLead, type Lvs } from './options.ts'
import { nodeStatus, ownAddress } from './node-status.ts'
import { goOnWire, isOnWire, keepSilent, leaveWire, untilAnnounced } from './address.ts'
import { restoreBesideParked } from '../dad/parked.ts'

/** What this node is in its group at this moment. */
export interface Role extends Group {
  leads: boolean
  /** Clients are led to it. */
  serves: boolean
}

/** Who leads and who serves, as the daemon knows the nodes now. Without an answer nobody does, and that is said. */
export async function roleOf(node: Node, { members, file, publicIp }: Lvs): Promise<Role> {
  const statuses = await nodeStatus(node, ['all'])
  if (typeof statuses === 'string') {
    node.say(`WARNING: the LVS leader is not known, this node serves as a follower: ${statuses}`)
    return { leader: undefined, servers: [], leads: false, serves: false }
  }
  const group = groupOf(members, statuses)
  const { leader, servers } = group
  node.because(
    leader
      ? `node ${leader.number} leads ${publicIp}, of the usable nodes in ${file} the first that may; served by ${servers.map(({ number }) => number).join(', ')}`
      : `no node of ${file} is usable and may lead`,
  )
  return { ...group, leads: leader?.self === true, serves: servers.some(({ self }) => self) }
}

/** A node that the nodes file does not name has no part in it. */
export async function takesPart(node: Node, { members, file, publicIp }: Lvs): Promise<boolean> {
  const own = await ownAddress(node)
  if (own === undefined || members.some(({ address }) => address === own)) return true
  node.say(`WARNING: ${file} does not name this node (${own}): it has no part in serving ${publicIp}`)
  return false
}

/**
 * 1. The services, with every usable node as a server, and this one.
 * 2. The address on the wire, and the network told.
 * What cannot be done is undone: this node is a follower then. Gives back why, in one sentence: it is for monitor to
 * make such a node unhealthy, so that another leads; a node whose ipreallocated fails is banned, and the next one after it.
 */
export async function lead(node: Node, lvs: Lvs, { servers }: Group): Promise<string | undefined> {
  const { publicIp, iface } = lvs
  const here = familyOf(publicIp) === 'inet' ? '127.0.0.1' : '::1'
  const others = servers.filter(({ self }) => !self).map(({ address }) => address)
  const wrong = await distribute(node, publicIp, [...others, here])
  const unseen = wrong ?? (await goOnWire(node, publicIp, iface))
  if (unseen === undefined) return undefined
  await follow(node, publicIp)
  return `ERROR: this node cannot lead ${publicIp}: ${unseen}`
}

async function distribute(
  node: Node,
  publicIp: string,
  servers: readonly string[],
): Promise<string | undefined> {
  const wrong = await setServices(node, publicIp, servers)
  // clients of a server that is gone are told so by their next packet, not left to time out
  if (wrong === undefined) await keepSysctl(node, '/proc/sys/net/ipv4/vs/expire_nodest_conn', '1')
  return wrong
}

/** The address is here for what the leader hands on, silently; nothing is handed on from here. */
export async function follow(node: Node, publicIp: string): Promise<void> {
  await keepSilent(node, publicIp)
  await stopServices(node, publicIp)
}

/**
 * Another node leads.
 * 1. Silent at once: of IPv6, the other one passes the duplicate check only then.
 * 2. Clients come to the old leader until they know of the other, and what they send is handed on as before. Were it not,
 *    it would take their new connections for its own, and they would hang a moment later. The other nodes wait as well:
 *    what they have of clients is to go on until then.
 * 3. Nothing is handed on any more.
 */
export async function giveWay(node: Node, lvs: Lvs, { leader }: Role): Promise<void> {
  const { publicIp, iface } = lvs
  const last = await lastTime(node)
  await keepSilent(node, publicIp)
  const isNew = last?.publicIp === publicIp && leader !== undefined && last.leader !== leader.number
  if (isNew && iface !== '') await untilAnnounced(node, publicIp, iface)
  await stopServices(node, publicIp)
}

/** Nothing of it is left here: not the address, no services, no sysctls. */
export async function leave(node: Node, publicIp: string): Promise<void> {
  await leaveWire(node, publicIp)
  await stopServices(node, publicIp)
  await restoreSysctls(node, (path, before) => restoreBesideParked(node, path, before))
}

async function stopServices(node: Node, publicIp: string): Promise<void> {
  const wrong = await setServices(node, publicIp, undefined)
  if (wrong !== undefined) node.say(`WARNING: ${wrong}`)
}

/** The address in the options is another than at the last event: nothing of the old one stays. */
export async function leaveOld(node: Node, { publicIp }: Lvs): Promise<void> {
  const last = await lastTime(node)
  if (last === undefined || last.publicIp === publicIp) return
  node.because(`CTDB_LVS_PUBLIC_IP was ${last.publicIp}: taking that away`)
  await leave(node, last.publicIp)
}

/**
 * The connections of a node's clients come through the leader: under another leader they are nobody's, and so are those
 * of a node that is no longer served. Ended here at once; the client is told by the leader that does not know it.
 */
export async function endWhatChanged(node: Node, lvs: Lvs, { leader, serves }: Role): Promise<void> {
  const last = await lastTime(node)
  const same = last?.publicIp === lvs.publicIp && last.leader === (leader?.number ?? 'none')
  if (same && serves) return node.because('the leader is the same: connections go on')
  await endConnections(node, lvs.publicIp, lvs.iface || 'lo', () => false)
}

/** For the next event to compare with. */
export async function rememberLeader(node: Node, { publicIp }: Lvs, { leader }: Role): Promise<void> {
  await remember(node, { publicIp, leader: leader?.number ?? 'none' })
}

/** A node that may lead must be able to: the daemon then chooses another before it is needed. */
export async function whyCannotLead(node: Node, lvs: Lvs): Promise<string | undefined> {
  return (await mayLead(node, lvs)) ? await whyNoIpvs(node) : undefined
}

/** A leader that could not lead, as another host had the address, does so as soon as it can. Gives back why it cannot. */
export async function leadAgain(node: Node, lvs: Lvs): Promise<string | undefined> {
  const last = await lastTime(node)
  if (last?.publicIp !== lvs.publicIp || last.leader === 'none') return undefined
  if (last.leader !== (await ownNumber(node))) return undefined
  if (await isOnWire(node, lvs.publicIp, lvs.iface)) return undefined
  const role = await roleOf(node, lvs)
  return role.leads ? await lead(node, lvs, role) : undefined
}
