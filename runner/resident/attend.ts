import type { LiveOptions } from '../system/live.ts'
import { Interrupted } from '../system/errors.ts'

/** A process that works on something. */
export interface Worker {
  pid: number | undefined
  /** It and the program that it runs: who waits hears that it was ended (`Ended`). */
  kill: () => void
}

/** Ended with what it was doing, as somebody's time was up. No Refusal: who has time left does it again. */
export class Ended extends Error {
  override name = 'Ended'
}

export interface Work<Result> {
  done: () => Promise<Result>
  /** How it is done when it was ended before, and may or may not have been done; as before, if nothing else is said. */
  again?: () => Promise<Result>
  /** The process that is at it now: not at something else that comes before. */
  by: () => Worker | undefined
  /** Told when nobody waits for it any longer. */
  left?: () => void
}

export interface AttendOptions extends Omit<LiveOptions, 'ownGroups'> {
  signal: AbortSignal
  /** Milliseconds; what nobody waits for is ended when one process was at it for that long. */
  cap?: number
}

export interface Attendant {
  /** Wait for it until the time is up. */
  attend: <Result>(argv: readonly string[], work: Work<Result>) => Promise<Result>
  /** The same for what takes back what was done: it goes on when the time is up, until its own end comes. */
  finish: <Result>(argv: readonly string[], work: Work<Result>) => Promise<Result>
}

/** The longest that a program of ours needs by itself; nobody who waits is kept so short. */
const CAP_MS = 10_000

/**
 * Waits for work that others may wait for as well. At a deadline the process that is at it is explained and ended, and
 * the others have it done again. What is cancelled only leaves.
 */
export function attendant({ signal, beforeEnd, atOnce, cap = CAP_MS }: AttendOptions): Attendant {
  const aborted = abortOf(signal)

  async function attend<Result>(argv: readonly string[], work: Work<Result>): Promise<Result> {
    const began = Date.now()
    const attempt = { isLeft: false }
    const result = persistently(work, attempt)
    const ended = await Promise.race([aborted, result])
    if (ended !== ABORTED) return ended
    attempt.isLeft = true
    work.left?.()
    endInTime(result, work.by, cap)
    const culprit = work.by()
    if (culprit?.pid !== undefined && !atOnce?.(signal.reason)) {
      await beforeEnd?.(culprit.pid, '')
      if (work.by()?.pid === culprit.pid) culprit.kill()
    }
    throw new Interrupted(argv, Date.now() - began, signal.reason)
  }

  return {
    attend,
    async finish(argv, work) {
      const began = Date.now()
      const attempt = { isLeft: false }
      const result = persistently(work, attempt)
      void aborted.then(() => endInTime(result, work.by, cap, () => (attempt.isLeft = true)))
      try {
        return await result
      } catch (error) {
        throw error instanceof Ended ? new Interrupted(argv, Date.now() - began, signal.reason) : error
      }
    },
  }
}

/** Again and again when it was ended for another's sake: each time that other is one less. */
async function persistently<Result>(work: Work<Result>, attempt: { isLeft: boolean }): Promise<Result> {
  for (let { done } = work; ; done = work.again ?? work.done)
    try {
      return await done()
    } catch (error) {
      if (!(error instanceof Ended) || attempt.isLeft) throw error
    }
}

/** An end for what nobody waits for: the process that is seen at it at two looks. */
export function endInTime(
  result: Promise<unknown>,
  by: Work<unknown>['by'],
  cap = CAP_MS,
  ending: () => void = () => {},
): void {
  let before: Worker | undefined
  const look = setInterval(() => {
    const now = by()
    if (now && now.pid === before?.pid) {
      ending()
      now.kill()
    }
    before = now
  }, cap)
  look.unref()
  const over = () => clearInterval(look)
  result.then(over, over)
}

const ABORTED = Symbol('aborted')

/** One for all steps of a handler: to listen anew at each costs as much as the step itself. */
function abortOf(signal: AbortSignal): Promise<typeof ABORTED> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(ABORTED)
    else signal.addEventListener('abort', () => resolve(ABORTED), { once: true })
  })
}
