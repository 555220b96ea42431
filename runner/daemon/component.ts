import type { Facts } from '../config.ts'
import { runEvent, type World } from '../engine.ts'
import { parseEvent, type Event } from '../events.ts'
import type { Entry } from '../handlers.ts'
import type { HandlerReport, Report } from '../report.ts'
import { toShell } from '../system/argv.ts'
import { doorTo } from '../system/door.ts'
import { Interrupted } from '../system/errors.ts'
import { live } from '../system/live.ts'
import { witnessed } from '../system/record.ts'
import { isNote, type Note, type Step } from '../system/transcript.ts'
import type { Log } from './log.ts'
import { explainHung } from './hung.ts'
import { NoComponent } from './scripts.ts'
import { CANCELLED, Cancelled, queue, TIMED_OUT, type Job, type Queue } from './queue.ts'
import { linesOf, statusOf } from './status.ts'
import type { EventStatus } from './wire.ts'

/** What a component's events run on and tell to. */
export interface Surroundings {
  facts: Facts
  log: Log
  /** The full path of the debug script, if one is configured. */
  debugScript: string | undefined
  /** The scripts, read afresh; throws when the folder cannot be listed. */
  scripts: () => Entry[]
}

/** What is going on in a component, for `eventscript top`. Times in milliseconds. */
export interface Activity {
  running?: {
    event: string
    words: readonly string[]
    ms: number
    handler?: string
    program?: string
    programMs?: number
  }
  waiting: { event: string; words: readonly string[]; ms: number }[]
}

export interface Component extends Queue {
  /** Of each event that has come to its end, the last time. */
  status: (event: string) => EventStatus | undefined
  activity: () => Activity
}

/** Events by name whose status is kept: the protocol carries any name, memory is not for all of them. */
const MOST_STATUSES = 256
/** Behind a deadline: 2 s to explain, 5 s for the debug script, 2 s from TERM to KILL. */
const EXPLAIN_MS = 2000
const DEBUG_MS = 5000
const GRACE_MS = 10_000

/** The events of one folder of scripts: their queue, what they do, and how they ended. */
export function component({ facts, log, debugScript, scripts }: Surroundings): Component {
  const statuses = new Map<string, EventStatus>()
  let now: { handler?: string; program?: string; since?: number } = {}
  /** The reason last given for each script. */
  const said = new Map<string, string>()
  let debugging = false
  const events = queue(run)

  async function run(job: Job, signal: AbortSignal, early: (result: number) => void): Promise<number> {
    const ended: HandlerReport[] = []
    now = {}
    const world: World = {
      facts,
      interrupt: signal,
      grace: GRACE_MS,
      system: (handlers) => witnessed(machine(job, handlers), { begins, ended: finished, notes: () => {} }),
      note,
      late(name, began) {
        // the client is not kept waiting while we look at what hangs; the debug script asks for this status
        keep(
          job.event,
          statusOf([
            ...ended,
            {
              name,
              began: began.toISOString(),
              ms: Date.now() - began.getTime(),
              output: [],
              outcome: 'timedout',
            },
          ]),
        )
        early(TIMED_OUT)
      },
    }
    const { event, problem } = asEvent(job)
    const found = scriptsOrErrno()
    if (typeof found === 'number') return found
    const entries = problem ? found.map((entry) => refusing(entry, problem)) : found
    const limits = { handler: job.limit, event: job.limit, all: job.all }
    const report = await runEvent(entries, event, world, limits, (handler) => {
      ended.push(handler)
      if (!signal.aborted) tell(handler)
    })
    now = {}
    if (signal.reason instanceof Cancelled) return 0 // answered already; its status is that of the run before
    // a script may ask for that by its exit status, 64 + ECANCELED
    if (report.handlers.some(({ result }) => result === -CANCELLED)) return CANCELLED
    keep(job.event, statusOf(report.handlers))
    if (report.outcome !== 'ok' && !job.all)
      log.write('NOTICE', `${job.event} event ${report.outcome === 'failed' ? 'failed' : 'timed out'}`)
    return RESULTS[report.outcome]
  }

  /** The folder may have gone while the event waited. */
  function scriptsOrErrno(): Entry[] | number {
    try {
      return scripts()
    } catch (error) {
      if (error instanceof NoComponent) return error.errno
      throw error
    }
  }

  function machine(job: Job, signal: AbortSignal) {
    return live({
      signal,
      atOnce: (reason) => reason instanceof Cancelled,
      beforeEnd: (pid, soFar) => lookAt(pid, soFar, job),
    })
  }

  /** The hung program is explained in the log, then CTDB's debug script has its say; both within their time. */
  async function lookAt(pid: number, soFar: string, job: Job): Promise<void> {
    const hung = statuses.get(job.event)?.scripts.at(-1)
    if (hung && soFar !== '') hung.output = soFar
    const handler = now.handler ?? 'event'
    const lines = await explainHung(doorTo(live()), pid, { name: handler, limit: EXPLAIN_MS })
    for (const line of lines) log.write('ERROR', `${handler}: ${line}`)
    if (debugScript === undefined || job.all || debugging) return
    debugging = true
    try {
      const stop = AbortSignal.timeout(DEBUG_MS)
      const argv = [debugScript, String(pid), job.event]
      const { out } = await live({ signal: stop, atOnce: () => true }).run('ask', argv, { combined: true })
      tellDebug(out)
    } catch (error) {
      if (error instanceof Interrupted) tellDebug(error.output)
      log.write('ERROR', `event_debug: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      debugging = false
    }
  }

  function tellDebug(output: string): void {
    for (const line of output.split('\n')) if (line !== '') log.write('ERROR', `event_debug: ${line}`)
  }

  function begins(step: Step): void {
    if (step.verb === 'ask' || step.verb === 'change')
      now = { ...now, program: toShell(step.argv), since: performance.now() }
  }

  function finished(): void {
    now = now.handler === undefined ? {} : { handler: now.handler }
  }

  function note(each: Note): void {
    if (isNote(each) && each.verb === 'handler') now = { handler: each.name }
  }

  /** As ctdb-eventd logs it, at a level that is always seen; and what it passes over in silence. */
  function tell(handler: HandlerReport): void {
    const { name, outcome, why = '' } = handler
    if (outcome !== 'disabled' && outcome !== 'cannot-run')
      for (const line of linesOf(handler)) log.write('ERROR', `${name}: ${line}`)
    // once is enough for what stays as it is from event to event
    else log.write(outcome === 'disabled' || said.get(name) === why ? 'DEBUG' : 'ERROR', `${name}: ${why}`)
    said.set(name, why)
  }

  function keep(event: string, status: EventStatus): void {
    statuses.delete(event)
    statuses.set(event, status)
    const [oldest] = statuses.keys()
    if (statuses.size > MOST_STATUSES && oldest !== undefined) statuses.delete(oldest)
  }

  return {
    ...events,
    status: (event) => statuses.get(event),
    activity() {
      const current = events.running()
      const at = performance.now()
      return {
        running: current && {
          event: current.job.event,
          words: current.job.words,
          ms: at - current.since,
          handler: now.handler,
          program: now.program,
          programMs: now.since === undefined ? undefined : at - now.since,
        },
        waiting: events.waiting().map(({ event, words, asked }) => ({ event, words, ms: at - asked })),
      }
    },
  }
}

/** ENOEXEC stands for any failure of a script: the details are in the status. */
const RESULTS: Record<Report['outcome'], number> = { ok: 0, failed: 8, timedout: TIMED_OUT }

/** The daemon passes any words on to executables; our handlers refuse those that they cannot take. */
function asEvent({ event: name, words }: Job): { event: Event; problem?: Error } {
  try {
    return { event: parseEvent(name, words) }
  } catch (error) {
    return { event: { name, words, args: undefined }, problem: error as Error }
  }
}

function refusing(entry: Entry, problem: Error): Entry {
  return entry.kind === 'module' ? { ...entry, load: () => Promise.reject(problem) } : entry
}
