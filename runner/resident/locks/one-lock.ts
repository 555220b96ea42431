import type { HoldOptions } from '../../machine/options.ts'
import { LockBusy } from '../../machine/errors.ts'
import { LockHolder } from './lock-holder.ts'

export interface LockRequest {
  /** Resolves when the lock is ours; rejects with LockBusy when the time is over, also when another event of ours has it. */
  held: Promise<Granted>
  /** Nobody waits for it any longer: one that is granted all the same is given back at once. */
  withdraw: () => void
}

export interface Granted {
  /** Done when what was written under the lock is on disk. */
  release: () => Promise<void>
}

/** Texts that are written under a lock may wait for those who come next; they are on disk before another process has the lock. */
export interface KeptBack {
  any: (lock: string) => boolean
  /** Rejects with what the disk says. */
  putDown: (lock: string) => Promise<void>
}

interface Waiter {
  how: HoldOptions
  /** Milliseconds of the monotonic clock. */
  until: number
  timer?: NodeJS.Timeout
  resolve: (granted: Granted) => void
  reject: (error: unknown) => void
}

/** Other processes wait 10 s and more for a lock; ours comes free after so many milliseconds, whether others wait here or not. */
const KEPT_FOR_MS = 2000
/** And so long it stays ours after the last one, for the next: to take it costs a process. */
const LINGER_MS = 50
/** Nobody waits yet for a lock that is only expected to be needed. */
const SOON_SECONDS = 1
/**
 * A request without patience waits so long for another event of ours. Every other waits that much longer than it says, so that
 * flock(2) is the first to refuse.
 */
const FLOOR_MS = 100

/** One flock(2) and the events of this process that have it: several who agree to that, or one after the other. */
export class OneLock {
  readonly #path: string
  readonly #isShared: boolean
  readonly #keptBack: KeptBack
  readonly #holder: LockHolder
  #waiting: Waiter[] = []
  #inside = 0
  /** Whoever is inside has agreed to nobody else. */
  #isAlone = false
  /** `busy`: the holder or the disk is at work. */
  #state: 'free' | 'busy' | 'ours' = 'free'
  /** The seconds that the holder waits at most, while it takes the lock. */
  #taking: number | undefined
  /** When it was taken, in milliseconds of the monotonic clock. */
  #since = 0
  #lingering: NodeJS.Timeout | undefined
  #hasLingered = false
  /** Its holder was killed: those who are inside end, and the others wait for a new one. */
  #isLost = false
  /** Those who are done, and wait for the disk. */
  #done: { resolve: () => void; reject: (error: unknown) => void }[] = []

  /** `complain` hears of a holder that had to be replaced. */
  constructor(
    path: string,
    isShared: boolean,
    keptBack: KeptBack,
    complain: (line: string) => void = () => {},
  ) {
    this.#path = path
    this.#isShared = isShared
    this.#keptBack = keptBack
    this.#holder = new LockHolder(path, { isShared, complain, lost: () => this.#lost() })
  }

  get isInUse(): boolean {
    return this.#inside > 0
  }

  /** Of the process that waits for the lock. A process that has the lock hangs in nothing. */
  get pid(): number | undefined {
    return this.#taking === undefined ? undefined : this.#holder.pid
  }

  hold(seconds: number, how: HoldOptions): LockRequest {
    const until = performance.now() + seconds * 1000
    const own: Waiter = { how, until, resolve() {}, reject() {} }
    const held = new Promise<Granted>((resolve, reject) => Object.assign(own, { resolve, reject }))
    this.#waiting.push(own)
    this.#next()
    if (this.#waiting.includes(own)) {
      const tooLate = () => {
        // flock(2) refuses by itself, after no more than these seconds; on a busy machine its process starts late
        if (this.#taking !== undefined && this.#taking <= seconds) own.timer = setTimeout(tooLate, FLOOR_MS)
        else this.#refuse(own, busyHere(this.#path, seconds))
      }
      own.timer = setTimeout(tooLate, seconds * 1000 + FLOOR_MS)
    }
    return { held, withdraw: () => this.#withdraw(own, held) }
  }

  expect(): void {
    if (this.#state === 'free') void this.#take(SOON_SECONDS)
  }

  close(): void {
    this.#holder.close()
  }

  /** What comes next, whatever has just happened. */
  #next(): void {
    if (this.#state === 'busy') return
    const [first] = this.#waiting
    if (this.#state === 'free') return first && void this.#take(this.#longest())
    const isTired = this.#isLost || performance.now() - this.#since > KEPT_FOR_MS
    if (first && !isTired && this.#mayEnter(first)) return this.#enter(first)
    if (this.#inside > 0) return
    if (this.#done.length > 0) return void this.#toDisk()
    if (isTired || this.#isShared || this.#hasLingered) return void this.#letGo()
    this.#lingering ??= setTimeout(() => {
      this.#hasLingered = true
      this.#next()
    }, LINGER_MS)
  }

  #mayEnter({ how }: Waiter): boolean {
    return this.#inside === 0 || (!this.#isAlone && (how.together || how.shared) === true)
  }

  #enter(first: Waiter): void {
    this.#stopLingering()
    clearTimeout(first.timer)
    this.#waiting = this.#waiting.slice(1)
    this.#inside += 1
    this.#isAlone = !(first.how.together || first.how.shared)
    first.resolve({ release: () => this.#leave() })
    this.#next()
  }

  async #leave(): Promise<void> {
    this.#inside -= 1
    this.#isAlone = false
    // who shares it may want it alone next: not before it is really free
    if (this.#isShared && this.#inside === 0 && this.#waiting.length === 0) return await this.#letGo()
    const onDisk = this.#keptBack.any(this.#path)
      ? new Promise<void>((resolve, reject) => this.#done.push({ resolve, reject }))
      : undefined
    // a moment for those who are about to ask: what one writes can then be the last
    if (this.#waiting.length > 0) this.#next()
    else setImmediate(() => this.#next())
    await onDisk
  }

  /** Whole seconds until the last of those who wait gives up; 0 when nobody is willing to wait. */
  #longest(): number {
    const ms = Math.max(...this.#waiting.map(({ until }) => until)) - performance.now()
    return Math.max(0, Math.ceil(ms / 1000))
  }

  async #take(seconds: number): Promise<void> {
    this.#state = 'busy'
    this.#taking = seconds
    const before = new Set(this.#waiting)
    try {
      await this.#holder.take(seconds)
      this.#state = 'ours'
      this.#since = performance.now()
    } catch (error) {
      this.#state = 'free'
      // who came meanwhile has not waited as long; but a lock that cannot be had at all is so for everybody
      const isOver = (each: Waiter) => !(error instanceof LockBusy) || before.has(each)
      for (const each of this.#waiting.filter(isOver)) this.#refuse(each, error)
    }
    this.#taking = undefined
    this.#next()
  }

  async #toDisk(): Promise<void> {
    this.#state = 'busy'
    const mine = this.#done
    this.#done = []
    try {
      await this.#keptBack.putDown(this.#path)
      for (const { resolve } of mine) resolve()
    } catch (error) {
      for (const { reject } of mine) reject(error)
    }
    this.#state = 'ours'
    this.#next()
  }

  async #letGo(): Promise<void> {
    this.#stopLingering()
    this.#state = 'busy'
    await this.#holder.letGo()
    this.#isLost = false
    this.#state = 'free'
    this.#next()
  }

  #lost(): void {
    this.#isLost = true
    this.#next()
  }

  #stopLingering(): void {
    clearTimeout(this.#lingering)
    this.#lingering = undefined
    this.#hasLingered = false
  }

  #refuse(each: Waiter, error: unknown): void {
    clearTimeout(each.timer)
    this.#waiting = this.#waiting.filter((other) => other !== each)
    each.reject(error)
  }

  #withdraw(own: Waiter, held: Promise<Granted>): void {
    if (this.#waiting.includes(own))
      this.#refuse(own, new LockBusy(`cannot lock ${this.#path}: nobody waits for it`))
    void held.then(({ release }) => release()).catch(() => {})
  }
}

export function busyHere(path: string, seconds: number): LockBusy {
  return new LockBusy(
    `cannot lock ${path}: other events of this daemon have held it for ${seconds} s: "eventscript top" shows them`,
  )
}
