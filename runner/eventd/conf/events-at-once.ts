import { loadSettings } from '../../node/settings.ts'
import type { Facts } from '../../node/facts.ts'
import { doorTo } from '../../machine/machine.ts'
import { live } from '../../machine/live/live.ts'
import type { Log } from './log.ts'

/** The option EVENTSCRIPT_EVENTS_AT_ONCE in script.options: how many events that move addresses run at once. */
export class EventsAtOnce {
  readonly #facts: Facts
  readonly #log: Log
  #count = 1

  constructor(facts: Facts, log: Log) {
    this.#facts = facts
    this.#log = log
  }

  get count(): number {
    return this.#count
  }

  /** Read the option, again; 1 when it cannot be read. */
  async read(): Promise<void> {
    try {
      const settings = await loadSettings(doorTo(live()), this.#facts, 'eventd')
      for (const warning of settings.warnings) this.#log.write('WARNING', warning)
      this.#count = settings.option('EVENTSCRIPT_EVENTS_AT_ONCE')
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#log.write('ERROR', `events run one at a time: ${why}`)
      this.#count = 1
    }
  }
}
