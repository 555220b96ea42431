import type { End } from './report.ts'

/** Linux errno values that CTDB uses for results. */
const EINTR = 4
const ENOEXEC = 8
const ETIMEDOUT = 110
const ECANCELED = 125

/** Exit statuses that ctdb-eventd takes for "cannot be executed", 64 and errno: ENOENT (newer ones), ENOEXEC, EACCES. */
const NOT_EXECUTABLE = new Set([64 + 2, 64 + ENOEXEC, 64 + 13])

/**
 * What an executable's exit status means: 0 is good, 1 to 63 and 255 are failures, and 64 to 254 are read as
 * 64 + errno, since ctdb-eventd's own child reports that it could not execute something that way (contract, 2.3).
 * A status over 128 that a signal caused comes as `signalled`.
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
