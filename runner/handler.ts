/**
 * The whole vocabulary of a handler. A file in events.d imports this and nothing else: what is not here, a
 * handler does not do.
 */
import type { Settings } from './config.ts'
import type { Arguments } from './events.ts'
import type { Door } from './system/door.ts'

/** This node of the cluster: the door to its machine, its settings, and a voice. */
export interface Node extends Door {
  settings: Settings
  /** One line for the log, in the admin's words. CTDB logs every line that a handler says, at level ERROR. */
  say: (line: string) => void
  /** Why something is done or left: "explain" and recordings show it, the log does not. */
  because: (reason: string) => void
  /** Fail the event with one sentence: the subject, what was seen, what was expected, what to do. */
  refuse: (sentence: string) => never
}

/** What a handler does at each event it knows. An event that it does not name is none of its business. */
export type Handler = {
  /** What it looks after, in a few words: `eventscript list` prints them. */
  about: string
} & { [E in keyof Arguments]?: (node: Node, args: Arguments[E]) => Promise<void> } & {
  [E in 'init' | 'setup' | 'startup' | 'monitor' | 'ipreallocated' | 'shutdown']?: (
    node: Node,
  ) => Promise<void>
} & {
  [E in 'startrecovery' | 'recovered' | 'startipreallocate' | 'reconfigure']?: (node: Node) => Promise<void>
}

export { refuse } from './refusal.ts'
export { NO_INTERFACE } from './events.ts'
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
