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
  #idle = Array.from({ length: READY }, () => new PoolShell())
  #busy = 0
  #isClosed = false
  readonly #queue: (() => void)[] = []

  /**
   * Undefined when no shell can start the program, and nothing was started. `started` gets the process to look at when the
   * program hangs. Rejects with `WorkerEnded` when that process was killed.
   */
  async run(argv: readonly string[], started?: (shell: Worker) => void): Promise<Answer | undefined> {
    if (this.#isClosed || argv.some((word) => word.includes('\n'))) return undefined
    await this.#turn()
    this.#idle = this.#idle.filter((each) => each.isAlive)
    const shell = this.#idle.pop() ?? new PoolShell()
    try {
      started?.(shell)
      return await shell.run(inLines(argv))
    } finally {
      this.#busy -= 1
      this.#queue.shift()?.()
      if (shell.isAlive && this.#idle.length < READY && !this.#isClosed) this.#idle.push(shell)
      else shell.finish()
    }
  }

  close(): void {
    this.#isClosed = true
    for (const shell of this.#idle) shell.finish()
  }

  async #turn(): Promise<void> {
    if (this.#busy >= MOST) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#busy += 1
  }
}
