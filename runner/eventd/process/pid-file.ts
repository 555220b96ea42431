/** One event daemon on a node: the process that has locked the pid file. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, LockBusy } from '../../machine/errors.ts'
import { commandLine } from '../../machine/files/process-users.ts'
import { live } from '../../machine/live/live.ts'
import { TrackedProcess } from './ctdbd-watch.ts'

/**
 * Milliseconds to wait for the event daemon of a ctdbd that is gone: its last act takes less (at-end.ts), and ctdbd
 * gives the next daemon 10 s for its start (server/eventscript.c of 4.17). "eventscript cleanup" may take longer, with
 * an iptables that hangs: a ctdbd that is started meanwhile ends, and is to be started again.
 */
const PATIENCE_MS = 8500
const LOOK_EVERY_MS = 50

/**
 * Lock the pid file; resolves to the function that unlocks it. A holder whose ctdbd is gone is in its last act, and is
 * waited for. Rejects with LockBusy while another daemon is at work. ctdb-eventd locks with fcntl(2), which node lacks:
 * /proc/locks shows such a lock. `waits` is called once, with the pid of the holder; `patience` is in milliseconds; `complain`
 * hears of another user who held the lock.
 */
export async function lockPidFile(
  pidFile: string,
  waits: (owner: number) => void = () => {},
  patience = Infinity,
  complain?: (line: string) => void,
): Promise<() => Promise<void>> {
  const last = performance.now() + Math.min(patience, PATIENCE_MS)
  for (let tries = 0; ; tries += 1) {
    try {
      const release = await live({ complain }).hold(pidFile, 0)
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

/** The daemon before us may have removed the file while we were locking it: a third could lock a new file. */
const isWhatWeLocked = (pidFile: string): boolean => hasOpen('self', pidFile)

/**
 * The pid of a process that has locked this very file with fcntl(2). /proc/locks has the numbers of inodes, and each
 * tmpfs counts from 1: the lock may be on a file elsewhere. The device cannot tell the files apart: on btrfs, stat has
 * another one.
 */
function rivalOf(pidFile: string): string | undefined {
  const lock = new RegExp(`POSIX .* WRITE (\\d+) [0-9a-f]+:[0-9a-f]+:${statOf(pidFile)?.ino} `, 'g')
  const owners = [...readFileSync('/proc/locks', 'utf8').matchAll(lock)].map(([, pid = '']) => pid)
  return owners.find((pid) => hasOpen(pid, pidFile))
}

/** Has the process this file open? In doubt it has: its descriptors may be hidden from us. */
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

/** The pid in the pid file; 0 when there is none. */
function ownerOf(pidFile: string): number {
  try {
    return Number.parseInt(readFileSync(pidFile, 'utf8'), 10) || 0
  } catch {
    return 0
  }
}

/** Does the holder release the lock soon? An event daemon with a living parent does not, nor one without a parent. */
function isOnItsWayOut(owner: number): boolean {
  const argv = argvOf(owner)
  // the holder is another process than the file says, such as "eventscript cleanup", or has just begun
  if (!isEventDaemon(argv)) return true
  const parent = parentIn(argv)
  return parent !== undefined && parent > 1 && new TrackedProcess(parent).isGone()
}

function argvOf(pid: number): string[] {
  return commandLine(pid).split('\0')
}

/** The event daemon of CTDB, ours, ours of version 0.1.0, and ours started by hand. */
export function isEventDaemon(argv: readonly string[]): boolean {
  return argv.some((word) => /ctdb-eventd(\.js)?$|runner\/daemon\/main\.js$|^eventd$/.test(word))
}

/** The pid after `-P`, in any spelling of the option. */
export function parentIn(argv: readonly string[]): number | undefined {
  const at = argv.findLastIndex((word) => /^(?:-P|--pid)/.test(word))
  const value = /^(?:-P|--pid)=?(\d+)$/.exec(argv[at] ?? '')?.[1] ?? (at < 0 ? undefined : argv[at + 1])
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value)
}
