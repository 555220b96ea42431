/** Milliseconds for an answer that costs a helper no work: 3 s are a thousand times as much as is needed. */
export const ANSWER_MS = 3000
/** The longest limit: events have 30 s. */
const MOST_MS = 12_000

/**
 * The limit for the answers of a helper. A silence doubles the limit, as the machine may just be slow; an answer restores the
 * limit.
 */
export class AnswerLimit {
  #ms: number
  readonly #first: number

  constructor(ms = ANSWER_MS) {
    this.#ms = this.#first = ms
  }

  /**
   * Calls `silent` with the limit in milliseconds, unless the function that is given back is called in time: with false when
   * nobody waits for the answer any more. `work`: milliseconds that the answer may take beyond the limit.
   */
  begin(silent: (ms: number) => void, work = 0): (isAnswer?: boolean) => void {
    const ms = this.#ms + work
    // in two halves: where we were stopped ourselves, or the machine slept, the answer has the second half to arrive
    const late = () => {
      this.#ms = Math.min(2 * this.#ms, MOST_MS)
      silent(ms)
    }
    let timer = setTimeout(() => (timer = setTimeout(late, ms / 2)), ms / 2)
    return (isAnswer = true) => {
      clearTimeout(timer)
      if (isAnswer) this.#ms = this.#first
    }
  }
}

/** The line for the log: `process` is the helper by its work and its pid. */
export function silentHelper(work: string, pid: number | undefined, ms: number): string {
  return `${work} (pid ${pid ?? '?'}) has not answered for ${ms / 1000} s, expected an answer at once: ended, and replaced`
}
