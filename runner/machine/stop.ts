/** Tells work that its time is up: what an AbortSignal can do, as far as it is used here. */
export interface Stop {
  readonly aborted: boolean
  /** Why; undefined as long as it goes on. */
  readonly reason: unknown
  addEventListener: (type: 'abort', told: () => void) => void
  removeEventListener: (type: 'abort', told: () => void) => void
  /** Throws the reason. */
  throwIfAborted: () => void
}

/**
 * An AbortController and its signal in one, for events and handlers: hundreds begin at once, and those of node, with
 * all that an EventTarget can do, are a tenth of what an event costs us.
 */
export class Stopper implements Stop {
  aborted = false
  reason: unknown
  readonly #told = new Set<() => void>()

  /** The first reason stays. Everybody is told once, also when another of them throws. */
  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    for (const tell of this.#told) {
      this.#told.delete(tell)
      try {
        tell()
      } catch (error) {
        process.nextTick(() => {
          throw error
        })
      }
    }
  }

  addEventListener(_type: 'abort', told: () => void): void {
    this.#told.add(told)
  }

  removeEventListener(_type: 'abort', told: () => void): void {
    this.#told.delete(told)
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }
}
