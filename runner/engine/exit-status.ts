import type { End } from './report.ts'

/** Linux errno values that CTDB uses for results. */
const EINTR = 4
const ENOEXEC = 8
const ETIMEDOUT = 110
const ECANCELED = 125

/** Exit statuses that mean "cannot be executed" to ctdb-eventd, 64 + errno: ENOENT (since 4.18), ENOEXEC, EACCES. */
const NOT_EXECUTABLE = new Set([64 + 2, 64 + ENOEXEC, 64 + 13])

/**
 * The meaning of an executable's exit status: 0 is good, 1 to 63 and 255 are failures, 64 to 254 are 64 + errno, the way in
 * which ctdb-eventd's own child reports a failed execution (common/run_event.c, 4.17). `signalled` names the signal behind
 * a status over 128.
 */
export function meaningOf(path: string, status: number, signalled?: string): End {
  if (signalled !== undefined)
    return { outcome: 'failed', result: -EINTR, why: `${path} was ended by ${signalled}` }
  const why = `${path} ended with exit status ${status}`
  if (status === 0 || status === 64) return { outcome: 'ok', result: 0 }
  if (status < 64 || status === 255) return { outcome: 'failed', result: status, why }
  if (NOT_EXECUTABLE.has(status)) return { outcome: 'cannot-run', result: -ENOEXEC, why }
  const errno = status - 64
  if (errno === ETIMEDOUT) return { outcome: 'timedout', result: -ETIMEDOUT, why }
  const what = errno === ECANCELED ? `${why}: it asks to be taken for cancelled` : why
  return { outcome: 'failed', result: -errno, why: what }
}
