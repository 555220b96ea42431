import type { Answer } from '../../machine/machine.ts'
import { CannotRun } from '../../machine/errors.ts'
import { live } from '../../machine/live/live.ts'
import { Stopper } from '../../machine/stop.ts'
import type { Worker } from './deadline.ts'
import { ProcessPool } from './process-pool.ts'
import { fed } from './run-with-input.ts'

type Argv = readonly string[]

/**
 * Starts programs for those who asked for them, and knows which process is at it, to be looked at when it takes too long.
 * `items` are the commands of those on whose behalf: several may wait for one program.
 */
export class Programs {
  readonly #end = new Stopper()
  readonly #plain = live({ signal: this.#end, atOnce: () => true })
  readonly #pool: ProcessPool
  readonly #find: (program: string) => Promise<string | undefined>
  readonly #atWork = new Map<Argv, Worker>()

  /** `complain` hears of a helper that had to be replaced. */
  constructor(
    find: (program: string) => Promise<string | undefined>,
    complain: (line: string) => void = () => {},
  ) {
    this.#find = find
    this.#pool = new ProcessPool(complain)
  }

  /** By a shell that stays, or else by a process of its own. */
  async start(argv: Argv, items: readonly Argv[]): Promise<Answer> {
    const [program = ''] = argv
    if ((await this.#find(program)) === undefined) throw new CannotRun(program, 'ENOENT')
    return await this.#noted(items, async (started) => {
      const answer = await this.#pool.run(argv, started)
      return answer ?? (await this.#plain.run('ask', argv, {}))
    })
  }

  /** With its input, by a process of its own. */
  feed(argv: Argv, input: string, items: readonly Argv[]): Promise<Answer> {
    return this.#noted(items, (started) => {
      this.#end.throwIfAborted()
      return fed(argv, input, started)
    })
  }

  /** The process that is at the command of this one. */
  worker(item: Argv): Worker | undefined {
    return this.#atWork.get(item)
  }

  /** End every program, and start none any more. */
  close(): void {
    this.#end.abort(new Error('the helpers have been ended'))
    this.#pool.close()
    for (const worker of new Set(this.#atWork.values())) worker.kill()
  }

  async #noted(
    items: readonly Argv[],
    run: (started: (worker: Worker) => void) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await run((worker) => items.forEach((item) => this.#atWork.set(item, worker)))
    } finally {
      for (const item of items) this.#atWork.delete(item)
    }
  }
}
