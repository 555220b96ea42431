import type { HandlerReport } from '../../engine/report.ts'
import { ERRNO, type EventStatus, type ScriptStatus, type Time } from '../protocol/messages.ts'

/** Bytes of output that are kept of each script: a script that never stops printing must not fill our memory. */
const MOST_OUTPUT = 1024 * 1024

/** Results of scripts are negated errnos; ENOEXEC means "disabled" (common/run_event.c of CTDB 4.17). */
const DISABLED = -ERRNO.ENOEXEC
const TIMED_OUT = -ERRNO.ETIMEDOUT

/** A run as clients of CTDB see it: a result of each script, and the result of the failed script for all. */
export function asEventStatus(handlers: readonly HandlerReport[]): EventStatus {
  const scripts = handlers.map(scriptStatus)
  return { summary: scripts.findLast(({ result }) => isFailure(result))?.result ?? 0, scripts }
}

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

/** The lines of a handler for the log and the status: its output, and its reason when the handler gave the reason itself. */
export function linesOf({ output, ...reason }: HandlerReport): string[] {
  return [...output, ...reasonOf(reason)]
}

/** The lines of its reason, when the handler gave the reason itself. */
export function reasonOf({ why, result }: Pick<HandlerReport, 'why' | 'result'>): string[] {
  return why === undefined || result !== undefined ? [] : why.split('\n')
}

function resultOf({ outcome, result }: HandlerReport): number {
  if (result !== undefined) return result
  const results = { ok: 0, failed: 1, timedout: TIMED_OUT, disabled: DISABLED }
  return { ...results, 'cannot-run': DISABLED, 'not-run': DISABLED }[outcome]
}

function time(micros: number): Time {
  return { seconds: Math.floor(micros / 1_000_000), microseconds: micros % 1_000_000 }
}
