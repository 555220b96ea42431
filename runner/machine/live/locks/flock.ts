import { closeSync } from 'node:fs'
import { busyBoxIn } from '../../remedy/busybox.ts'
import { CannotRun, LockBusy } from '../../errors.ts'
import type { Answer } from '../../machine.ts'

/**
 * Locks the file that is open as `fd`, and closes it with the lock. node has no flock(2). `flock(1)` locks the descriptor that it inherits; the lock belongs to the open file,
 * which is ours too, so it stays when flock(1) has ended, and goes with the descriptor: also when we are killed.
 */
export async function holdFlock(
  lock: string,
  fd: number,
  { seconds, shared }: { seconds: number; shared: boolean },
  run: (argv: string[]) => Promise<Answer>,
): Promise<() => Promise<void>> {
  try {
    const { status, err } = await run(['flock', ...(shared ? ['-s'] : []), '-w', String(seconds), '3'])
    if (status === 0) return () => Promise.resolve(closeSync(fd))
    if (busyBoxIn(err)) throw new CannotRun('flock', 'ENOTSUP')
    throw lockBusy(lock, seconds, err)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** What flock(1) said is the reason, if it said anything. */
export function lockBusy(lock: string, seconds: number, err: string): LockBusy {
  const why = err.trim() || `another process has held it for ${seconds} s: "fuser -v ${lock}" names it`
  return new LockBusy(`cannot lock ${lock}: ${why}`)
}
