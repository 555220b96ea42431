import { Stopper } from '../machine/stop.ts'
import type { HandlerTime } from './time-left.ts'
import type { World } from './world.ts'

/** Programs are ended within 2 s of the deadline, and the handler learns of that; then nobody waits for the handler any more. */
const GRACE_MS = 2500

/** A handler used up its time. */
export class Deadline extends Error {
  override name = 'Deadline'
}

/** Stops one handler: at its deadline, or when the admin interrupts the event. */
export class HandlerClock {
  readonly stop = new Stopper()
  /** Rejects some time after the stop, for a handler that has not ended although it should have. */
  readonly overdue: Promise<never>
  readonly #interrupt: World['interrupt']
  readonly #grace: number
  readonly #deadline: NodeJS.Timeout
  #end: NodeJS.Timeout | undefined
  #giveUp: (reason: unknown) => void = () => {}
  readonly #interrupted = (): void => this.#stopFor(this.#interrupt?.reason)

  /** `late` is called at the deadline, before anything is ended. */
  constructor(time: HandlerTime, { interrupt, grace = GRACE_MS }: World, late: () => void) {
    this.overdue = new Promise<never>((_resolve, reject) => (this.#giveUp = reject))
    this.#grace = grace
    this.#interrupt = interrupt
    this.#deadline = setTimeout(() => {
      late()
      this.#stopFor(new Deadline(time.why))
    }, time.ms)
    interrupt?.addEventListener('abort', this.#interrupted)
    // an interrupt may have come before the start, or after a handler that had just ended
    if (interrupt?.aborted) this.#interrupted()
  }

  /** The handler has ended. */
  cancel(): void {
    clearTimeout(this.#deadline)
    clearTimeout(this.#end)
    this.#interrupt?.removeEventListener('abort', this.#interrupted)
  }

  #stopFor(reason: unknown): void {
    this.stop.abort(reason)
    this.#end ??= setTimeout(() => this.#giveUp(reason), this.#grace)
  }
}
