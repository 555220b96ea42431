import { closeSync } from 'node:fs'
import { CannotRun, FileError, LockBusy } from '../../machine/errors.ts'
import { openLock } from '../../machine/files/lock-file.ts'
import { isFar } from '../../machine/files/may-hang.ts'
import { helper, helperText } from '../../machine/live/libexec.ts'
import { AnswerLimit, silentHelper } from '../../machine/live/answer-limit.ts'
import { Coprocess } from '../../machine/live/coprocess.ts'

const COMMAND = helper('lock-holder.sh')
const IN_PERL = helperText('lock-holder.pl')

export interface LockHolderOptions {
  isShared: boolean
  /** The process that had the lock has ended, and the lock with it. */
  lost?: () => void
  /** Hears of a process that does not answer, and of another user who held the lock. */
  complain?: (line: string) => void
}

/** Says that another process has the lock, and that the answer takes as long as the caller wants to wait. */
const WAITS = 'waits'
/** Milliseconds for a file system that may hang to open a lock: the last act takes several, and has 6 s. */
const FAR_MS = 1500
/** No process, or none any more, that could answer. */
const ENDED = 'ended'

interface Question {
  /** Ends the wait for an answer. */
  answered: (isAnswer?: boolean) => void
  /** Milliseconds that the helper waits for the lock at most. */
  ms: number
  done: (line: string) => void
}

/**
 * Takes and releases one flock(2), again and again. node has no flock(2), so a small process holds the lock; the process
 * goes with us, and the lock with it. A process that does not answer is killed, and the next does its work.
 */
export class LockHolder {
  readonly #path: string
  readonly #options: LockHolderOptions
  readonly #limit = new AnswerLimit()
  #process: Coprocess | undefined
  #question: Question | undefined
  #isHeld = false
  #isClosed = false
  #isFar = false

  constructor(path: string, options: LockHolderOptions) {
    this.#path = path
    this.#options = options
  }

  /** Of the process that holds the lock, or waits for it. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /**
   * Rejects with LockBusy after so many seconds. On a file system that may hang only the process touches the lock; rejects with
   * a FileError, ETIMEDOUT, when that file system does not answer.
   */
  async take(seconds: number): Promise<void> {
    const path = this.#path
    this.#isFar = isFar(path)
    if (!this.#isFar) closeSync(openLock(path, this.#options.complain))
    const request = `${seconds}\n${this.#options.isShared ? 's' : 'x'}\n`
    let status = await this.#ask(request, seconds * 1000)
    if (status === ENDED && this.#isFar) throw new FileError('open the lock', path, 'ETIMEDOUT')
    // what has ended the process is nothing about the lock
    if (status === ENDED) status = await this.#ask(request, seconds * 1000)
    this.#isHeld = status === '0'
    if (this.#isHeld) return
    if (status === '127') throw new CannotRun('flock', 'ENOENT')
    if (status === '3') throw new CannotRun('flock', 'ENOTSUP')
    if (status === ENDED) throw new LockBusy(`cannot lock ${path}: the process that does it has ended`)
    throw new LockBusy(
      `cannot lock ${path}: another process has held it for ${seconds} s: "fuser -v ${path}" names it`,
    )
  }

  async letGo(): Promise<void> {
    this.#isHeld = false
    if (this.#process) await this.#ask('leave\n', 0)
  }

  /** The lock is free then, and never taken again. */
  close(): void {
    this.#isClosed = true
    this.#isHeld = false
    this.#process?.kill()
  }

  #ask(text: string, ms: number): Promise<string> {
    if (this.#isClosed) return Promise.resolve(ENDED)
    return new Promise((done) => {
      const process = (this.#process ??= this.#begin())
      this.#question = { answered: this.#mustAnswer(process, 0), ms, done }
      process.send(text)
    })
  }

  #begin(): Coprocess {
    const process: Coprocess = new Coprocess([...COMMAND, this.#path, IN_PERL], {
      out: (text) => text.split('\n').forEach((line) => line !== '' && this.#heard(process, line)),
      ended: () => {
        if (this.#process === process) this.#ended()
      },
    })
    return process
  }

  #mustAnswer(process: Coprocess, ms: number): Question['answered'] {
    const end = () => process.kill()
    if (this.#isFar) return inTime(FAR_MS + ms, end)
    return this.#limit.begin((limit) => {
      const what = `the process that holds the lock ${this.#path}`
      this.#options.complain?.(silentHelper(what, process.pid, limit))
      end()
    }, ms)
  }

  #heard(process: Coprocess, line: string): void {
    const { answered, ms, done } = this.#question ?? {}
    answered?.()
    if (line === WAITS && this.#question) this.#question.answered = this.#mustAnswer(process, ms ?? 0)
    else {
      this.#question = undefined
      done?.(line)
    }
  }

  #ended(): void {
    this.#process = undefined
    const wasHeld = this.#isHeld
    this.#isHeld = false
    const { answered, done } = this.#question ?? {}
    this.#question = undefined
    answered?.(false)
    done?.(ENDED)
    if (wasHeld) this.#options.lost?.()
  }
}

/** Calls `late` after so many milliseconds, unless the function that is given back is called before. */
function inTime(ms: number, late: () => void): () => void {
  const timer = setTimeout(late, ms)
  return () => clearTimeout(timer)
}
