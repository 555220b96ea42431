import { ERRNO } from '../protocol/messages.ts'
import { Admission } from './admission.ts'
import { movedAddress, releasesAll, type Job } from './job.ts'
import { RunningEvent } from './running-event.ts'

/**
 * Runs an event and gives back its result; never rejects. `event.stop` says when to stop. `early` takes a result at
 * the deadline, before all programs of the event have ended.
 */
export type RunJob = (event: RunningEvent, early: (result: number) => void) => Promise<number>

/**
 * The events of one component, in the order of the requests. Events that move a public address run side by side,
 * `atOnce` of them, but never two for the same address. Every other event waits until all before it have ended, and
 * all after it wait for its end. Past its deadline an event is waited for by those that concern its address, `init` and
 * `shutdown` among them. `monitor` gives way: a running one is cancelled by any other event, and a new one is
 * refused while another event runs (common/run_event.c of CTDB 4.17).
 */
export class EventQueue {
  readonly #run: RunJob
  readonly #atOnce: () => number
  readonly #admission = new Admission()
  readonly #running = new Set<RunningEvent>()
  #waiting: Job[] = []

  /** `atOnce`: how many events that move addresses may run at once, asked again for each. */
  constructor(run: RunJob, atOnce: () => number = () => 1) {
    this.#run = run
    this.#atOnce = atOnce
  }

  submit(job: Job): void {
    const monitor = this.#runningMonitor()
    if (monitor) monitor.cancel(`cancelled by ${job.event}`)
    else if (job.event === 'monitor' && this.#unanswered().length > 0) return job.answer(ERRNO.ECANCELED)
    this.#waiting.push(job)
    this.#startNext()
  }

  /** The client has gone: its waiting jobs are dropped, its running events are cancelled. */
  drop(owner: object): void {
    this.#waiting = this.#waiting.filter((job) => job.owner !== owner)
    for (const event of this.#unanswered())
      if (event.job.owner === owner) event.cancel('the client that asked for it has gone')
    // jobs that have waited for a dropped job need not wait any longer
    this.#startNext()
  }

  /** End the running events and forget the waiting jobs, without an answer. Resolves when all have ended. */
  async close(): Promise<void> {
    this.#waiting = []
    for (const event of this.#running) event.abandon('the event daemon ends')
    await Promise.all([...this.#running].map(({ ended }) => ended))
  }

  running(): RunningEvent[] {
    return [...this.#running]
  }

  waiting(): readonly Job[] {
    return this.#waiting
  }

  /** Are public addresses on the move, or about to be? */
  isMoving(): boolean {
    return this.#admission.movesAny || this.#waiting.some((job) => movedAddress(job) !== undefined)
  }

  #runningMonitor(): RunningEvent | undefined {
    // hundreds of events that move addresses need not be looked through
    if (!this.#admission.hasNodeEvent) return undefined
    return this.#unanswered().find(({ job }) => job.event === 'monitor')
  }

  #unanswered(): RunningEvent[] {
    return [...this.#running].filter(({ isAnswered }) => !isAnswered)
  }

  #startNext(): void {
    let i = 0
    while (i < this.#waiting.length && this.#admission.hasRoom(this.#atOnce())) {
      const job = this.#waiting[i] as Job
      const address = movedAddress(job)
      // no event overtakes one about the whole node
      if (this.#admission.hasNodeEvent) return
      if (address === undefined && (i > 0 || !this.#admission.isEmpty)) return
      // what is past its deadline may still bring an address
      if (releasesAll(job) && this.#admission.movesAny) return
      if (address !== undefined && this.#admission.moves(address)) i += 1
      else {
        this.#waiting.splice(i, 1)
        this.#start(new RunningEvent(job, address))
      }
    }
  }

  #start(event: RunningEvent): void {
    this.#running.add(event)
    this.#admission.enter(event)
    event.ended = this.#perform(event)
  }

  async #perform(event: RunningEvent): Promise<void> {
    // a defect of ours, unless the run gives back a result
    let result: number = ERRNO.EIO
    const early = (verdict: number) => {
      event.answer(verdict)
      this.#admission.passDeadline(event)
      this.#startNext()
    }
    try {
      result = await this.#run(event, early)
    } finally {
      // whatever went wrong, the next in line has its turn
      event.answer(result)
      this.#running.delete(event)
      this.#admission.leave(event)
      this.#startNext()
    }
  }
}
