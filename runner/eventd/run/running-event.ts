import { Stopper } from '../../machine/stop.ts'
import { ERRNO } from '../protocol/messages.ts'
import { Cancelled, type Job } from './job.ts'

/** The present step of an event, for `eventscript top`. */
export interface EventStep {
  handler?: string
  /** The program that the handler waits for, and its start in milliseconds of the monotonic clock. */
  argv?: readonly string[]
  since?: number
}

/** An event from its start until everything that it started has ended. Its client is answered once. */
export class RunningEvent {
  readonly job: Job
  /** The public address that the event moves; undefined for an event about the whole node. */
  readonly address: string | undefined
  /** The start, in milliseconds of the monotonic clock. */
  readonly since = performance.now()
  /** Fires when the event has to stop; the reason is a Cancelled. */
  readonly stop = new Stopper()
  step: EventStep = {}
  /** Resolves when everything has ended; set by the queue. */
  ended: Promise<void> = Promise.resolve()
  #isAnswered = false

  constructor(job: Job, address: string | undefined) {
    this.job = job
    this.address = address
  }

  get isAnswered(): boolean {
    return this.#isAnswered
  }

  /** Answer the client, unless the client has its answer already. */
  answer(result: number): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.job.answer(result)
  }

  /** End the event; the client reads that it was cancelled. */
  cancel(why: string): void {
    this.stop.abort(new Cancelled(why))
    this.answer(ERRNO.ECANCELED)
  }

  /** End the event without an answer. */
  abandon(why: string): void {
    this.#isAnswered = true
    this.stop.abort(new Cancelled(why))
  }
}
