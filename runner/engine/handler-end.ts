import type { End } from './report.ts'
import { Deadline } from './handler-clock.ts'
import { Refusal } from '../base/refusal.ts'
import { CannotRun, Mismatch } from '../machine/errors.ts'
import type { Stop } from '../machine/stop.ts'

/** Why an executable cannot be executed at all. Any other reason, such as too many processes, fails the event: its work is not done. */
const NOT_EXECUTABLE = new Set(['ENOENT', 'ENOEXEC', 'EACCES'])

/** How a handler ended that has thrown, or that `stop` has stopped. */
export function endAfter(error: unknown, stop: Stop): End {
  if (stop.aborted) {
    const running = (error as { running?: string }).running
    const doing = running === undefined ? '' : ` while running "${running}"`
    const reason: unknown = stop.reason
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
