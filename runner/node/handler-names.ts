/**
 * The names of handlers, ours or CTDB's, whose options or work other code must know. That code can load no module: a bundled
 * script has none beside it, and a script of CTDB is none. Everything else a handler declares itself.
 */
export const PUBLIC_ADDRESSES = '10.interface'
export const NAT_GATEWAY = '11.natgw'
export const STATIC_ROUTES = '11.routing'
export const POLICY_ROUTING = '13.per_ip_routing'
export const LVS_ADDRESS = '91.lvs'
