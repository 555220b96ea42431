/** Which addresses the event daemon still announces or watches, and when each is due. */
import type { Mode } from '../../machine/announcement.ts'
import { stillUnderCheck, LOOK_AGAIN_MS, LOOK_EVERY_MS, type Taken } from './after-event.ts'
import type { WireQuestion } from './question.ts'
import { isOfOptimistic, pauseAfter, roundsOf } from './when.ts'

export interface Due extends Taken {
  /** Rounds that are still to come, and those that are over. */
  left: number
  sent: number
  /** Milliseconds of the monotonic clock: when to look again, and since when. */
  at: number
  since: number
  complained: boolean
  /** Of an optimistic address, from the first look on. */
  question?: WireQuestion
}

/** The longest that the kernel's own duplicate check takes, with 3 s on top. */
const CHECK_MS = 5000

export class Schedule {
  readonly #due = new Map<string, Due>()
  #wake = () => {}
  #added = 0

  get isEmpty(): boolean {
    return this.#due.size === 0
  }

  /** When the last address was added, in milliseconds of the monotonic clock. */
  get added(): number {
    return this.#added
  }

  /** An address that is added is due at once. */
  add(address: string, iface: string, mode: Mode): void {
    const now = (this.#added = performance.now())
    const before = this.#due.get(address)
    // it is being announced anyway
    if (mode === 'again' && before?.iface === iface) return
    // a seized address stays one: takeip, when it comes again for an address that is as wanted, does not know of it
    const isSeized = before?.iface === iface && before.left === Infinity
    const of = { onLo: mode === 'on-lo', isOptimistic: !isSeized && isOfOptimistic(mode) }
    const own = { address, iface, ...of, left: isSeized ? Infinity : roundsOf(mode), sent: 0 }
    this.#due.set(address, { ...own, at: now, since: now, complained: false })
    this.#wake()
  }

  /** All that are due by now. */
  now(): Due[] {
    return [...this.#due.values()].filter(({ at }) => at <= performance.now())
  }

  /** Resolves when the first is due, or one is added. */
  async next(): Promise<void> {
    const first = Math.min(...[...this.#due.values()].map(({ at }) => at))
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, first - performance.now()))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** A round of it has been sent. */
  announced(each: Due): void {
    each.left -= 1
    each.sent += 1
    each.at = performance.now() + pauseAfter(each.sent)
    if (each.left === 0) this.forget(each)
  }

  /** It is still under its duplicate check; a check that does not end is complained of once. */
  watch(each: Due, complain: (line: string) => void): void {
    const isLate = performance.now() - each.since > CHECK_MS
    if (isLate && !each.complained) complain(stillUnderCheck(each))
    each.complained ||= isLate
    each.at = performance.now() + (isLate ? LOOK_AGAIN_MS : LOOK_EVERY_MS)
  }

  tryLater(each: Due): void {
    each.at = performance.now() + pauseAfter(0)
  }

  /** Unless it has been added anew meanwhile. */
  forget(each: Due): void {
    if (this.#due.get(each.address) === each) this.#due.delete(each.address)
  }

  clear(): void {
    this.#due.clear()
  }
}
