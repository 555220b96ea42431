/** One event daemon on a node: whoever has the pid file locked is it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, LockBusy } from '../machine/errors.ts'
import { live } from '../machine/live.ts'
import { TrackedProcess } from './ctdbd-watch.ts'

/**
 * Milliseconds that the event daemon of a ctdbd that is gone is waited for: its last act takes less (end.ts), and
 * ctdbd gives the next daemon 10 s for its start. "eventscript cleanup" may take longer, with an iptables that hangs:
 * a ctdbd that is started meanwhile ends, and is to be started again.
 */
const PATIENCE_MS = 8500
const LOOK_EVERY_MS = 50

/**
 * Lock the pid file. Who has it, but belongs to a ctdbd that is gone, is doing its last act, and is waited for.
 * Rejects with LockBusy while another daemon is at work. ctdb-eventd locks with fcntl(2), which node has not:
 * /proc/locks shows it. `waits` is told once when there is somebody to wait for; `patience`: milliseconds at most.
 */
export async function lockPidFile(
  pidFile: string,
  waits: (owner: number) => void = () => {},
  patience = Infinity,
): Promise<() => Promise<void>> {
  const last = performance.now() + Math.min(patience, PATIENCE_MS)
  for (let tries = 0; ; tries += 1) {
    try {
      const release = await live().hold(pidFile, 0)
      const rival = rivalOf(pidFile)
      if (rival === undefined && isWhatWeLocked(pidFile)) return release
      await release()
      if (rival !== undefined) throw new LockBusy(`${pidFile} is locked by pid ${rival}`)
    } catch (error) {
      const owner = ownerOf(pidFile)
      if (!(error instanceof LockBusy) || performance.now() > last || !isOnItsWayOut(owner)) throw error
      if (tries === 0) waits(owner)
    }
    await sleep(LOOK_EVERY_MS)
  }
}

/** The one before us may have removed the file while we were locking it: then a third could lock a new one. */
const isWhatWeLocked = (pidFile: string): boolean => hasOpen('self', pidFile)

/**
 * /proc/locks has the numbers of inodes, and each tmpfs counts from 1: the lock may be on a file elsewhere. Its device
 * cannot tell them apart, since stat has another one on btrfs.
 */
function rivalOf(pidFile: string): string | undefined {
  const lock = new RegExp(`POSIX .* WRITE (\\d+) [0-9a-f]+:[0-9a-f]+:${statOf(pidFile)?.ino} `, 'g')
  const owners = [...readFileSync('/proc/locks', 'utf8').matchAll(lock)].map(([, pid = '']) => pid)
  return owners.find((pid) => hasOpen(pid, pidFile))
}

/** Also when it may not be seen: in doubt that process has the lock. */
function hasOpen(pid: string, path: string): boolean {
  const file = statOf(path)
  if (!file) return false
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const open = statOf(`/proc/${pid}/fd/${fd}`)
      return open?.ino === file.ino && open.dev === file.dev
    })
  } catch (error) {
    return !['ENOENT', 'ESRCH'].includes(codeOf(error))
  }
}

const statOf = (path: string) => statSync(path, { throwIfNoEntry: false })

/** What the pid file says; 0 when nothing. */
function ownerOf(pidFile: string): number {
  try {
    return Number.parseInt(readFileSync(pidFile, 'utf8'), 10) || 0
  } catch {
    return 0
  }
}

/** Does the lock come free by itself? Not that of an event daemon with a living parent, or with none to wait for. */
function isOnItsWayOut(owner: number): boolean {
  const argv = argvOf(owner)
  // whoever has the lock is another than the file says, such as "eventscript cleanup", or has just begun
  if (!isEventDaemon(argv)) return true
  const parent = parentIn(argv)
  return parent !== undefined && parent > 1 && new TrackedProcess(parent).isGone()
}

function argvOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/** CTDB's own event daemon, ours, ours as version 0.1.0 had it, and ours by hand. */
export function isEventDaemon(argv: readonly string[]): boolean {
  return argv.some((word) => /ctdb-eventd(\.js)?$|runner\/daemon\/main\.js$|^eventd$/.test(word))
}

/** The value of `-P`, in whatever way it is written. */
export function parentIn(argv: readonly string[]): number | undefined {
  const at = argv.findLastIndex((word) => /^(?:-P|--pid)/.test(word))
  const value = /^(?:-P|--pid)=?(\d+)$/.exec(argv[at] ?? '')?.[1] ?? (at < 0 ? undefined : argv[at + 1])
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value)
}
