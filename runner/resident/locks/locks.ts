import type { HoldOptions } from '../../machine/options.ts'
import { OneLock, busyHere, type KeptBack, type LockRequest } from './one-lock.ts'

/** Locks of this process: taken once for all events that want one at about the same time. */
export class Locks {
  readonly #keptBack: KeptBack
  readonly #complain: (line: string) => void
  readonly #known = new Map<string, OneLock>()

  /** `complain` hears of a helper that had to be replaced. */
  constructor(keptBack: KeptBack, complain: (line: string) => void = () => {}) {
    this.#keptBack = keptBack
    this.#complain = complain
  }

  /** As `hold` of the door. */
  hold(path: string, seconds: number, how: HoldOptions = {}): LockRequest {
    // that others of ours share it needs no question to anybody
    const isShared = !how.shared && seconds === 0 && this.#known.get(keyOf(path, true))?.isInUse
    if (isShared) return { held: Promise.reject(busyHere(path, seconds)), withdraw() {} }
    return this.#lock(path, how.shared).hold(seconds, how)
  }

  /** It will be wanted in some milliseconds, alone. */
  expect(path: string): void {
    this.#lock(path).expect()
  }

  /** The process that waits for that lock, to be looked at when it takes too long. */
  pid(path: string, how?: HoldOptions): number | undefined {
    return this.#lock(path, how?.shared).pid
  }

  close(): void {
    for (const lock of this.#known.values()) lock.close()
  }

  #lock(path: string, shared = false): OneLock {
    const key = keyOf(path, shared)
    const lock = this.#known.get(key) ?? new OneLock(path, shared, this.#keptBack, this.#complain)
    this.#known.set(key, lock)
    return lock
  }
}

function keyOf(path: string, shared: boolean): string {
  return `${shared ? 'shared' : 'alone'} ${path}`
}
