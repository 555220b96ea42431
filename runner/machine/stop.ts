/** Tells work that its time is up: the part of an AbortSignal that is used here. */
export interface Stop {
  readonly aborted: boolean
  /** Why; undefined as long as it goes on. */
  readonly reason: unknown
  addEventListener: (type: 'abort', listener: () => void) => void
  removeEventListener: (type: 'abort', listener: () => void) => void
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
  readonly #listeners = new Set<() => void>()

  /** The first reason stays. Each listener is called once, also when another throws. */
  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    for (const tell of this.#listeners) {
      this.#listeners.delete(tell)
      try {
        tell()
      } catch (error) {
        process.nextTick(() => {
          throw error
        })
      }
    }
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener)
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }
}
