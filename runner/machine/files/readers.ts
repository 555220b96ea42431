/**
 * Who may read what we write, whatever the umask: the one place that decides. Files of ours are for root alone, also where an
 * older version has let all read them: they tell who is connected and what has failed, and flock(2) works for whoever can read.
 * The writer of a file that others read says so (`readers: 'all'`): rt_tables, as every user's `ip` reads the names; systemd's
 * units and what takes the place of CTDB's files; and `my-public-ip-addresses`, as CTDB's statd_callout runs as statd's user.
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isFar } from './may-hang.ts'
import type { Readers } from '../options.ts'

/** Of a lock, of state, of a recording. */
export const PRIVATE = 0o600
/** Of a folder that is missing on the way to a file: CTDB's own are so, and statd's user goes through them. */
export const OPEN_FOLDER = 0o755
const CLOSED_FOLDER = 0o700

/** The mode of a file that is written as a whole; `there` is its mode now. What all may read stays as an admin has made it. */
export function modeFor(readers: Readers = 'root', there?: number): number {
  return readers === 'root' ? PRIVATE : (there ?? 0o644)
}

/**
 * Make our folder of state, which nobody else looks into. Where an older version has made it open, it is closed, and so are the
 * files in it. A folder on a file system that may hang is not touched, as that could keep this thread. Never throws: who may not do
 * this may not write there either, and hears of that then.
 */
export function keepStatePrivate(folder: string): void {
  if (isFar(folder)) return
  try {
    mkdirSync(folder, { recursive: true, mode: CLOSED_FOLDER })
    const { mode, uid } = lstatSync(folder)
    if ((mode & 0o077) === 0 || uid !== process.geteuid?.()) return
    chmodSync(folder, CLOSED_FOLDER)
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), PRIVATE)
  } catch {
    // a folder of another user, a file system that is read-only
  }
}

/** What `work` makes, such as a socket, is for us alone from its first moment. `work` must not wait. */
export function privately<T>(work: () => T): T {
  const before = process.umask(0o077)
  try {
    return work()
  } finally {
    process.umask(before)
  }
}
