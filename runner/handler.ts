/**
 * The whole vocabulary of a handler. A file in events.d imports this and nothing else: what is not here, a
 * handler does not do.
 */
export type { Handler, Node } from './node/node.ts'
export { refuse } from './base/refusal.ts'
export { NO_INTERFACE } from './node/events.ts'
export { announce, prepareAnnouncement, watchParked } from './net/announce.ts'
export { updateHosted } from './net/cache.ts'
export type { Outcome } from './net/conflict.ts'
export { endConnections, tickleConnections } from './net/connections.ts'
export { hostedAccordingToDaemon } from './net/ctdb.ts'
export { blocked, unblock } from './net/firewall.ts'
export { checkLink, checkLinks } from './net/link.ts'
export type { Link } from './net/ip.ts'
export { interfaces, mustBePrivileged, pick, whereIs } from './net/look.ts'
export {
  endWhatChanged,
  follow,
  giveWay,
  lead,
  leadAgain,
  leave,
  leaveOld,
  rememberLeader,
  roleOf,
  takesPart,
  whyCannotLead,
} from './net/lvs.ts'
export { remember } from './net/lvs-memory.ts'
export { lvsAddress, lvsOptions, mustBeFree } from './net/lvs-options.ts'
export { dropAll, move, putRight } from './net/move.ts'
export { forgetParked, isParkingPlace, parkedHere } from './net/parked.ts'
export { bringUp, deleteAddress, flushRouteCaches, isRight, warnIfDifferent, where } from './net/place.ts'
export { publicAddresses, readPublicAddresses, refuseProblems } from './net/public-addresses.ts'
export { checkConf, routeAddress, routeAll, unrouteAddress, unrouteAll } from './net/routing.ts'
export { hostedHere } from './net/routing-hosted.ts'
export { policyRouting } from './net/routing-options.ts'
export { forgetTableIds } from './net/routing-tables.ts'
export { addStaticRoutes, staticRoutes } from './net/static-routes.ts'
export { filterArp } from './net/sysctl.ts'
export { take } from './net/take.ts'
export { restoreDadTimers, withDadTimers } from './net/timers.ts'
export { forgetTickles, updateTickles } from './net/tickles.ts'
