import { constants, closeSync, fchmodSync, fstatSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, FileError } from '../errors.ts'
import { holdersOf } from './lock-holders.ts'

const { O_RDWR, O_APPEND, O_CREAT } = constants

/**
 * The open file of a lock; gives its descriptor. Nobody else can open it from now on, whatever the umask, as flock(2) works on a
 * file that is open for reading. Where strangers alone hold it, from when an older version let them open it, a new file takes its
 * place. Throws FileError.
 */
export function openLock(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const fd = ownFile(path)
    if (!isHeldByStrangers(path, fd)) return fd
    closeSync(fd)
    rmSync(path, { force: true })
    return ownFile(path)
  } catch (error) {
    throw new FileError('open the lock', path, codeOf(error))
  }
}

function ownFile(path: string): number {
  const fd = openSync(path, O_RDWR | O_APPEND | O_CREAT, 0o600)
  const { uid, mode } = fstatSync(fd)
  if (uid === process.geteuid?.() && (mode & 0o077) !== 0) fchmodSync(fd, 0o600)
  return fd
}

/** In doubt not: a lock that root holds must be waited for. Only an owner of the file may put another in its place. */
function isHeldByStrangers(path: string, fd: number): boolean {
  const file = fstatSync(fd)
  const me = process.geteuid?.()
  if (file.uid !== me || !file.isFile()) return false
  const holders = holdersOf(file)
  if (holders.length === 0 || holders.some(({ uids }) => uids.some((uid) => uid === 0 || uid === me)))
    return false
  // another of us has just put a new file there
  const now = statSync(path, { throwIfNoEntry: false })
  return now?.ino === file.ino && now.dev === file.dev
}
