import type { HandlerReport, Outcome } from '../engine/report.ts'
import { ERRNO, type ScriptStatus } from './protocol/messages.ts'

/** The end of a script as any event daemon reports it: the reverse of run/event-status.ts. */
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

/** The outcome that a result means: 0 is success, ENOEXEC "disabled", ETIMEDOUT a deadline; the rest are failures. */
export function outcomeOf(result: number): Outcome {
  if (result === 0) return 'ok'
  if (result === -ERRNO.ENOEXEC) return 'disabled'
  return result === -ERRNO.ETIMEDOUT ? 'timedout' : 'failed'
}
