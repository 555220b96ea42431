import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { HoldOptions } from '../system/door.ts'
import { CannotRun, FileError, LockBusy } from '../system/errors.ts'
import { startCoprocess } from '../system/coprocess.ts'

/** Locks of this process: taken once for all events that want one at about the same time. */
export interface Locks {
  /** As `hold` of the door. Resolves when it is ours; the release is done when what was written under it is on disk. */
  hold: (path: string, seconds: number, how?: HoldOptions) => Promise<Held>
  /** It will be wanted in some milliseconds, alone. */
  expect: (path: string) => void
  /** The process that waits for that lock, to be looked at when it takes too long. */
  pid: (path: string, how?: HoldOptions) => number | undefined
  close: () => void
}

export interface Held {
  release: () => Promise<void>
}

interface Waiter {
  how: HoldOptions
  seconds: number
  resolve: (held: Held) => void
  reject: (error: unknown) => void
}

/** Other processes wait 10 s and more for a lock; ours comes free after so many milliseconds, whoever still waits here. */
const KEPT_FOR_MS = 2000
/** And so long it stays ours behind the last one, for the next: to take it costs a process. */
const LINGER_MS = 50
/** Nobody waits yet for a lock that is only expected to be needed. */
const SOON_SECONDS = 1

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
    hold: (path, seconds, how = {}) => lockOf(path, how.shared).hold(seconds, how),
    expect: (path) => lockOf(path).expect(),
    pid: (path, how) => lockOf(path, how?.shared).pid(),
    close() {
      for (const lock of known.values()) lock.close()
    },
  }
}

/** One flock(2), and who in this process has it: several who agree to that, or one after the other. */
function oneLock(path: string, shared: boolean, keptBack: KeptBack) {
  const keeper = keepFlock()
  let waiting: Waiter[] = []
  let inside = 0
  let alone = false
  /** `busy`: the keeper or the disk is at work. */
  let state: 'free' | 'busy' | 'ours' = 'free'
  let since = 0
  let lingering: NodeJS.Timeout | undefined
  let hasLingered = false
  /** Those who are done, and wait for the disk. */
  let done: { resolve: () => void; reject: (error: unknown) => void }[] = []

  function next(): void {
    if (state === 'busy') return
    const [first] = waiting
    if (state === 'free') return first && void take(first.seconds)
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
    waiting = waiting.slice(1)
    inside += 1
    alone = !(first.how.together || first.how.shared)
    first.resolve({ release: leave })
    next()
  }

  async function take(seconds: number): Promise<void> {
    state = 'busy'
    const before = [...waiting]
    try {
      await keeper.take(path, seconds, shared)
      state = 'ours'
      since = performance.now()
    } catch (error) {
      state = 'free'
      // who came meanwhile has not waited as long; but a lock that cannot be had at all is so for everybody
      const isOver = (each: Waiter) =>
        !(error instanceof LockBusy) || (before.includes(each) && each.seconds <= seconds)
      const over = waiting.filter(isOver)
      waiting = waiting.filter((each) => !isOver(each))
      for (const { reject } of over) reject(error)
    }
    next()
  }

  async function leave(): Promise<void> {
    inside -= 1
    alone = false
    // who shares it may want it alone next: not before it is really free
    if (shared && inside === 0 && waiting.length === 0) return await letGo()
    // a moment for those who are about to ask: what one writes can then be the last
    setImmediate(next)
    if (keptBack.any(path)) await new Promise<void>((resolve, reject) => done.push({ resolve, reject }))
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

  return {
    hold: (seconds: number, how: HoldOptions): Promise<Held> =>
      new Promise((resolve, reject) => {
        waiting.push({ how, seconds, resolve, reject })
        next()
      }),
    expect(): void {
      if (state === 'free') void take(SOON_SECONDS)
    },
    pid: () => keeper.pid(),
    close: () => keeper.close(),
  }
}

/** Takes and leaves one lock, again and again. The file is opened anew each time: it may have been replaced. */
const KEEPER = String.raw`while read -r seconds; do
if [ "$seconds" = leave ]; then exec 9>&-; printf 'left\n'; continue; fi
read -r how; exec 9>>"$0"; flock "-$how" -w "$seconds" 9; printf '%d\n' $?; done`

/** flock(2) is not in node, so a small process has the lock; it goes with us, and the lock with it. */
function keepFlock() {
  let process: ReturnType<typeof startCoprocess> | undefined
  let heard: ((line: string) => void) | undefined

  const talk = (path: string, text: string): Promise<string> =>
    new Promise((resolve) => {
      heard = resolve
      process ??= startCoprocess(['sh', '-c', KEEPER, path], {
        out: (line) => heard?.(line.trim()),
        ended() {
          process = undefined
          heard?.('ended')
        },
      })
      process.send(text)
    })

  return {
    async take(path: string, seconds: number, shared: boolean): Promise<void> {
      mustBeOpenable(path)
      const status = await talk(path, `${seconds}\n${shared ? 's' : 'x'}\n`)
      if (status === '0') return
      if (status === '127') throw new CannotRun('flock', 'ENOENT')
      if (status === 'ended') throw new LockBusy(`cannot lock ${path}: the shell that does it has ended`)
      throw new LockBusy(
        `cannot lock ${path}: another process has held it for ${seconds} s: "fuser -v ${path}" names it`,
      )
    },
    async letGo(): Promise<void> {
      if (process) await talk('', 'leave\n')
    },
    pid: () => process?.pid,
    close: () => process?.finish(),
  }
}

function mustBeOpenable(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    closeSync(openSync(path, 'a'))
  } catch (error) {
    throw new FileError('open the lock', path, String((error as NodeJS.ErrnoException).code))
  }
}
