/**
 * Policy routing: packets from a public address leave by the gateways that are meant for that address, IPv4 and
 * IPv6 alike. Each address has a routing table of its own, `ctdb.ADDRESS`, and a rule that leads to it. Without
 * CTDB_PER_IP_ROUTING_CONF there is nothing to do.
 */
import {
  checkConf,
  filterArp,
  flushRouteCaches,
  forgetTableIds,
  hostedHere,
  keepPolicyRouting,
  mustBePrivileged,
  policyRouting,
  routeAddress,
  routeAll,
  tickleConnections,
  unrouteAddress,
  unrouteAll,
  type Handler,
  type Node,
} from '../runner/handler.ts'

export default {
  about: 'policy routing: what is sent from a public address leaves by its own gateway',
  when: 'enabled',
  // CTDB's script knows no IPv6
  leaves:
    'rules and routes of IPv6 addresses stay: "eventscript run --only 13.per_ip_routing shutdown" takes them away, "ctdb event run 30 legacy ipreallocated" gives IPv4 its own again',

  /** A node that starts hosts nothing: rules and routes that a crash has left are removed. */
  async startup(node) {
    const routing = policyRouting(node)
    if (!routing) return
    await checkConf(node, routing)
    mustBePrivileged(node)
    await unrouteAll(node, routing)
    await filterArp(node)
  },

  /**
   * A mistake that would make a takeip fail later makes the node unhealthy now. Rules and routes that another program has
   * removed are added again, which fails nothing.
   */
  async monitor(node) {
    const routing = policyRouting(node)
    if (!routing) return
    await checkConf(node, routing)
    await keepPolicyRouting(node, routing)
  },

  /**
   * 1. Read and check the routes that are configured for the address.
   * 2. Give the address a table, the routes in it, and the rule that leads there: all of them, or none.
   * 3. Flush route caches.
   */
  async takeip(node, { iface, address, bits }) {
    const routing = policyRouting(node)
    if (!routing) return
    mustBePrivileged(node)
    await routeAddress(node, routing, { address, iface, bits })
    await flushRouteCaches(node)
  },

  /** As takeip, on the new interface. Then the clients are woken: packets went the old way meanwhile. */
  async updateip(node, { to, address, bits }) {
    const routing = policyRouting(node)
    if (!routing) return
    mustBePrivileged(node)
    await routeAddress(node, routing, { address, iface: to, bits })
    await flushRouteCaches(node)
    await tickleConnections(node, address)
  },

  /** The rule and the routes are removed, whatever the configuration says by now. */
  async releaseip(node, { address }) {
    const routing = policyRouting(node)
    if (!routing) return
    mustBePrivileged(node)
    await unrouteAddress(node, routing, address)
  },

  /** Missing rules and routes are added: routes go with an interface. Leftover ones are removed. */
  async ipreallocated(node) {
    await renew(node, false)
  },

  /** The admin has changed the configuration: all routes are added afresh. */
  async reconfigure(node) {
    if (!policyRouting(node)) return
    node.say('Reconfiguring service "per_ip_routing"...')
    await renew(node, true)
    await flushRouteCaches(node)
  },

  /** Rules, routes and the names of our tables are removed. As long as a rule stays, so do the names, by which it is found again. */
  async shutdown(node) {
    const routing = policyRouting(node)
    if (!routing) return
    mustBePrivileged(node)
    if (await unrouteAll(node, routing)) await forgetTableIds(node)
  },
} satisfies Handler

async function renew(node: Node, force: boolean): Promise<void> {
  const routing = policyRouting(node)
  if (!routing) return
  mustBePrivileged(node)
  const hosted = await hostedHere(node)
  if (typeof hosted === 'string')
    return node.say(`WARNING: policy routing is left as it is, as nobody says what is hosted here: ${hosted}`)
  await routeAll(node, routing, hosted, force)
}
