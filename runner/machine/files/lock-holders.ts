import { readdirSync, statSync, type Stats } from 'node:fs'
import { allPids, procText } from './proc.ts'
import { usersOf } from './process-users.ts'

/** A process that has a locked file open, and so the lock; its real, effective, saved and file system user. */
export interface Holder {
  pid: number
  uids: readonly number[]
}

/**
 * Every process that holds a flock(2) on this file. /proc/locks says by its inode whether anybody does, and names who has locked;
 * a lock outlives that process when another has its descriptor, so all descriptors are looked at then. Empty when nobody can be
 * seen.
 */
export function holdersOf(file: Stats): Holder[] {
  const pids = lockersOf(file.ino)
  if (pids.length === 0) return []
  const seen = pids.flatMap((pid) => holderIn(pid, file))
  // one of root's, which is the usual case, ends the search
  if (seen.some(({ uids }) => uids.includes(0))) return seen
  return allPids().flatMap((pid) => holderIn(pid, file))
}

function lockersOf(inode: number): number[] {
  const lock = new RegExp(`^\\d+: FLOCK .* (-?\\d+) [0-9a-f]+:[0-9a-f]+:${inode} `, 'gm')
  return [...procText('/proc/locks').matchAll(lock)].map(([, pid]) => Number(pid))
}

function holderIn(pid: number, file: Stats): Holder[] {
  const isLocked = listed(`/proc/${pid}/fd`).some(
    // a look at a file that is none of ours may hang: its lock is looked at first
    (fd) => hasLock(pid, fd, file.ino) && leadsTo(`/proc/${pid}/fd/${fd}`, file),
  )
  return isLocked ? [{ pid, uids: usersOf(pid) }] : []
}

function hasLock(pid: number, fd: string, inode: number): boolean {
  return new RegExp(`^lock:.* FLOCK .*:${inode} `, 'm').test(procText(`/proc/${pid}/fdinfo/${fd}`))
}

function leadsTo(path: string, file: Stats): boolean {
  try {
    const open = statSync(path)
    return open.ino === file.ino && open.dev === file.dev
  } catch {
    return false
  }
}

function listed(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
