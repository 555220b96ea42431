import { loadSettings, type Facts } from '../node/settings.ts'
import type { Event } from '../node/events.ts'
import { nodeBehind, type Node } from '../node/node.ts'
import { actOf, type Entry } from './find-handlers.ts'
import { meaningOf } from './exit-status.ts'
import { endsEvent, type End, type HandlerReport, type Report } from './report.ts'
import { Refusal } from '../base/refusal.ts'
import { doorTo, type System } from '../machine/machine.ts'
import { CannotRun, Interrupted, Mismatch } from '../machine/errors.ts'
import { Stopper, type Stop } from '../machine/stop.ts'
import type { Note } from '../machine/recording/transcript.ts'

export interface World {
  facts: Facts
  /** The machine for one handler: `signal` fires at the handler's deadline. */
  system: (signal: Stop, entry: Entry) => System
  /** Hears at once what does not pass the door: for a recording, or a terminal. */
  note?: (note: Note) => void
  /** Fires at the admin's Ctrl-C: the running program is ended, and the event fails. */
  interrupt?: Stop
  /** Called at a handler's deadline, before anything is ended. */
  late?: (handler: string, began: Date) => void
  /**
   * Executables of concurrent events may have to wait for their turn. Resolves with a function to call at the end of the
   * turn, or with undefined when `stop` came first.
   */
  turn?: (stop: Stop) => Promise<(() => void) | undefined>
  /** Milliseconds after the deadline in which the running program must end. */
  grace?: number
}

export interface Limits {
  /** Milliseconds for each handler, from its own start. */
  handler: number
  /** Milliseconds for all handlers together; no limit by default. */
  event?: number
  /** Go on after a failure: only CTDB's test mode asks for that. */
  all?: boolean
}

/** Run one event through the ordered handlers; stop after the first failure. Never rejects for a handler's fault. */
export async function runEvent(
  entries: readonly Entry[],
  event: Event,
  world: World,
  limits: Limits,
  ended: (report: HandlerReport) => void = () => {},
): Promise<Report> {
  const began = new Date()
  const start = performance.now()
  const handlers: HandlerReport[] = []
  let outcome: Report['outcome'] = 'ok'
  for (const entry of entries) {
    const report = await inTurn(entry, world, leftOf(limits, start), async (waited) => {
      const time = timeLeft(limits, performance.now() - start, handlers, waited)
      const isTooLate = entry.kind === 'script' && time.ms === 0
      return isTooLate ? notStarted(entry, time.verdict) : await runHandler(entry, event, world, time)
    })
    handlers.push(report)
    ended(report)
    const end = endsEvent(report.outcome)
    if (end) outcome = end
    if (end && !limits.all) break
  }
  world.note?.({ verb: 'result', outcome })
  return {
    event: event.name,
    words: event.words,
    outcome,
    began: began.toISOString(),
    ms: performance.now() - start,
    handlers,
  }
}

function leftOf({ event = Infinity }: Limits, start: number): number {
  return event - (performance.now() - start)
}

/** Run an entry in its turn, unless the event's time, in milliseconds, is up before. */
async function inTurn(
  entry: Entry,
  world: World,
  ms: number,
  run: (waited: number) => Promise<HandlerReport>,
): Promise<HandlerReport> {
  if (!world.turn || entry.kind !== 'script') return await run(0)
  const clock = new Stopper()
  const began = performance.now()
  const turn = world.turn(clock)
  const stop = () => clock.abort('its turn did not come in time')
  const timer = Number.isFinite(ms) ? setTimeout(stop, ms) : undefined
  world.interrupt?.addEventListener('abort', stop)
  // it may have fired already
  if (world.interrupt?.aborted) stop()
  const leave = await turn
  clearTimeout(timer)
  world.interrupt?.removeEventListener('abort', stop)
  try {
    // without a turn its time is up, if only by the clock of a timer
    return await run(leave || world.interrupt?.aborted ? performance.now() - began : Infinity)
  } finally {
    leave?.()
  }
}

/** A script whose time was up before its turn. Starting it and killing it at once could leave half of its work. */
function notStarted({ name }: Entry, why: string): HandlerReport {
  return {
    name,
    began: new Date().toISOString(),
    ms: 0,
    output: [],
    outcome: 'timedout',
    why: `${why}: it was not started`,
  }
}

interface Time {
  ms: number
  /** The sentence for the deadline; it names another handler that used up the event's time. */
  verdict: string
}

/** The time of the next handler: its own, or the rest of the event's. */
function timeLeft(
  { handler, event = Infinity }: Limits,
  used: number,
  before: readonly HandlerReport[],
  waited: number,
): Time {
  // the first handler has all of the time, unless it has waited for its turn
  const own = Math.min(handler, event)
  if (own <= event - used || (before.length === 0 && waited < 1))
    return { ms: own, verdict: `timed out after ${own / 1000} s` }
  const slowest = before.toSorted((a, b) => b.ms - a.ms)[0]
  const blame =
    slowest && slowest.ms > Math.min(waited, used)
      ? `${(slowest.ms / 1000).toFixed(1)} s of it taken by ${slowest.name}`
      : `${(Math.min(waited, used) / 1000).toFixed(1)} s of it waiting while scripts of other events ran`
  return {
    ms: waited === Infinity ? 0 : Math.max(0, event - used),
    verdict: `timed out after the ${event / 1000} s of the event, ${blame}`,
  }
}

/** A handler used up its time. */
export class Deadline extends Error {
  override name = 'Deadline'
}

/** Run one handler to its end or to its deadline. */
export async function runHandler(
  entry: Entry,
  event: Event,
  world: World,
  time: Time,
): Promise<HandlerReport> {
  const began = new Date()
  const start = performance.now()
  const output: string[] = []
  world.note?.({ verb: 'handler', name: entry.name })
  const say = (line: string) => {
    output.push(...line.split('\n'))
    world.note?.({ verb: 'say', text: line })
  }
  const because = (reason: string) => world.note?.({ verb: 'because', text: reason })
  const clock = new Stopper()
  const late = overdue(world.grace ?? GRACE_MS)
  const stop = (reason: unknown) => {
    clock.abort(reason)
    late.begin(reason)
  }
  const timer = setTimeout(() => {
    world.late?.(entry.name, began)
    stop(new Deadline(time.verdict))
  }, time.ms)
  const interrupt = () => stop(world.interrupt?.reason)
  world.interrupt?.addEventListener('abort', interrupt)
  // it may have fired before the start, or after a handler that had just ended
  if (world.interrupt?.aborted) interrupt()
  let end: End
  try {
    end = await Promise.race([perform(entry, event, world, clock, { say, because }), late.promise])
  } catch (error) {
    if (error instanceof Interrupted) sayAll(error.output, say)
    end = verdict(error, clock)
  } finally {
    clearTimeout(timer)
    late.cancel()
    world.interrupt?.removeEventListener('abort', interrupt)
  }
  world.note?.({ verb: 'end', ...end })
  return { name: entry.name, began: began.toISOString(), ms: performance.now() - start, output, ...end }
}

async function perform(
  entry: Entry,
  event: Event,
  world: World,
  signal: Stop,
  voice: Pick<Node, 'say' | 'because'>,
): Promise<End> {
  if (entry.kind === 'unusable')
    return { outcome: entry.disabled ? 'disabled' : 'cannot-run', why: entry.why }
  const system = world.system(signal, entry)
  if (entry.kind === 'script') return await performScript(entry.path, event, system, voice.say)
  const handler = await entry.load()
  const act = actOf(handler, event.name)
  if (!act) return { outcome: 'ok' }
  const door = doorTo(system)
  const settings = await loadSettings(door, world.facts, entry.name)
  for (const warning of settings.warnings) voice.say(warning)
  await act.call(handler, nodeBehind(door, settings, voice), event.args)
  return { outcome: 'ok' }
}

async function performScript(path: string, event: Event, system: System, say: Node['say']): Promise<End> {
  const { status, signal, out } = await system.run('change', [path, event.name, ...event.words], {
    combined: true,
  })
  sayAll(out, say)
  return meaningOf(path, status, signal)
}

function sayAll(output: string, say: Node['say']): void {
  for (const line of output.split('\n')) if (line !== '') say(line)
}

/** Programs are ended within 2 s of the deadline, and the handler learns of it; then nobody waits for it any more. */
const GRACE_MS = 2500

/** Rejects `grace` milliseconds after the deadline, for a handler that has not ended although it should have. */
function overdue(grace: number): {
  promise: Promise<never>
  begin: (reason: unknown) => void
  cancel: () => void
} {
  let timer: NodeJS.Timeout | undefined
  let reject: (reason: unknown) => void
  const promise = new Promise<never>((_resolve, rejected) => (reject = rejected))
  return {
    promise,
    begin: (reason) => (timer ??= setTimeout(() => reject(reason), grace)),
    cancel: () => clearTimeout(timer),
  }
}

/** Any other reason, such as too many processes, fails the event: its work is not done. */
const NOT_EXECUTABLE = new Set(['ENOENT', 'ENOEXEC', 'EACCES'])

function verdict(error: unknown, signal: Stop): End {
  if (signal.aborted) {
    const running = (error as { running?: string }).running
    const doing = running === undefined ? '' : ` while running "${running}"`
    const reason: unknown = signal.reason
    return {
      outcome: reason instanceof Deadline ? 'timedout' : 'failed',
      why: `${reason instanceof Error ? reason.message : String(reason)}${doing}`,
    }
  }
  // as with CTDB, an executable that cannot be executed does not fail the event; but the reason is reported
  if (error instanceof CannotRun && NOT_EXECUTABLE.has(error.code) && error.message.includes('.script'))
    return { outcome: 'cannot-run', why: error.message }
  if (error instanceof Refusal) return { outcome: 'failed', why: error.message }
  // the caller of a replay shows both sides
  if (error instanceof Mismatch) return { outcome: 'failed', why: error.message.replace(/\n[^]*/, '') }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { outcome: 'failed', why: `defect in the handler, please report it: ${stack}` }
}
