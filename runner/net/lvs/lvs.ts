import type { Node } from '../../node/node.ts'
import { refusalOr, refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { endConnections } from '../clients/connections.ts'
import { ownNumber } from '../ctdb/tool.ts'
import { setServices, whyNoIpvs } from './ipvs.ts'
import { keepOne, lvsRecord, putAllBack } from '../sysctl/kept.ts'
import { lastLeader } from './last-leader.ts'
import { groupOf, type Group } from './nodes.ts'
import { mayLead, type Lvs } from './options.ts'
import { nodeStatus, ownAddress } from './node-status.ts'
import { goOnWire, isKeptSilent, isOnWire, keepSilent, leaveWire, untilAnnounced } from './address.ts'
import { putBackBesideParked } from '../dad/arp-ignore.ts'

/** The role of this node in its group at this moment. */
export interface Role extends Group {
  leads: boolean
  /** Clients are sent to this node. */
  serves: boolean
}

/** Who leads and who serves, by the daemon's present view of the nodes. Without an answer: nobody, with a WARNING. */
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

/** Does the nodes file name this node? If not, the node takes no part, with a WARNING. */
export async function takesPart(node: Node, { members, file, publicIp }: Lvs): Promise<boolean> {
  const own = await ownAddress(node)
  if (own === undefined || members.some(({ address }) => address === own)) return true
  node.say(`WARNING: ${file} does not name this node (${own}): it has no part in serving ${publicIp}`)
  return false
}

/**
 * 1. Set the services, with this node and every other usable node as servers.
 * 2. Put the address on the wire, and announce it.
 * After a failure both are undone, and this node is a follower. Gives the reason as a sentence: monitor then makes the node
 * unhealthy, so that another leads. A failing ipreallocated would ban this node, and the next leader after it.
 */
export async function lead(node: Node, lvs: Lvs, { servers }: Group): Promise<string | undefined> {
  const { publicIp, iface } = lvs
  const here = familyOf(publicIp) === 'inet' ? '127.0.0.1' : '::1'
  const others = servers.filter(({ self }) => !self).map(({ address }) => address)
  const wrong = await refusalOr(
    async () =>
      (await distribute(node, publicIp, [...others, here])) ?? (await goOnWire(node, publicIp, iface)),
  )
  if (wrong === undefined) return undefined
  const left = await refusalOr(() => followLeader(node, publicIp))
  const nor = left === undefined ? '' : `; nor can it serve: ${left}`
  return `ERROR: this node cannot lead ${publicIp}: ${wrong}${nor}`
}

async function distribute(
  node: Node,
  publicIp: string,
  servers: readonly string[],
): Promise<string | undefined> {
  const wrong = await setServices(node, publicIp, servers)
  // the next packet of a client whose server is gone ends its connection, in place of a long timeout
  if (wrong === undefined) await keepOne(node, lvsRecord(node), '/proc/sys/net/ipv4/vs/expire_nodest_conn', 1)
  return wrong
}

/**
 * Hold the address silently, for packets that the leader hands on. This node hands nothing on, also when it cannot hold the
 * address: then a Refusal says why.
 */
export async function followLeader(node: Node, publicIp: string): Promise<void> {
  const wrong = await refusalOr(() => keepSilent(node, publicIp))
  await stopServices(node, publicIp)
  if (wrong !== undefined) refuse(wrong)
}

/**
 * Another node leads now.
 * 1. Be silent at once: for IPv6 the new leader passes the duplicate check only then.
 * 2. Hand packets on until the new leader is known: clients still come here. Otherwise this node would take their new
 *    connections for its own, and these would hang a moment later. The other nodes wait as well, and their connections go on.
 * 3. Stop handing on.
 * Gives the reason as a sentence when this node cannot be silent with the address: monitor then makes the node unhealthy.
 */
export async function giveWay(node: Node, lvs: Lvs, { leader }: Role): Promise<string | undefined> {
  const { publicIp, iface } = lvs
  const last = await lastLeader(node)
  const wrong = await refusalOr(() => keepSilent(node, publicIp))
  const isNew = last?.publicIp === publicIp && leader !== undefined && last.leader !== leader.number
  if (isNew && iface !== '') await untilAnnounced(node, publicIp, iface)
  await stopServices(node, publicIp)
  return wrong === undefined ? undefined : cannotServe(publicIp, wrong)
}

const cannotServe = (publicIp: string, wrong: string) => `ERROR: this node cannot serve ${publicIp}: ${wrong}`

/** Leave nothing here: neither the address, nor services, nor sysctls. All are tried before a failure is refused. */
export async function leave(node: Node, publicIp: string): Promise<void> {
  const wrong = await refusalOr(() => leaveWire(node, publicIp))
  await stopServices(node, publicIp)
  await putAllBack(node, lvsRecord(node), { putBack: (kept) => putBackBesideParked(node, kept) })
  if (wrong !== undefined) refuse(wrong)
}

async function stopServices(node: Node, publicIp: string): Promise<void> {
  const wrong = await setServices(node, publicIp, undefined)
  if (wrong !== undefined) node.say(`WARNING: ${wrong}`)
}

/** When the options name another address than at the last event: remove everything of the old one. */
export async function leaveOld(node: Node, { publicIp }: Lvs): Promise<void> {
  const last = await lastLeader(node)
  if (last === undefined || last.publicIp === publicIp) return
  node.because(`CTDB_LVS_PUBLIC_IP was ${last.publicIp}: taking that away`)
  await leave(node, last.publicIp)
}

/**
 * End connections after a change of leader, or when this node no longer serves: they came through the old leader, and no
 * node knows them any more. The new leader tells the clients by a reset.
 */
export async function endWhatChanged(node: Node, lvs: Lvs, { leader, serves }: Role): Promise<void> {
  const last = await lastLeader(node)
  const same = last?.publicIp === lvs.publicIp && last.leader === (leader?.number ?? 'none')
  if (same && serves) return node.because('the leader is the same: connections go on')
  await endConnections(node, lvs.publicIp, lvs.iface || 'lo', () => false)
}

/** Why a node that may lead is not able to: the daemon can then choose another before it is needed. */
export async function whyCannotLead(node: Node, lvs: Lvs): Promise<string | undefined> {
  return (await mayLead(node, lvs)) ? await whyNoIpvs(node) : undefined
}

/**
 * The role that the last ipreallocated gave to this node, again: what failed then may go well now. Gives the reason when it
 * still fails.
 */
export async function resumeRole(node: Node, lvs: Lvs): Promise<string | undefined> {
  const last = await lastLeader(node)
  if (last?.publicIp !== lvs.publicIp) return undefined
  const leads = last.leader !== 'none' && last.leader === (await ownNumber(node))
  return leads ? await leadAgain(node, lvs) : await serveAgain(node, lvs)
}

/** Lead as soon as possible after a failure, such as an address that another host had. */
async function leadAgain(node: Node, lvs: Lvs): Promise<string | undefined> {
  if (await isOnWire(node, lvs.publicIp, lvs.iface)) return undefined
  const role = await roleOf(node, lvs)
  return role.leads ? await lead(node, lvs, role) : undefined
}

/** Without the address on lo the packets that the leader hands on are lost. A node that takes no part has no address. */
async function serveAgain(node: Node, { publicIp, members }: Lvs): Promise<string | undefined> {
  const own = await ownAddress(node)
  if (own !== undefined && !members.some(({ address }) => address === own)) return undefined
  if (await isKeptSilent(node, publicIp)) return undefined
  const wrong = await refusalOr(() => keepSilent(node, publicIp))
  return wrong === undefined ? undefined : cannotServe(publicIp, wrong)
}
