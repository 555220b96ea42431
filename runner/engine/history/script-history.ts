import type { Event } from '../../node/events.ts'
import { endsEvent, type HandlerReport } from '../report.ts'
import { keepRuns } from './keep.ts'
import { asRun, type KeptRun } from './run.ts'

/**
 * Milliseconds after which a script is in the history although it has not ended: ctdb-eventd kills a script that takes too long,
 * and the killed one can say nothing.
 */
const SLOW_MS = 3000

/**
 * The run of one of our scripts on its way into the history. What cannot be kept is no word of the script: CTDB logs such words as
 * errors, at each event.
 */
export class ScriptHistory {
  readonly #file: string
  readonly #name: string
  readonly #event: Event
  readonly #began = new Date().toISOString()
  readonly #start = performance.now()
  readonly #slow: NodeJS.Timeout
  #written: Promise<unknown> = Promise.resolve()

  /** The script that begins now. */
  constructor(file: string, name: string, event: Event) {
    this.#file = file
    this.#name = name
    this.#event = event
    const keepSlow = () => void (this.#written = this.#keep(this.#unended()))
    this.#slow = setTimeout(keepSlow, SLOW_MS).unref()
  }

  /** Resolves when the run is kept, or cannot be. */
  async end(handler: HandlerReport): Promise<void> {
    clearTimeout(this.#slow)
    await this.#written
    await this.#keep(this.#run(handler))
  }

  #keep(run: KeptRun): Promise<unknown> {
    return keepRuns(this.#file, [run])
  }

  #run(handler: HandlerReport): KeptRun {
    const { name: event, words } = this.#event
    const outcome = endsEvent(handler.outcome) ?? 'ok'
    const ms = performance.now() - this.#start
    return asRun({ event, words, outcome, began: this.#began, ms, handlers: [handler] }, 'script')
  }

  #unended(): KeptRun {
    const ms = performance.now() - this.#start
    const why = `no end was seen after ${(ms / 1000).toFixed(1)} s: ended from outside: ctdb-eventd kills a script at its limit`
    const { pid: unended } = process
    return {
      ...this.#run({ name: this.#name, began: this.#began, ms, output: [], outcome: 'failed', why }),
      unended,
    }
  }
}
