import { execa } from 'execa'
import { CannotRun, FileError, Interrupted } from '../../errors.ts'
import { codeIn } from '../../files/far-file.ts'
import { busyBoxIn } from '../../remedy/busybox.ts'
import type { Stop } from '../../stop.ts'
import { inTime } from '../../wait.ts'
import { lockBusy } from './flock.ts'

/** Milliseconds for a file system to open the lock, and beyond the time of whoever waits for it. */
const FAR_MS = 1500

/** Says how far it is, and has the lock until the end of its input. */
const HOLD =
  'umask 022; [ -d "${1%/*}" ] || mkdir -p -- "${1%/*}"; umask 077; exec 9>>"$1"; echo open; ' +
  'flock "$2" -w "$3" 9 || exit; echo held; exec cat >/dev/null'

type End = 'held' | 'late' | 'aborted' | 'ended'

/**
 * The same for a lock on a file system that may hang: opening it in this thread could keep us for good, so a process of its own
 * has the lock. Rejects with LockBusy; with a FileError (ETIMEDOUT) where the file system does not answer; with Interrupted when
 * `signal` comes first.
 */
export async function holdFar(
  lock: string,
  seconds: number,
  isShared: boolean,
  signal: Stop | undefined,
): Promise<() => Promise<void>> {
  const began = Date.now()
  const child = start(lock, seconds, isShared)
  const end = await endOf(child, seconds, signal)
  if (end === 'held') return () => letGo(child)
  if (end === 'ended') throw whyNot(lock, seconds, await child)
  abandon(child)
  if (end === 'late') throw new FileError('open the lock', lock, 'ETIMEDOUT')
  throw new Interrupted(['flock', lock], Date.now() - began, signal?.reason)
}

function start(lock: string, seconds: number, isShared: boolean) {
  const words = ['-c', HOLD, 'sh', lock, isShared ? '-s' : '-x', String(seconds)]
  return execa('sh', words, {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    encoding: 'utf8',
    env: { LC_ALL: 'C' },
    cwd: '/',
    reject: false,
    // it ends with us, also by a signal
    cleanup: true,
    killSignal: 'SIGKILL',
  })
}

type Child = ReturnType<typeof start>

async function endOf(child: Child, seconds: number, signal: Stop | undefined): Promise<End> {
  let timer: NodeJS.Timeout | undefined
  let onAbort = () => {}
  const first = new Promise<End>((resolve) => {
    const within = (ms: number) => {
      clearTimeout(timer)
      timer = setTimeout(() => resolve('late'), ms)
    }
    within(FAR_MS)
    let said = ''
    child.stdout.on('data', (text: Buffer | string) => {
      said += String(text)
      if (said.includes('held')) resolve('held')
      else if (said.includes('open')) within(seconds * 1000 + FAR_MS)
    })
    onAbort = () => resolve('aborted')
    signal?.addEventListener('abort', onAbort)
    void child.then(() => resolve('ended'))
  })
  const end = await first
  clearTimeout(timer)
  signal?.removeEventListener('abort', onAbort)
  return end
}

function whyNot(lock: string, seconds: number, ended: Awaited<Child>): Error {
  const { exitCode, stderr: err } = ended
  if (exitCode === 127) return new CannotRun('flock', 'ENOENT')
  if (busyBoxIn(err)) return new CannotRun('flock', 'ENOTSUP')
  return exitCode === 1 ? lockBusy(lock, seconds, err) : new FileError('open the lock', lock, codeIn(err))
}

/** Its end gives the lock back. A process that its file system keeps has nobody waiting. */
async function letGo(child: Child): Promise<void> {
  child.stdin.end()
  await inTime(FAR_MS, child)
  abandon(child)
}

function abandon(child: Child): void {
  child.kill('SIGKILL')
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy()
  child.unref()
}
