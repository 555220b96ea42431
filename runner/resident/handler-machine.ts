import type { Announcement } from '../machine/announcement.ts'
import type { Answer, System, Verb } from '../machine/machine.ts'
import type { CommandOptions, HoldOptions, ReadOptions, WriteOptions } from '../machine/options.ts'
import { live, type LiveOptions } from '../machine/live/live.ts'
import { reachHere } from '../machine/files/may-hang.ts'
import type { Stop } from '../machine/stop.ts'
import { Refusal } from '../base/refusal.ts'
import { Attendant, type Work } from './programs/deadline.ts'
import { limited } from './programs/limited.ts'
import type { Early } from './prefetch.ts'
import type { Files } from './files.ts'
import type { LockRequest } from './locks/one-lock.ts'

export interface HandlerOptions extends LiveOptions {
  signal: Stop
  /** What was begun for this handler. */
  early?: Early
}

/** The parts of the shared machine that all handlers use. */
export interface SharedParts {
  /** Its helpers have been ended: nothing is done any more. */
  readonly isClosed: boolean
  files: Files
  announce: (announcement: Announcement) => void
  /** How a command is done, and by which process; undefined when the handler starts the process itself. */
  workFor: (verb: Verb, argv: readonly string[], how: CommandOptions) => Work<Answer> | undefined
  hold: (path: string, seconds: number, how?: HoldOptions) => LockRequest
  /** The process that waits for that lock. */
  lockPid: (path: string, how?: HoldOptions) => number | undefined
}

/** What is done without a process. */
const DONE = Promise.resolve({ status: 0, out: '', err: '' })

/**
 * The shared machine for one handler of one event: with its deadline, and the locks that it holds. Without `async` where
 * hundreds of events pass at once: each promise less counts.
 */
export class HandlerMachine implements System {
  readonly #shared: SharedParts
  readonly #signal: Stop
  readonly #early: Early | undefined
  readonly #own: System
  readonly #attendant: Attendant
  readonly #held: string[] = []

  constructor(shared: SharedParts, options: HandlerOptions) {
    this.#shared = shared
    this.#signal = options.signal
    this.#early = options.early
    this.#own = live(options)
    this.#attendant = new Attendant(options)
  }

  run(verb: Verb, argv: readonly string[], how: CommandOptions): Promise<Answer> {
    if (this.#shared.isClosed || (!how.undo && this.#signal.aborted)) return this.#tooLate()
    if (how.announcement) {
      this.#shared.announce(how.announcement)
      return DONE
    }
    const way = this.#shared.workFor(verb, argv, how)
    if (!way) return this.#own.run(verb, argv, how)
    const begun = (verb === 'ask' ? this.#early?.(argv) : undefined) ?? way
    const work = how.within === undefined ? begun : limited(begun, how.within)
    return how.undo ? this.#attendant.finish(argv, work) : this.#attendant.attend(argv, work)
  }

  read(path: string, how: ReadOptions = {}): Promise<string | undefined> {
    const { files } = this.#shared
    // by a child: each reader leaves it at its own deadline
    if (reachHere(path) !== 'near' && !files.hasDraft(path)) return this.#own.read(path, how)
    const text = files.read(path, how)
    return how.until
      ? this.#attendant.attend(['read', path], { done: () => text, by: () => undefined })
      : text
  }

  /** A text waits only for a lock that this handler holds. */
  write(path: string, text: string, how?: WriteOptions): Promise<void> {
    if (this.#shared.isClosed || this.#signal.aborted) return this.#tooLate()
    const until = this.#held.find((lock) => lock === how?.until)
    return this.#shared.files.write(path, text, { ...how, until })
  }

  async hold(path: string, seconds: number, how?: HoldOptions): Promise<() => Promise<void>> {
    if (this.#shared.isClosed || this.#signal.aborted) await this.#tooLate()
    const { held, withdraw } = this.#shared.hold(path, seconds, how)
    const waits = () => {
      const pid = this.#shared.lockPid(path, how)
      // others may wait for the lock by the same process, which ends in time by itself
      return pid === undefined ? undefined : { pid, kill() {} }
    }
    const { release } = await this.#attendant.attend(['flock', '-w', String(seconds), path], {
      done: () => held,
      by: waits,
      left: withdraw,
    })
    this.#held.push(path)
    return async () => {
      this.#held.splice(this.#held.lastIndexOf(path), 1)
      await release()
    }
  }

  find(program: string): Promise<string | undefined> {
    return this.#shared.files.find(program)
  }

  wait(ms: number): Promise<void> {
    return this.#own.wait(ms)
  }

  #tooLate(): Promise<never> {
    // oxlint-disable-next-line prefer-promise-reject-errors -- the reason is one
    return Promise.reject(
      this.#signal.reason ?? new Refusal('the event daemon ends: nothing is begun any more'),
    )
  }
}
