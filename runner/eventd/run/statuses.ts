import type { EventStatus } from '../protocol/messages.ts'

/** Events by name whose status is kept: the protocol carries any name, memory does not hold all of them. */
const MOST_STATUSES = 256

/** How each event of a component ended last. A status is replaced at the end of the next run. */
export class Statuses {
  /** By event, the last to end at the end. */
  readonly #byEvent = new Map<string, EventStatus>()

  of(event: string): EventStatus | undefined {
    return this.#byEvent.get(event)
  }

  /** The event that ended last, and whether it ended well. */
  last(): { event: string; good: boolean } | undefined {
    const [event, status] = [...this.#byEvent].at(-1) ?? []
    return event === undefined ? undefined : { event, good: status?.summary === 0 }
  }

  keep(event: string, status: EventStatus): void {
    this.#byEvent.delete(event)
    this.#byEvent.set(event, status)
    const [oldest] = this.#byEvent.keys()
    if (this.#byEvent.size > MOST_STATUSES && oldest !== undefined) this.#byEvent.delete(oldest)
  }

  /** The output so far of the script that is hung, the last of the event. */
  keepOutput(event: string, output: string): void {
    const hung = this.of(event)?.scripts.at(-1)
    if (hung && output !== '') hung.output = output
  }
}
