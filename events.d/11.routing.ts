/**
 * Static routes out of /etc/ctdb/static-routes, IPv4 and IPv6. Some can be there only while their interface holds an
 * address of the gateway's subnet, and go with the last one: so they are looked after when addresses have moved.
 * Without that file there is nothing to do.
 */
import { addStaticRoutes, mustBePrivileged, staticRoutes, type Handler } from '../runner/handler.ts'

export default {
  about: 'static routes: back when an address of their interface is',
  when: 'enabled',

  async ipreallocated(node) {
    const routes = await staticRoutes(node)
    if (!routes) return
    mustBePrivileged(node)
    await addStaticRoutes(node, routes)
  },

  /** Only those of the two interfaces: an address has moved from the one to the other. */
  async updateip(node, { from, to }) {
    const routes = await staticRoutes(node)
    if (!routes) return
    mustBePrivileged(node)
    await addStaticRoutes(node, routes, [from, to])
  },
} satisfies Handler
