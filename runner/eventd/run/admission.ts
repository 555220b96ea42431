import { releasesAll } from './job.ts'
import type { RunningEvent } from './running-event.ts'

/**
 * Which events may run side by side: several that move different public addresses, or a single one about the whole
 * node. An event past its deadline keeps its address, but takes no other room: its programs are only being ended. Until they
 * have ended they may still act, so an event that releases all addresses keeps all of them.
 */
export class Admission {
  /** Running events that are not past their deadline; and those of them about the whole node. */
  readonly #inTime = new Set<RunningEvent>()
  readonly #aboutNode = new Set<RunningEvent>()
  /** The public addresses that running events move. */
  readonly #moving = new Set<string>()
  /** Running events that release all of them. */
  readonly #releasing = new Set<RunningEvent>()

  /** Is there room for one more, when `most` may run at once? */
  hasRoom(most: number): boolean {
    return this.#inTime.size < Math.max(1, most)
  }

  get hasNodeEvent(): boolean {
    return this.#aboutNode.size > 0
  }

  get isEmpty(): boolean {
    return this.#inTime.size === 0
  }

  get movesAny(): boolean {
    return this.#moving.size > 0
  }

  moves(address: string): boolean {
    return this.#moving.has(address) || this.#releasing.size > 0
  }

  enter(event: RunningEvent): void {
    this.#inTime.add(event)
    if (event.address === undefined) this.#aboutNode.add(event)
    else this.#moving.add(event.address)
    if (releasesAll(event.job)) this.#releasing.add(event)
  }

  /** The event is past its deadline: others need not wait for its end, unless they concern the same address. */
  passDeadline(event: RunningEvent): void {
    this.#inTime.delete(event)
    this.#aboutNode.delete(event)
  }

  leave(event: RunningEvent): void {
    this.passDeadline(event)
    this.#releasing.delete(event)
    if (event.address !== undefined) this.#moving.delete(event.address)
  }
}
