import type { HoldOptions } from '../machine/machine.ts'
import { LockBusy } from '../machine/errors.ts'
import { flockKeeper } from './lock-holder.ts'

/** Locks of this process: taken once for all events that want one at about the same time. */
export interface Locks {
  /** As `hold` of the door. */
  hold: (path: string, seconds: number, how?: HoldOptions) => Request
  /** It will be wanted in some milliseconds, alone. */
  expect: (path: string) => void
  /** The process that waits for that lock, to be looked at when it takes too long. */
  pid: (path: string, how?: HoldOptions) => number | undefined
  close: () => void
}

export interface Request {
  /** Resolves when it is ours; rejects with LockBusy when the time is over, whoever holds it. */
  held: Promise<Held>
  /** Nobody waits for it any longer: one that is granted all the same is given back at once. */
  withdraw: () => void
}

export interface Held {
  /** Done when what was written under the lock is on disk. */
  release: () => Promise<void>
}

interface Waiter {
  how: HoldOptions
  /** Milliseconds of the monotonic clock. */
  until: number
  timer?: NodeJS.Timeout
  resolve: (held: Held) => void
  reject: (error: unknown) => void
}

/** Other processes wait 10 s and more for a lock; ours comes free after so many milliseconds, whoever still waits here. */
const KEPT_FOR_MS = 2000
/** And so long it stays ours behind the last one, for the next: to take it costs a process. */
const LINGER_MS = 50
/** Nobody waits yet for a lock that is only expected to be needed. */
const SOON_SECONDS = 1
/** Who does not want to wait waits so long for another event of ours; and that much longer waits who waits, so that flock(2) is the first to say no. */
const FLOOR_MS = 100

/** What is written under a lock may wait for those who come next; it is on disk before another process has the lock. */
export interface KeptBack {
  any: (lock: string) => boolean
  /** Rejects with what the disk says. */
  write: (lock: string) => Promise<void>
}

export function locks(keptBack: KeptBack): Locks {
  const known = new Map<string, ReturnType<typeof oneLock>>()
  const lockOf = (path: string, shared = false) => {
    const key = `${shared ? 'shared' : 'alone'} ${path}`
    const lock = known.get(key) ?? oneLock(path, shared, keptBack)
    known.set(key, lock)
    return lock
  }
  return {
    hold(path, seconds, how = {}) {
      // that others of ours share it needs no question to anybody
      const isShared = !how.shared && seconds === 0 && known.get(`shared ${path}`)?.isInUse()
      if (isShared) return { held: Promise.reject(busyHere(path, seconds)), withdraw() {} }
      return lockOf(path, how.shared).hold(seconds, how)
    },
    expect: (path) => lockOf(path).expect(),
    pid: (path, how) => lockOf(path, how?.shared).pid(),
    close() {
      for (const lock of known.values()) lock.close()
    },
  }
}

/** One flock(2), and who in this process has it: several who agree to that, or one after the other. */
function oneLock(path: string, shared: boolean, keptBack: KeptBack) {
  const keeper = flockKeeper(path, shared)
  let waiting: Waiter[] = []
  let inside = 0
  let alone = false
  /** `busy`: the keeper or the disk is at work. */
  let state: 'free' | 'busy' | 'ours' = 'free'
  let isWaiting = false
  let since = 0
  let lingering: NodeJS.Timeout | undefined
  let hasLingered = false
  /** Those who are done, and wait for the disk. */
  let done: { resolve: () => void; reject: (error: unknown) => void }[] = []

  function next(): void {
    if (state === 'busy') return
    const [first] = waiting
    if (state === 'free') return first && void take(longest())
    const tired = performance.now() - since > KEPT_FOR_MS
    if (first && !tired && mayEnter(first)) return enter(first)
    if (inside > 0) return
    if (done.length > 0) return void toDisk()
    if (tired || shared || hasLingered) return void letGo()
    lingering ??= setTimeout(() => {
      hasLingered = true
      next()
    }, LINGER_MS)
  }

  function mayEnter({ how }: Waiter): boolean {
    return inside === 0 || (!alone && (how.together || how.shared) === true)
  }

  function enter(first: Waiter): void {
    stopLingering()
    clearTimeout(first.timer)
    waiting = waiting.slice(1)
    inside += 1
    alone = !(first.how.together || first.how.shared)
    first.resolve({ release: leave })
    next()
  }

  /** Whole seconds until the last of those who wait gives up; 0 when nobody is willing to wait. */
  function longest(): number {
    const ms = Math.max(...waiting.map(({ until }) => until)) - performance.now()
    return Math.max(0, Math.ceil(ms / 1000))
  }

  async function take(seconds: number): Promise<void> {
    state = 'busy'
    isWaiting = true
    const before = new Set(waiting)
    try {
      await keeper.take(seconds)
      state = 'ours'
      since = performance.now()
    } catch (error) {
      state = 'free'
      // who came meanwhile has not waited as long; but a lock that cannot be had at all is so for everybody
      const isOver = (each: Waiter) => !(error instanceof LockBusy) || before.has(each)
      for (const each of waiting.filter(isOver)) refuse(each, error)
    }
    isWaiting = false
    next()
  }

  function refuse(each: Waiter, error: unknown): void {
    clearTimeout(each.timer)
    waiting = waiting.filter((other) => other !== each)
    each.reject(error)
  }

  async function leave(): Promise<void> {
    inside -= 1
    alone = false
    // who shares it may want it alone next: not before it is really free
    if (shared && inside === 0 && waiting.length === 0) return await letGo()
    const onDisk = keptBack.any(path)
      ? new Promise<void>((resolve, reject) => done.push({ resolve, reject }))
      : undefined
    // a moment for those who are about to ask: what one writes can then be the last
    if (waiting.length > 0) next()
    else setImmediate(next)
    await onDisk
  }

  async function toDisk(): Promise<void> {
    state = 'busy'
    const mine = done
    done = []
    try {
      await keptBack.write(path)
      for (const { resolve } of mine) resolve()
    } catch (error) {
      for (const { reject } of mine) reject(error)
    }
    state = 'ours'
    next()
  }

  function stopLingering(): void {
    clearTimeout(lingering)
    lingering = undefined
    hasLingered = false
  }

  async function letGo(): Promise<void> {
    stopLingering()
    state = 'busy'
    await keeper.letGo()
    state = 'free'
    next()
  }

  function hold(seconds: number, how: HoldOptions): Request {
    const until = performance.now() + seconds * 1000
    const own: Waiter = { how, until, resolve() {}, reject() {} }
    const held = new Promise<Held>((resolve, reject) => Object.assign(own, { resolve, reject }))
    waiting.push(own)
    next()
    if (waiting.includes(own))
      own.timer = setTimeout(() => refuse(own, busyHere(path, seconds)), seconds * 1000 + FLOOR_MS)
    return {
      held,
      withdraw() {
        if (waiting.includes(own)) refuse(own, new LockBusy(`cannot lock ${path}: nobody waits for it`))
        void held.then(({ release }) => release()).catch(() => {})
      },
    }
  }

  return {
    hold,
    isInUse: () => inside > 0,
    expect(): void {
      if (state === 'free') void take(SOON_SECONDS)
    },
    // one that has the lock hangs in nothing
    pid: () => (isWaiting ? keeper.pid() : undefined),
    close: () => keeper.close(),
  }
}

function busyHere(path: string, seconds: number): LockBusy {
  return new LockBusy(
    `cannot lock ${path}: other events of this daemon have held it for ${seconds} s: "eventscript top" shows them`,
  )
}
