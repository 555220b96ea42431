/**
 * The whole vocabulary of a handler. A file in events.d imports this and nothing else: what is not here, a
 * handler does not do.
 */
export type { Handler, Node } from './node/node.ts'
export { refuse } from './base/refusal.ts'
export { NO_INTERFACE } from './node/events.ts'
export { announce, prepareAnnouncement } from './net/announce/announce.ts'
export { watchParked } from './net/background.ts'
export { updateHosted } from './net/address/hosted-list.ts'
export { endConnections, tickleConnections } from './net/clients/connections.ts'
export { hostedAccordingToDaemon } from './net/ctdb/tool.ts'
export { blocked, unblock } from './net/clients/firewall.ts'
export type { Link } from './net/ip-json.ts'
export { interfaces, pick, whereIs } from './net/address/interfaces.ts'
export {
  endWhatChanged,
  followLeader,
  giveWay,
  lead,
  leadAgain,
  leave,
  leaveOld,
  roleOf,
  takesPart,
  whyCannotLead,
} from './net/lvs/lvs.ts'
export { forgetLeader, rememberLeader } from './net/lvs/last-leader.ts'
export { lvsAddress, lvsOptions, mustBeFree } from './net/lvs/options.ts'
export { dropAll, move, putRight } from './net/move/relocate.ts'
export { isParkingPlace, parkedHere } from './net/dad/parked.ts'
export { deleteAddress } from './net/address/add-delete.ts'
export { publicAddresses, readPublicAddresses, refuseProblems } from './net/address/public-addresses.ts'
export {
  checkConf,
  routeAddress,
  routeAll,
  unrouteAddress,
  unrouteAll,
} from './net/routing/policy-routing.ts'
export { hostedHere } from './net/routing/hosted.ts'
export { policyRouting } from './net/routing/options.ts'
export { forgetTableIds } from './net/routing/tables.ts'
export { addStaticRoutes, staticRoutes } from './net/routing/static-routes.ts'
export { filterArp, flushRouteCaches } from './net/sysctl/sysctl.ts'
export { take } from './net/move/take.ts'
export { restoreDadTimers, withDadTimers } from './net/dad/timers.ts'
export { forgetTickles, updateTickles } from './net/clients/tickles.ts'
export type { DadOutcome } from './net/dad/conflict.ts'
export { bringUp, checkLink, checkLinks } from './net/address/link.ts'
export { mustBePrivileged } from './net/privilege.ts'
export { isRight, where } from './net/address/placement.ts'
export { warnIfDifferent } from './net/address/warn-if-different.ts'
export { forgetParked } from './net/dad/park.ts'
