import type { Answer } from '../../machine/machine.ts'
import type { Worker } from './deadline.ts'
import { PoolShell } from './pool-shell.ts'

/** Shells that stand ready. More are started while all are busy. */
const READY = 4
/** Programs at once, of those that the pool starts. */
const MOST = 16

/** A command as a shell of the pool reads it. No word may contain a line end. */
export function inLines(argv: readonly string[]): string {
  return `${argv.length}\n${argv.join('\n')}\n`
}

/** Small shells that start programs for us: 1 ms for each program, and none of our own time. */
export class ProcessPool {
  readonly #complain: (line: string) => void
  #idle: PoolShell[]
  readonly #atWork = new Set<PoolShell>()
  #busy = 0
  #isClosed = false
  readonly #queue: (() => void)[] = []

  /** `complain` hears of a shell that had to be replaced. */
  constructor(complain: (line: string) => void = () => {}) {
    this.#complain = complain
    this.#idle = Array.from({ length: READY }, () => this.#begin())
  }

  /**
   * Undefined when no shell can start the program, and nothing was started. `started` gets the process to look at when the
   * program hangs. Rejects with `WorkerEnded` when that process was killed.
   */
  async run(argv: readonly string[], started?: (shell: Worker) => void): Promise<Answer | undefined> {
    if (this.#isClosed || argv.some((word) => word.includes('\n'))) return undefined
    await this.#turn()
    if (this.#isClosed) return this.#leave()
    this.#idle = this.#idle.filter((each) => each.isAlive)
    const shell = this.#idle.pop() ?? this.#begin()
    this.#atWork.add(shell)
    try {
      started?.(shell)
      return await shell.run(inLines(argv))
    } finally {
      this.#leave()
      this.#atWork.delete(shell)
      if (shell.isAlive && this.#idle.length < READY && !this.#isClosed) this.#idle.push(shell)
      else shell.finish()
    }
  }

  /** KILL to every shell, with its program. */
  close(): void {
    this.#isClosed = true
    for (const shell of [...this.#idle, ...this.#atWork]) shell.kill()
  }

  /** What has stopped one shell has stopped others as well: none of those is used. */
  #begin(): PoolShell {
    return new PoolShell((line) => {
      this.#complain(line)
      for (const shell of this.#idle.filter((each) => each.isStopped)) shell.kill()
      this.#idle = this.#idle.filter((each) => !each.isStopped)
    })
  }

  #leave(): undefined {
    this.#busy -= 1
    this.#queue.shift()?.()
  }

  async #turn(): Promise<void> {
    if (this.#busy >= MOST) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#busy += 1
  }
}
