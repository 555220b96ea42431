/** One event daemon on a node: whoever has the pid file locked is it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LockBusy } from '../system/errors.ts'
import { live } from '../system/live.ts'
import { parentOf } from './parent.ts'

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
function isWhatWeLocked(pidFile: string): boolean {
  const ino = inodeOf(pidFile)
  return readdirSync('/proc/self/fd').some(
    (fd) => ino !== undefined && inodeOf(`/proc/self/fd/${fd}`) === ino,
  )
}

function rivalOf(pidFile: string): string | undefined {
  const lock = new RegExp(`POSIX .* WRITE (\\d+) [0-9a-f]+:[0-9a-f]+:${inodeOf(pidFile)} `)
  return lock.exec(readFileSync('/proc/locks', 'utf8'))?.[1]
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

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
  if (!argv.some((word) => /ctdb-eventd$|daemon\/main\.js$|^eventd$/.test(word))) return true
  const parent = parentIn(argv)
  return parent !== undefined && parent > 1 && parentOf(parent).isGone()
}

function argvOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/** The value of `-P`, in whatever way it is written. */
export function parentIn(argv: readonly string[]): number | undefined {
  const at = argv.findLastIndex((word) => /^(?:-P|--pid)/.test(word))
  const value = /^(?:-P|--pid)=?(\d+)$/.exec(argv[at] ?? '')?.[1] ?? (at < 0 ? undefined : argv[at + 1])
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value)
}
