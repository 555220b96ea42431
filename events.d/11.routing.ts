/**
 * Static routes out of /etc/ctdb/static-routes, IPv4 and IPv6. A route can need an address of the gateway's subnet on its
 * interface, and goes with the last one: so routes are looked after when addresses have moved. Without that file there is
 * nothing to do.
 */
import {
  addStaticRoutes,
  keepStaticRoutes,
  mustBePrivileged,
  staticRoutes,
  type Handler,
} from '../runner/handler.ts'

export default {
  about: 'static routes: back when an address of their interface is',
  when: 'enabled',

  /** Addresses have come and gone: routes that are missing are added. */
  async ipreallocated(node) {
    const routes = await staticRoutes(node)
    if (!routes) return
    mustBePrivileged(node)
    await addStaticRoutes(node, routes)
  },

  /** Routes that another program has removed are added again. */
  async monitor(node) {
    await keepStaticRoutes(node)
  },

  /** An address has moved from one interface to another: only routes of these two are looked after. */
  async updateip(node, { from, to }) {
    const routes = await staticRoutes(node)
    if (!routes) return
    mustBePrivileged(node)
    await addStaticRoutes(node, routes, [from, to])
  },
} satisfies Handler
