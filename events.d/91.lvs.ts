/**
 * One address for the whole cluster (LVS): the leader has the address on the wire and spreads clients over the nodes, the
 * others hold it silently and answer the clients themselves. IPv4 and IPv6. Off unless CTDB_LVS_NODES is set.
 */
import {
  checkLink,
  endConnections,
  endWhatChanged,
  flushRouteCaches,
  followLeader,
  forgetLeader,
  giveWay,
  keepLvsSysctls,
  lead,
  leave,
  leaveOld,
  lvsAddress,
  lvsOptions,
  mustBePrivileged,
  mustBeFree,
  refuse,
  rememberLeader,
  resumeRole,
  roleOf,
  takesPart,
  whyCannotLead,
  type Handler,
  type Node,
} from '../runner/handler.ts'

export default {
  about: 'LVS: one address for all nodes, clients spread by the leader',
  when: 'enabled',
  // CTDB's script knows no IPv6
  leaves:
    'an IPv6 address and its services stay: "eventscript run --only 91.lvs shutdown" takes them away, with IPv4\'s: "ctdb event run 30 legacy ipreallocated" sets these up again',

  /** A leader that died may still be on the wire: a node that starts leaves the wire. */
  async init(node) {
    if (isOff(node)) return
    const publicIp = lvsAddress(node)
    mustBePrivileged(node)
    await leave(node, publicIp)
    await forgetLeader(node)
  },

  /** Mistakes in the options are reported before the node serves anybody. */
  async setup(node) {
    const lvs = await lvsOptions(node)
    if (lvs) await mustBeFree(node, lvs)
  },

  /** A node starts as a follower, whoever leads. A node that could not lead says so. */
  async startup(node) {
    const lvs = await lvsOptions(node)
    if (!lvs) return
    await mustBeFree(node, lvs)
    mustBePrivileged(node)
    if (!(await takesPart(node, lvs))) return
    await followLeader(node, lvs.publicIp)
    const unable = await whyCannotLead(node, lvs)
    if (unable) node.say(unable)
  },

  /**
   * Sysctls that another program has changed are set again. The interface must have a link, and a node that may lead must be able to.
   * The options may have changed since `setup`.
   */
  async monitor(node) {
    const lvs = await lvsOptions(node)
    if (!lvs) return
    await mustBeFree(node, lvs)
    await keepLvsSysctls(node, lvs)
    const error =
      (lvs.iface && (await checkLink(node, lvs.iface))) ||
      (await whyCannotLead(node, lvs)) ||
      (await resumeRole(node, lvs))
    if (error) refuse(error)
  },

  /**
   * 1. Find who leads and who serves, by the daemon's flags and the nodes file.
   * 2. Remove an address that the options no longer name. A node that the nodes file does not name leaves.
   * 3. Give way: a node that does not lead falls silent, waits until a new leader is seen, and hands nothing on.
   * 4. End connections under another leader, and on a node that no longer serves.
   * 5. Lead: the services first, then the address on the wire, announced.
   * A node that cannot lead, or cannot give way, says so and ends well: a failing event would ban it. Monitor tries again.
   */
  async ipreallocated(node) {
    const lvs = await lvsOptions(node)
    if (!lvs) return
    mustBePrivileged(node)
    const role = await roleOf(node, lvs)
    await leaveOld(node, lvs)
    if (!(await takesPart(node, lvs))) return await leave(node, lvs.publicIp)
    const stuck = role.leads ? undefined : await giveWay(node, lvs, role)
    await endWhatChanged(node, lvs, role)
    await rememberLeader(node, lvs, role)
    const unable = role.leads ? await lead(node, lvs, role) : stuck
    if (unable) node.say(`${unable}: tried again at each monitor`)
    await flushRouteCaches(node)
  },

  /** A node that stops leaves nothing, whatever is wrong with the nodes file. */
  async shutdown(node) {
    if (isOff(node)) return
    const publicIp = lvsAddress(node)
    mustBePrivileged(node)
    await endConnections(node, publicIp, node.settings.text('CTDB_LVS_PUBLIC_IFACE') || 'lo', () => false)
    await leave(node, publicIp)
    await flushRouteCaches(node)
    await forgetLeader(node)
  },
} satisfies Handler

function isOff(node: Node): boolean {
  return node.settings.text('CTDB_LVS_NODES') === ''
}
