import { constants } from 'node:os'
import type { Answer } from '../../machine/machine.ts'
import { helper } from '../../machine/live/libexec.ts'
import { startCoprocess, type Coprocess } from '../../machine/live/coprocess.ts'
import { WorkerEnded, type Worker } from './deadline.ts'

const COMMAND = helper('process-pool.sh')

/** One shell of the pool. It runs a command at a time. */
export class PoolShell implements Worker {
  readonly #coprocess: Coprocess
  #out = ''
  #err = ''
  #isAlive = true
  #isKilled = false
  #done: ((answer: Answer | undefined) => void) | undefined
  #failed: ((error: WorkerEnded) => void) | undefined

  constructor() {
    this.#coprocess = startCoprocess(COMMAND, {
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

  /** Undefined when the shell has ended before. */
  run(command: string): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      if (!this.#isAlive || this.pid === undefined) return resolve(undefined)
      this.#done = resolve
      this.#failed = reject
      this.#coprocess.send(command)
    })
  }

  finish(): void {
    this.#coprocess.finish()
  }

  kill(): void {
    this.#isKilled = true
    this.#coprocess.kill()
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
    if (this.#isKilled) this.#failed?.(new WorkerEnded('the shell that ran it was ended'))
    // not undefined: a program that another has ended is not to be started again
    else this.#done?.(answerOf(128 + constants.signals.SIGKILL, this.#out, this.#err))
  }
}

/** By the rule of shells, 128 + N is a program that signal N has ended. */
function answerOf(status: number, out: string, err: string): Answer {
  const answer = { status, out, err }
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0]
  return signal === undefined ? answer : { ...answer, signal }
}
