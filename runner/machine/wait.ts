/** Waiting, as a passage through the door: a recording holds it as the program `sleep`. */
import { Interrupted } from './errors.ts'
import type { Stop } from './stop.ts'

/** The command that waits as long. */
export function asSleep(ms: number): string[] {
  return ['sleep', String(ms / 1000)]
}

/** What the promise gives if that comes within so many milliseconds, else `late`. No timer is left behind. */
export async function inTime<T>(ms: number, promise: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), ms)))
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Rejects at the deadline: with the reason when that has come before, else as a program that was ended. */
export async function waitLive(ms: number, signal?: Stop): Promise<void> {
  signal?.throwIfAborted()
  const began = Date.now()
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(new Interrupted(asSleep(ms), Date.now() - began, signal?.reason))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop)
  })
}
