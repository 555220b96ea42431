import { setImmediate as aMoment } from 'node:timers/promises'
import type { Facts } from '../../node/facts.ts'
import { runEvent } from '../../engine/run-event.ts'
import type { World } from '../../engine/world.ts'
import type { Entry } from '../../engine/find-handlers.ts'
import type { HandlerReport, Report } from '../../engine/report.ts'
import { altered, type System } from '../../machine/machine.ts'
import { asSleep } from '../../machine/wait.ts'
import type { Stop } from '../../machine/stop.ts'
import type { Early } from '../../resident/prefetch.ts'
import type { SharedMachine } from '../../resident/shared-machine.ts'
import type { HungScripts } from '../hung/hung-scripts.ts'
import type { Log } from '../conf/log.ts'
import { ERRNO } from '../protocol/messages.ts'
import { isPublicAddresses, type ScriptFolder } from './scripts.ts'
import { asEventStatus } from './event-status.ts'
import { Cancelled } from './job.ts'
import { runnable } from './runnable.ts'
import type { RunningEvent } from './running-event.ts'
import type { ScriptLog } from './script-log.ts'
import type { Statuses } from './statuses.ts'

/** The parts that all events of a component share. */
export interface EventSurroundings {
  facts: Facts
  log: Log
  scripts: ScriptFolder
  machine: SharedMachine
  statuses: Statuses
  hung: HungScripts
  scriptLog: ScriptLog
  /** Hears of each run that has ended. */
  keepRun: (report: Report) => void
  /** The semaphore that limits how many executables run at once. */
  turn: World['turn']
}

/** Milliseconds after a deadline: 2 s for the explanation, 5 s for the debug script, 2 s from TERM to KILL. */
const GRACE_MS = 10_000

/** The results of a run request. ENOEXEC stands for any failure of a script: the status has the details. */
const RESULTS: Record<Report['outcome'], number> = {
  ok: 0,
  failed: ERRNO.ENOEXEC,
  timedout: ERRNO.ETIMEDOUT,
}

/** One run of one event: its scripts one after the other, its status, its result (event/event_cmd.c of CTDB 4.17). */
export class EventRun {
  readonly #event: RunningEvent
  readonly #early: (result: number) => void
  readonly #on: EventSurroundings
  readonly #ended: HandlerReport[] = []

  /** `early` takes the result at the deadline, before the hung script has been looked at. */
  constructor(event: RunningEvent, early: (result: number) => void, on: EventSurroundings) {
    this.#event = event
    this.#early = early
    this.#on = on
  }

  /** The result for the client: 0 or an errno, positive. */
  async perform(): Promise<number> {
    const { scripts, machine } = this.#on
    const { event, words } = this.#event.job
    // our handler ran at the last event: its questions are on their way while the folder is read
    const begun = scripts.hasOurs ? machine.foresee(event, words) : undefined
    if (begun) await aMoment()
    const entries = await scripts.look((line) => this.#on.log.write('ERROR', line))
    return typeof entries === 'number' ? entries : this.#finish(await this.#runAll(entries, begun))
  }

  async #runAll(found: readonly Entry[], begun: Early | undefined): Promise<Report> {
    const { job, stop } = this.#event
    const { event, entries } = runnable(job, found)
    const limits = { handler: job.limit, event: job.limit, all: job.all }
    return await runEvent(entries, event, this.#world(begun), limits, (report) => {
      this.#ended.push(report)
      if (!stop.aborted) this.#on.scriptLog.write(report)
    })
  }

  /** Keep the run and the status, log the failure, and give back the result. */
  #finish(report: Report): number {
    const { outcome, handlers } = report
    const { job, stop } = this.#event
    const isCancelled = stop.reason instanceof Cancelled
    // a monitor that gives way has found nothing out
    if (!isCancelled || job.event !== 'monitor') this.#on.keepRun(report)
    // the client has its answer, and the status stays that of the run before
    if (isCancelled) return 0
    // an executable may ask for the same by its exit status, 64 + ECANCELED
    if (handlers.some(({ result }) => result === -ERRNO.ECANCELED)) return ERRNO.ECANCELED
    this.#on.statuses.keep(job.event, asEventStatus(handlers))
    if (outcome !== 'ok' && !job.all)
      this.#on.log.write('NOTICE', `${job.event} event ${outcome === 'failed' ? 'failed' : 'timed out'}`)
    return RESULTS[outcome]
  }

  #world(begun: Early | undefined): World {
    return {
      facts: this.#on.facts,
      interrupt: this.#event.stop,
      grace: GRACE_MS,
      turn: this.#on.turn,
      system: (stop, entry) => this.#systemFor(stop, isPublicAddresses(entry) ? begun : undefined),
      note: (note) => {
        if (note.verb === 'handler') this.#event.step = { handler: note.name }
      },
      late: (name, began) => this.#answerLate(name, began),
    }
  }

  #systemFor(signal: Stop, early: Early | undefined): System {
    const system = this.#on.machine.system({
      signal,
      early,
      atOnce: (reason) => reason instanceof Cancelled,
      beforeEnd: (pid, soFar) => this.#lookAt(pid, soFar),
    })
    return this.#noting(system)
  }

  /** The same machine; the program that runs becomes the step of the event. */
  #noting(system: System): System {
    const event = this.#event
    const ended = () => (event.step = { handler: event.step.handler })
    function during<Result>(argv: readonly string[], work: Promise<Result>): Promise<Result> {
      event.step = { handler: event.step.handler, argv, since: performance.now() }
      work.then(ended, ended)
      return work
    }
    return altered(system, {
      run: (verb, argv, options) => during(argv, system.run(verb, argv, options)),
      wait: (ms) => during(asSleep(ms), system.wait(ms)),
    })
  }

  /** The client does not wait while the hung script is looked at. The debug script asks for this status. */
  #answerLate(name: string, start: Date): void {
    const began = start.toISOString()
    const ms = Date.now() - start.getTime()
    const late: HandlerReport = { name, began, ms, output: [], outcome: 'timedout' }
    this.#on.statuses.keep(this.#event.job.event, asEventStatus([...this.#ended, late]))
    this.#early(ERRNO.ETIMEDOUT)
  }

  async #lookAt(pid: number, soFar: string): Promise<void> {
    const { job, step } = this.#event
    this.#on.statuses.keepOutput(job.event, soFar)
    await this.#on.hung.look({ pid, handler: step.handler, event: job.event, isQuiet: job.all })
  }
}
