import type { HandlerReport } from '../../engine/report.ts'
import type { Log } from '../conf/log.ts'
import { forLog } from '../conf/for-log.ts'
import { reasonOf } from './event-status.ts'

/** The lines of the scripts of one component in the log, at the level of ctdb-eventd (common/run_event.c). */
export class ScriptLog {
  readonly #log: Pick<Log, 'write'>
  /** The last reason of each script. */
  readonly #said = new Map<string, string>()

  constructor(log: Pick<Log, 'write'>) {
    this.#log = log
  }

  /** Log the output of a script that has run, always visible; and the reason why a script has not run. */
  write(report: HandlerReport): void {
    const { name, outcome, why = '' } = report
    if (outcome !== 'disabled' && outcome !== 'cannot-run')
      for (const line of [...forLog(report.output), ...reasonOf(report)])
        this.#log.write('ERROR', `${name}: ${line}`)
    // a reason that stays the same from event to event is said aloud once
    else
      this.#log.write(
        outcome === 'disabled' || this.#said.get(name) === why ? 'DEBUG' : 'ERROR',
        `${name}: ${why}`,
      )
    this.#said.set(name, why)
  }
}
