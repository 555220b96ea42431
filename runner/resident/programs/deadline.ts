import { setTimeout as sleep } from 'node:timers/promises'
import { KILLED_MS } from '../../machine/live/end-program.ts'
import type { LiveOptions } from '../../machine/live/live.ts'
import { Interrupted } from '../../machine/errors.ts'
import type { Stop } from '../../machine/stop.ts'

/** A process that works on something. */
export interface Worker {
  pid: number | undefined
  /** The process and the program that it runs: who waits hears that it was ended (`WorkerEnded`). */
  kill: () => void
}

/** Ended with what it was doing, as somebody's time was up. No Refusal: who has time left does it again. */
export class WorkerEnded extends Error {
  override name = 'WorkerEnded'
}

export interface Work<Result> {
  done: () => Promise<Result>
  /** How it is done when it was ended before, and may or may not have been done; as before, if nothing else is said. */
  again?: () => Promise<Result>
  /** The process that is at it now: not at something else that comes before. */
  by: () => Worker | undefined
  /** Called when nobody waits for it any longer. */
  left?: () => void
}

export interface AttendantOptions extends Omit<LiveOptions, 'ownGroups'> {
  signal: Stop
  /** Milliseconds; what nobody waits for is ended when one process was at it for that long. */
  cap?: number
}

/** The longest that a program of ours needs by itself; nobody who waits is kept so short. */
const CAP_MS = 10_000

/**
 * Waits for work that others may wait for as well. At a deadline the process that is at it is explained and ended, and
 * the others have it done again. What is cancelled only leaves.
 */
export class Attendant {
  readonly #options: AttendantOptions
  readonly #cap: number
  /** To be called when the time is up. One listener for all steps of a handler: each by itself is expensive. */
  readonly #waiting = new Set<() => void>()

  constructor(options: AttendantOptions) {
    this.#options = options
    this.#cap = options.cap ?? CAP_MS
    options.signal.addEventListener('abort', () => {
      for (const leave of this.#waiting) leave()
    })
  }

  /** Wait for the work until the time is up. */
  // without `async`: hundreds of events take these steps at once, and each promise less counts
  attend<Result>(argv: readonly string[], work: Work<Result>): Promise<Result> {
    const { signal } = this.#options
    const began = Date.now()
    const attempt = { isLeft: false }
    const result = persistently(work, attempt)
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(leave)
        attempt.isLeft = true
        const interrupted = () => reject(new Interrupted(argv, Date.now() - began, signal.reason))
        this.#giveUp(work, result).then(interrupted, reject)
      }
      if (signal.aborted) return leave()
      this.#waiting.add(leave)
      result.then(
        (value) => this.#waiting.delete(leave) && resolve(value),
        (error: Error) => this.#waiting.delete(leave) && reject(error),
      )
    })
  }

  /** The same for what takes back what was done: it goes on when the time is up, until its own end comes. */
  async finish<Result>(argv: readonly string[], work: Work<Result>): Promise<Result> {
    const { signal } = this.#options
    const began = Date.now()
    const attempt = { isLeft: false }
    const result = persistently(work, attempt)
    const leave = () => endInTime(result, work.by, this.#cap, () => (attempt.isLeft = true))
    if (signal.aborted) leave()
    else this.#waiting.add(leave)
    try {
      return await result
    } catch (error) {
      throw error instanceof WorkerEnded ? new Interrupted(argv, Date.now() - began, signal.reason) : error
    } finally {
      this.#waiting.delete(leave)
    }
  }

  /** The process that is at it is explained and ended. */
  async #giveUp(work: Work<unknown>, result: Promise<unknown>): Promise<void> {
    const { signal, beforeEnd, atOnce } = this.#options
    work.left?.()
    endInTime(result, work.by, this.#cap)
    const culprit = work.by()
    if (culprit?.pid === undefined || atOnce?.(signal.reason)) return
    await beforeEnd?.(culprit.pid, '')
    if (work.by()?.pid !== culprit.pid) return
    culprit.kill()
    // a call to the kernel that has begun is still done: what comes next must find its result
    await Promise.race([result.catch(() => {}), sleep(KILLED_MS)])
  }
}

/** Again and again when it was ended for another's sake: each time that other is one less. */
function persistently<Result>(
  work: Work<Result>,
  attempt: { isLeft: boolean },
  done = work.done,
): Promise<Result> {
  return done().catch((error: unknown) => {
    if (!(error instanceof WorkerEnded) || attempt.isLeft) throw error
    return persistently(work, attempt, work.again)
  })
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
