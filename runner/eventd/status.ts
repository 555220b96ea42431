import type { HandlerReport, Outcome } from '../engine/report.ts'
import type { EventStatus, ScriptStatus, Time } from './protocol.ts'

/** Bytes of output that are kept of each script: one that never stops printing must not fill our memory. */
const MOST_OUTPUT = 1024 * 1024

/** A run as CTDB's clients see it: a result for each script, and that of the one that failed for all. */
export function statusOf(handlers: readonly HandlerReport[]): EventStatus {
  const scripts = handlers.map(scriptStatus)
  return { summary: scripts.findLast(({ result }) => isFailure(result))?.result ?? 0, scripts }
}

/** ENOEXEC is "disabled" to CTDB's clients. */
const DISABLED = -8
const TIMED_OUT = -110

function isFailure(result: number): boolean {
  return result !== 0 && result !== DISABLED
}

function scriptStatus(report: HandlerReport): ScriptStatus {
  const began = Date.parse(report.began) * 1000
  const text = linesOf(report).join('\n').slice(0, MOST_OUTPUT)
  const result = resultOf(report)
  return {
    name: report.name,
    begin: time(began),
    end: time(began + Math.round(report.ms * 1000)),
    result,
    output: text === '' || result === DISABLED ? undefined : `${text}\n`,
  }
}

/** What is logged of a handler and kept with its status: what it said, and its reason where that is its own word. */
export function linesOf({ output, why, result }: HandlerReport): string[] {
  return why === undefined || result !== undefined ? output : [...output, ...why.split('\n')]
}

function resultOf({ outcome, result }: HandlerReport): number {
  if (result !== undefined) return result
  return { ok: 0, failed: 1, timedout: TIMED_OUT, disabled: DISABLED, 'cannot-run': DISABLED }[outcome]
}

function time(micros: number): Time {
  return { seconds: Math.floor(micros / 1_000_000), microseconds: micros % 1_000_000 }
}

/** And back: a script's end as any event daemon tells it. */
export function asReport({ name, begin, end, result, output = '' }: ScriptStatus): HandlerReport {
  const micros = (end.seconds - begin.seconds) * 1_000_000 + end.microseconds - begin.microseconds
  return {
    name,
    began: new Date(begin.seconds * 1000 + Math.round(begin.microseconds / 1000)).toISOString(),
    ms: micros / 1000,
    output: output.split('\n').filter((line) => line !== ''),
    outcome: outcomeOf(result),
    result,
  }
}

/** ENOEXEC is "disabled" to CTDB, ETIMEDOUT a deadline; all else but 0 is a failure. */
export function outcomeOf(result: number): Outcome {
  if (result === 0) return 'ok'
  if (result === DISABLED) return 'disabled'
  return result === TIMED_OUT ? 'timedout' : 'failed'
}
