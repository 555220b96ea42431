import type { HandlerReport } from '../report.ts'
import type { EventStatus, ScriptStatus, Time } from './wire.ts'

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
