import { setImmediate as aMoment } from 'node:timers/promises'
import type { Facts } from '../node/settings.ts'
import { runEvent, type World } from '../engine/run-event.ts'
import { parseEvent, type Event } from '../node/events.ts'
import type { Entry } from '../engine/find-handlers.ts'
import { PUBLIC_ADDRESSES } from '../node/handler-names.ts'
import type { HandlerReport, Report } from '../engine/report.ts'
import { toShell } from '../machine/argv.ts'
import { doorTo, type System } from '../machine/machine.ts'
import { Interrupted } from '../machine/errors.ts'
import { live } from '../machine/live.ts'
import { asSleep } from '../machine/wait.ts'
import type { Stop } from '../machine/stop.ts'
import type { Early } from '../resident/prefetch.ts'
import type { Resident } from '../resident/shared-machine.ts'
import { isNote, type Note } from '../machine/recording/transcript.ts'
import type { Log } from './log.ts'
import { explainHung } from './hung/explain.ts'
import { NoComponent } from './scripts.ts'
import { CANCELLED, Cancelled, queue, TIMED_OUT, type Job, type Queue } from './queue.ts'
import { linesOf, statusOf } from './status.ts'
import { turns } from './semaphore.ts'
import type { EventStatus } from './protocol.ts'

/** What a component's events run on and tell to. */
export interface Surroundings {
  facts: Facts
  log: Log
  /** The full path of the debug script, if one is configured. */
  debugScript: string | undefined
  /** The scripts, read afresh; throws when the folder cannot be listed. */
  scripts: () => Entry[]
  machine: Resident
  /** How many events that move addresses may run at once. */
  atOnce: () => number
}

/** What an event is at. */
interface Doing {
  handler: string | undefined
  argv?: readonly string[]
  since?: number
}

/** What is going on in a component, for `eventscript top`. Times in milliseconds. */
export interface Activity {
  running: {
    event: string
    words: readonly string[]
    ms: number
    handler?: string
    program?: string
    programMs?: number
  }[]
  waiting: { event: string; words: readonly string[]; ms: number }[]
}

export interface Component extends Queue {
  /** Of each event that has come to its end, the last time. */
  status: (event: string) => EventStatus | undefined
  /** The event that was the last to end, and whether it ended well. */
  last: () => { event: string; good: boolean } | undefined
  activity: () => Activity
}

/** Events by name whose status is kept: the protocol carries any name, memory is not for all of them. */
const MOST_STATUSES = 256
/** Behind a deadline: 2 s to explain, 5 s for the debug script, 2 s from TERM to KILL. */
const EXPLAIN_MS = 2000
const DEBUG_MS = 5000
const GRACE_MS = 10_000

/** Our handler of public addresses, which foresight helps. */
const isPublicAddresses = ({ name, kind }: Entry) => kind === 'module' && name === PUBLIC_ADDRESSES

/** The events of one folder of scripts: their queue, what they do, and how they ended. */
export function component({ facts, log, debugScript, scripts, machine, atOnce }: Surroundings): Component {
  const statuses = new Map<string, EventStatus>()
  const doing = new Map<readonly string[], Doing>()
  /** The reason last given for each script. */
  const said = new Map<string, string>()
  let debugging = false
  const explaining = new Map<number, Promise<void>>()
  const turn = turns(MOST_SCRIPTS)
  const events = queue(run, atOnce)

  async function run(job: Job, signal: Stop, early: (result: number) => void): Promise<number> {
    try {
      return await perform(job, signal, early)
    } finally {
      doing.delete(job.words)
    }
  }

  async function perform(job: Job, signal: Stop, early: (result: number) => void): Promise<number> {
    const ended: HandlerReport[] = []
    let now: Doing = { handler: undefined }
    const is = (what: Doing) => doing.set(job.words, (now = what))
    const world: World = {
      facts,
      interrupt: signal,
      grace: GRACE_MS,
      turn,
      system: (handlers, entry) =>
        watched(
          systemFor(job, handlers, isPublicAddresses(entry) ? begun : undefined, () => now.handler),
          {
            begins: (argv) => is({ handler: now.handler, argv, since: performance.now() }),
            ended: () => is({ handler: now.handler }),
          },
        ),
      note(each: Note) {
        if (isNote(each) && each.verb === 'handler') is({ handler: each.name })
      },
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
    // begun before anything else, it is at work while we read: the handler was there at the last event
    const begun = isOurs ? machine.foresee(job.event, job.words) : undefined
    if (begun) await aMoment()
    const here = scriptsOrErrno()
    if (typeof here === 'number') return here
    isOurs = here.some(isPublicAddresses)
    const entries = problem ? here.map((entry) => refusing(entry, problem)) : here
    const limits = { handler: job.limit, event: job.limit, all: job.all }
    const report = await runEvent(entries, event, world, limits, (handler) => {
      ended.push(handler)
      if (!signal.aborted) tell(handler)
    })
    if (signal.reason instanceof Cancelled) return 0 // answered already; its status is that of the run before
    // a script may ask for that by its exit status, 64 + ECANCELED
    if (report.handlers.some(({ result }) => result === -CANCELLED)) return CANCELLED
    keep(job.event, statusOf(report.handlers))
    if (report.outcome !== 'ok' && !job.all)
      log.write('NOTICE', `${job.event} event ${report.outcome === 'failed' ? 'failed' : 'timed out'}`)
    return RESULTS[report.outcome]
  }

  let found: Entry[] | number | undefined
  /** Was the handler of public addresses ours, when last seen? */
  let isOurs = false

  /** The folder may have gone while the event waited. Events that begin at the same moment look once. */
  function scriptsOrErrno(): Entry[] | number {
    if (found === undefined) setImmediate(() => (found = undefined))
    try {
      return (found ??= scripts())
    } catch (error) {
      if (error instanceof NoComponent) return (found = error.errno)
      throw error
    }
  }

  function systemFor(job: Job, signal: Stop, early: Early | undefined, handler: () => string | undefined) {
    return machine.system({
      signal,
      early,
      atOnce: (reason) => reason instanceof Cancelled,
      beforeEnd: (pid, soFar) => lookAt(pid, soFar, job, handler()),
    })
  }

  /** The hung program is explained in the log, then CTDB's debug script has its say; both within their time. */
  async function lookAt(pid: number, soFar: string, job: Job, handler = 'event'): Promise<void> {
    const hung = statuses.get(job.event)?.scripts.at(-1)
    if (hung && soFar !== '') hung.output = soFar
    // several events may wait for one process: it is looked at once, and not ended before
    const looking = explaining.get(pid)
    if (looking) return await looking
    const look = explain(pid, handler, job).finally(() => explaining.delete(pid))
    explaining.set(pid, look)
    await look
  }

  async function explain(pid: number, handler: string, job: Job): Promise<void> {
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
    last() {
      const [event, status] = [...statuses].at(-1) ?? []
      return event === undefined ? undefined : { event, good: status?.summary === 0 }
    },
    activity() {
      const at = performance.now()
      return {
        running: events.running().map(({ job: { event, words }, since: began }) => {
          const { handler, argv, since } = doing.get(words) ?? {}
          return {
            event,
            words,
            ms: at - began,
            handler,
            program: argv && toShell(argv),
            programMs: since === undefined ? undefined : at - since,
          }
        }),
        waiting: events.waiting().map(({ event, words, asked }) => ({ event, words, ms: at - asked })),
      }
    },
  }
}

/** The same machine, with somebody who is told which program is running. */
function watched(
  system: System,
  { begins, ended }: { begins: (argv: readonly string[]) => void; ended: () => void },
): System {
  function during<Result>(argv: readonly string[], work: Promise<Result>): Promise<Result> {
    begins(argv)
    work.then(ended, ended)
    return work
  }
  return {
    ...system,
    run: (verb, argv, options) => during(argv, system.run(verb, argv, options)),
    wait: (ms) => during(asSleep(ms), system.wait(ms)),
  }
}

/** Scripts at once: each starts some processes more, and two cores are not many. */
const MOST_SCRIPTS = 4

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
