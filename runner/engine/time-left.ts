import type { HandlerReport } from './report.ts'

export interface Limits {
  /** Milliseconds for each handler, from its own start. */
  handler: number
  /** Milliseconds for all handlers together; no limit by default. */
  event?: number
  /** Go on after a failure: only CTDB's test mode asks for that. */
  all?: boolean
}

/** The time of one handler. */
export interface HandlerTime {
  ms: number
  /** The sentence for the deadline; it names another handler that used up the event's time. */
  why: string
}

/** The time of the next handler: its own, or the rest of the event's. */
export function timeLeft(
  { handler, event = Infinity }: Limits,
  used: number,
  before: readonly HandlerReport[],
  waited: number,
): HandlerTime {
  // the first handler has all of the time, unless it has waited for its turn
  const own = Math.min(handler, event)
  if (own <= event - used || (before.length === 0 && waited < 1))
    return { ms: own, why: `timed out after ${own / 1000} s` }
  const slowest = before.toSorted((a, b) => b.ms - a.ms)[0]
  const blame =
    slowest && slowest.ms > Math.min(waited, used)
      ? `${(slowest.ms / 1000).toFixed(1)} s of it taken by ${slowest.name}`
      : `${(Math.min(waited, used) / 1000).toFixed(1)} s of it waiting while scripts of other events ran`
  return {
    ms: waited === Infinity ? 0 : Math.max(0, event - used),
    why: `timed out after the ${event / 1000} s of the event, ${blame}`,
  }
}
