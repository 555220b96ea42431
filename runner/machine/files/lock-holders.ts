import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs'

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
  return [...textOf('/proc/locks').matchAll(lock)].map(([, pid]) => Number(pid))
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function holderIn(pid: number, file: Stats): Holder[] {
  const descriptors = listed(`/proc/${pid}/fd`)
  const isLocked = descriptors.some((fd) => leadsTo(`/proc/${pid}/fd/${fd}`, file) && hasLock(pid, fd))
  return isLocked ? [{ pid, uids: usersOf(pid) }] : []
}

const hasLock = (pid: number, fd: string) => /^lock:.*FLOCK/m.test(textOf(`/proc/${pid}/fdinfo/${fd}`))

function leadsTo(path: string, file: Stats): boolean {
  try {
    const open = statSync(path)
    return open.ino === file.ino && open.dev === file.dev
  } catch {
    return false
  }
}

/** Root, where it cannot be told: nothing is taken from a process that has just ended. */
function usersOf(pid: number): number[] {
  const [, uids] = /^Uid:((?:\s+\d+)+)$/m.exec(textOf(`/proc/${pid}/status`)) ?? []
  return uids?.trim().split(/\s+/).map(Number) ?? [0]
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listed(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
