/**
 * The whole vocabulary of a handler, by subject. A file in events.d imports this and nothing else: what is not here, a
 * handler does not do.
 */

// this node, and how a handler says no
export type { Handler, Node } from './node/node.ts'
export { NO_INTERFACE } from './node/events.ts'
export { refuse } from './base/refusal.ts'
export { mustBePrivileged } from './net/privilege.ts'

// the files of CTDB and its daemon
export {
  goodPublicAddresses,
  hasPublicAddresses,
  readPublicAddresses,
  refuseProblems,
  releasableAddresses,
} from './net/address/public-addresses.ts'
export { updateHosted } from './net/address/hosted-list.ts'
export { hostedAccordingToDaemon } from './net/ctdb/tool.ts'
export { hostedHere } from './net/routing/wanted/hosted.ts'

// interfaces and the addresses on them
export type { Held, Link } from './net/ip-json.ts'
export { bringUp, checkLink, checkLinks, mustCarry } from './net/address/link.ts'
export { interfaces, pick, placesIn, whereIs } from './net/address/interfaces.ts'
export { isRight, where, type Placement } from './net/address/placement.ts'
export { warnIfDifferent } from './net/address/warn-if-different.ts'
export { deleteAddress, keepForEver } from './net/address/add-delete.ts'
export { take } from './net/move/take.ts'
export { dropAll, move, putRight } from './net/move/relocate.ts'

// duplicate address detection
export type { DadOutcome } from './net/dad/conflict.ts'
export { restoreDadTimers, withDadTimers } from './net/dad/timers.ts'
export { hasToTry, isParkingPlace } from './net/dad/parked.ts'
export { forgetParked, forgetParkedIfPossible } from './net/dad/park.ts'
export { watch } from './net/dad/watch.ts'

// the clients: firewall, connections, announcements
export { blocked } from './net/clients/blocked.ts'
export { unblock, unblockAgain } from './net/clients/unblock.ts'
export { endConnections, tickleConnections } from './net/clients/connections.ts'
export { forgetTickles, updateTickles } from './net/clients/tickles.ts'
export { announce, prepareAnnouncement } from './net/announce/announce.ts'
export { watchParked } from './net/background.ts'

// routes
export { filterArp, flushRouteCaches, mustPromote } from './net/sysctl/sysctl.ts'
export { addStaticRoutes, staticRoutes } from './net/routing/static-routes.ts'
export { policyRouting } from './net/routing/names/options.ts'
export { forgetTableIds } from './net/routing/names/tables.ts'
export { routeAddress, routeAll } from './net/routing/policy-routing.ts'
export { unrouteAddress, unrouteAll } from './net/routing/take-away.ts'
export { keepPolicyRouting } from './net/routing/upkeep/keep-policy-routing.ts'
export { keepStaticRoutes } from './net/routing/upkeep/keep-static-routes.ts'
export { checkConf } from './net/routing/wanted/wanted-routes.ts'

// LVS
export { keepLvsSysctls } from './net/lvs/keep-sysctls.ts'
export { lvsAddress, lvsOptions, mustBeFree } from './net/lvs/options.ts'
export { forgetLeader, rememberLeader } from './net/lvs/last-leader.ts'
export {
  endWhatChanged,
  followLeader,
  giveWay,
  lead,
  leave,
  leaveOld,
  resumeRole,
  roleOf,
  takesPart,
  whyCannotLead,
} from './net/lvs/lvs.ts'
