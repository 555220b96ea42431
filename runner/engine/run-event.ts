import type { Event } from '../node/events.ts'
import type { Entry } from './find-handlers.ts'
import { endsEvent, type HandlerReport, type Report } from './report.ts'
import { runHandler } from './run-handler.ts'
import { timeLeft, type Limits } from './time-left.ts'
import { inTurn } from './turn.ts'
import type { World } from './world.ts'

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
      return isTooLate ? notStarted(entry, time.why) : await runHandler(entry, event, world, time)
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
