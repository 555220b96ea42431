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
  /** The machine, for one handler: `signal` fires at the handler's deadline. */
  system: (signal: Stop, entry: Entry) => System
  /** Told as it happens what is no passage through the door: for a recording, or a terminal. */
  note?: (note: Note) => void
  /** Fires when the admin has had enough (Ctrl-C): what runs is ended, and the event fails. */
  interrupt?: Stop
  /** Told at a handler's deadline, before anything is ended. */
  late?: (handler: string, began: Date) => void
  /**
   * An executable may have to wait for its turn among events that run at once; told when it has ended. Without one
   * (undefined) it was told to stop before it came.
   */
  turn?: (stop: Stop) => Promise<(() => void) | undefined>
  /** Milliseconds that ending what runs may take behind the deadline. */
  grace?: number
}

export interface Limits {
  /** Milliseconds that each handler may take, counted from its own start. */
  handler: number
  /** Milliseconds that all of them may take together; no limit when not given. */
  event?: number
  /** Go on behind a failure: only CTDB's test mode asks for that. */
  all?: boolean
}

/** Run one event through the ordered handlers; stop behind the first that fails. Never rejects for a handler's fault. */
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

/** Run it when its turn has come, unless the event's time, in milliseconds, is over before. */
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
  // it may have fired before
  if (world.interrupt?.aborted) stop()
  const leave = await turn
  clearTimeout(timer)
  world.interrupt?.removeEventListener('abort', stop)
  try {
    // without a turn its time is over, if to the clock of a timer only
    return await run(leave || world.interrupt?.aborted ? performance.now() - began : Infinity)
  } finally {
    leave?.()
  }
}

/** Its time was over before it began: to start it and end it at once could leave half of its work behind. */
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
  /** Said when it is over; names who used up the event's time when it was another. */
  verdict: string
}

/** What the next handler may take: its own time, or what is left of the event's. */
function timeLeft(
  { handler, event = Infinity }: Limits,
  used: number,
  before: readonly HandlerReport[],
  waited: number,
): Time {
  // the first has all of the time, whichever of the two it is called, unless it has waited for its turn
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
  // it may have fired before we began, or behind a handler that had just ended
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

/** What runs is ended within 2 s of the deadline, and the handler hears of it; then it is left to itself. */
const GRACE_MS = 2500

/** Rejects when the deadline has passed, `grace` milliseconds ago, and the handler has not ended although it should have. */
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

/** Of any other reason, such as too many processes, the event is not to be taken for done. */
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
  // as CTDB does, an executable that cannot be executed does not fail the event; but we say why
  if (error instanceof CannotRun && NOT_EXECUTABLE.has(error.code) && error.message.includes('.script'))
    return { outcome: 'cannot-run', why: error.message }
  if (error instanceof Refusal) return { outcome: 'failed', why: error.message }
  // a recording's, who plays it shows both sides
  if (error instanceof Mismatch) return { outcome: 'failed', why: error.message.replace(/\n[^]*/, '') }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { outcome: 'failed', why: `defect in the handler, please report it: ${stack}` }
}
