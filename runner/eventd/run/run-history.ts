import { asRun, type KeptRun } from '../../engine/history/run.ts'
import type { Report } from '../../engine/report.ts'

/** Milliseconds without another end of an event after which the runs are written, and the most that one waits. */
const QUIET_MS = 250
const MOST_MS = 5000

/** Writes runs; gives a sentence when they could not be kept, and never rejects. */
export type KeepRuns = (runs: readonly KeptRun[]) => Promise<string | undefined>

/**
 * The runs of the event daemon on their way into the history. No event waits for the disk, and events that end together are one
 * write. A daemon that is killed loses the runs of the last moments.
 */
export class RunHistory {
  readonly #keep: KeepRuns
  readonly #complain: (line: string) => void
  #pending: KeptRun[] = []
  /** The moment of the oldest pending run, in milliseconds of the monotonic clock. */
  #since = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #said: string | undefined

  /** `complain` hears once why runs are not kept. */
  constructor(keep: KeepRuns, complain: (line: string) => void) {
    this.#keep = keep
    this.#complain = complain
  }

  add(report: Report): void {
    const now = performance.now()
    if (this.#pending.length === 0) this.#since = now
    this.#pending.push(asRun(report, 'daemon'))
    clearTimeout(this.#timer)
    const left = this.#since + MOST_MS - now
    this.#timer = setTimeout(() => void this.write(), Math.max(0, Math.min(QUIET_MS, left)))
  }

  /** Write what is pending. Resolves when all is written; never rejects. */
  write(): Promise<void> {
    clearTimeout(this.#timer)
    const runs = this.#pending
    this.#pending = []
    if (runs.length > 0) this.#writing = this.#writing.then(() => this.#written(runs))
    return this.#writing
  }

  async #written(runs: readonly KeptRun[]): Promise<void> {
    const why = await this.#keep(runs)
    if (why !== undefined && why !== this.#said) this.#complain(why)
    this.#said = why
  }
}
