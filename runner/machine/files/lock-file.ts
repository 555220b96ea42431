import { closeSync, fstatSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, FileError } from '../errors.ts'
import { holdersOf, type Holder } from './lock-holders.ts'
import { openOurs } from './new-file.ts'
import { areStrangers } from './process-users.ts'
import { OPEN_FOLDER } from './readers.ts'

/**
 * The open file of a lock; gives its descriptor. Nobody else can open it from now on, as flock(2) works on a file that is open
 * for reading. Where strangers alone hold it, from when an older version or CTDB's script let them open it, a new file takes its
 * place, and `complain` hears of them. Throws FileError.
 */
export function openLock(path: string, complain: (line: string) => void = () => {}): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: OPEN_FOLDER })
    const fd = openOurs(path)
    const [stranger] = strangersWith(path, fd)
    if (!stranger) return fd
    closeSync(fd)
    rmSync(path, { force: true })
    const ours = openOurs(path)
    const who = `pid ${stranger.pid} of user ${stranger.uids[0]}`
    complain(`WARNING: ${path} was locked by ${who}, which is not root: a new file has taken its place`)
    return ours
  } catch (error) {
    throw new FileError('open the lock', path, codeOf(error))
  }
}

/** In doubt nobody: a lock that root holds must be waited for. Only an owner of the file may put another in its place. */
function strangersWith(path: string, fd: number): Holder[] {
  const file = fstatSync(fd)
  if (file.uid !== process.geteuid?.() || !file.isFile()) return []
  const holders = holdersOf(file)
  if (holders.some(({ uids }) => !areStrangers(uids))) return []
  // another of us has just put a new file there
  const now = statSync(path, { throwIfNoEntry: false })
  return now?.ino === file.ino && now.dev === file.dev ? holders : []
}
