import { constants } from 'node:os'
import type { Answer } from '../../machine/machine.ts'
import { helper } from '../../machine/live/libexec.ts'
import { Coprocess } from '../../machine/live/coprocess.ts'
import { ANSWER_MS, silentHelper } from '../../machine/live/answer-limit.ts'
import { isAwaitingChild, isStopped } from '../../machine/live/process-state.ts'
import { WorkerEnded, type Worker } from './deadline.ts'

const COMMAND = helper('process-pool.sh')

/**
 * One shell of the pool. It runs a command at a time. A program may take all the time of its event, but the shell must have started
 * the program, and report its end.
 */
export class PoolShell implements Worker {
  readonly #complain: (line: string) => void
  readonly #coprocess: Coprocess
  #out = ''
  #err = ''
  #isAlive = true
  #isIdle = false
  #done: ((answer: Answer | undefined) => void) | undefined
  #failed: ((error: WorkerEnded) => void) | undefined

  /** `complain` hears of a shell that does not answer. */
  constructor(complain: (line: string) => void) {
    this.#complain = complain
    this.#coprocess = new Coprocess(COMMAND, {
      out: (text) => {
        this.#out += text
        this.#heard()
      },
      err: (text) => {
        this.#err += text
        this.#heard()
      },
      ended: () => this.#ended(),
    })
  }

  get pid(): number | undefined {
    return this.#coprocess.pid
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  get isStopped(): boolean {
    return this.pid !== undefined && isStopped(this.pid)
  }

  /** Undefined when the shell has ended before. */
  run(command: string): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      if (!this.#isAlive || this.pid === undefined) return resolve(undefined)
      this.#isIdle = false
      const watch = setInterval(() => this.#mustBeAtWork(), ANSWER_MS / 2)
      this.#done = (answer) => {
        clearInterval(watch)
        resolve(answer)
      }
      this.#failed = (error) => {
        clearInterval(watch)
        reject(error)
      }
      this.#coprocess.send(command)
    })
  }

  finish(): void {
    this.#coprocess.finish()
  }

  kill(): void {
    this.#coprocess.kill()
  }

  /** Between the end of a program and the answer no program runs: only a shell that is seen so at two looks is silent. */
  #mustBeAtWork(): void {
    const wasIdle = this.#isIdle
    this.#isIdle = this.pid !== undefined && !isAwaitingChild(this.pid)
    if (!wasIdle || !this.#isIdle) return
    this.#complain(silentHelper('the shell that starts programs', this.pid, ANSWER_MS))
    this.kill()
  }

  #heard(): void {
    const end = /\0(\d+)\0$/.exec(this.#out)
    if (!end || !this.#err.endsWith('\0')) return
    const answer = answerOf(Number(end[1]), this.#out.slice(0, end.index), this.#err.slice(0, -1))
    this.#out = this.#err = ''
    this.#done?.(answer)
  }

  #ended(): void {
    this.#isAlive = false
    // also when somebody else has killed the shell: what became of the program is not known
    this.#failed?.(new WorkerEnded('the shell that ran it was ended'))
  }
}

/** By the rule of shells, 128 + N is a program that signal N has ended. */
function answerOf(status: number, out: string, err: string): Answer {
  const answer = { status, out, err }
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0]
  return signal === undefined ? answer : { ...answer, signal }
}
