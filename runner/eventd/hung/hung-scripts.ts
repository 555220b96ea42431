import { doorTo } from '../../machine/machine.ts'
import { Interrupted } from '../../machine/errors.ts'
import { live } from '../../machine/live/live.ts'
import type { Log } from '../conf/log.ts'
import { forLog } from '../conf/for-log.ts'
import { explainHung } from './explain.ts'

/** Milliseconds for the explanation, and for the debug script. */
const EXPLAIN_MS = 2000
const DEBUG_MS = 5000

/** A process that is hung at the deadline of its event. */
export interface HungProcess {
  pid: number
  /** The handler that it belongs to, if one is known. */
  handler: string | undefined
  event: string
  /** CTDB's debug script is not run for it. */
  isQuiet: boolean
}

/**
 * Explains hung scripts of one component in the log, then runs CTDB's debug script, both within their time. A process
 * is looked at once; the debug script runs once at a time (common/run_event.c of CTDB 4.17).
 */
export class HungScripts {
  readonly #log: Log
  /** The full path of the debug script, if one is configured. */
  readonly #debugScript: string | undefined
  #isDebugging = false
  readonly #looks = new Map<number, Promise<void>>()

  constructor(log: Log, debugScript: string | undefined) {
    this.#log = log
    this.#debugScript = debugScript
  }

  /** Resolves when the process may be ended. Several events may wait for one process: they share the look. */
  look(hung: HungProcess): Promise<void> {
    const { pid } = hung
    const before = this.#looks.get(pid)
    if (before) return before
    const look = this.#explain(hung).finally(() => this.#looks.delete(pid))
    this.#looks.set(pid, look)
    return look
  }

  async #explain({ pid, handler = 'event', event, isQuiet }: HungProcess): Promise<void> {
    const lines = await explainHung(doorTo(live()), pid, { name: handler, limit: EXPLAIN_MS })
    for (const line of lines) this.#log.write('ERROR', `${handler}: ${line}`)
    if (this.#debugScript === undefined || isQuiet || this.#isDebugging) return
    this.#isDebugging = true
    await this.#debug([this.#debugScript, String(pid), event]).finally(() => (this.#isDebugging = false))
  }

  /** Never rejects. */
  async #debug(argv: readonly string[]): Promise<void> {
    try {
      const machine = live({ signal: AbortSignal.timeout(DEBUG_MS), atOnce: () => true })
      const { out } = await machine.run('ask', argv, { combined: true })
      this.#writeOutput(out)
    } catch (error) {
      if (error instanceof Interrupted) this.#writeOutput(error.output)
      this.#log.write('ERROR', `event_debug: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #writeOutput(output: string): void {
    const lines = output.split('\n').filter((line) => line !== '')
    for (const line of forLog(lines)) this.#log.write('ERROR', `event_debug: ${line}`)
  }
}
