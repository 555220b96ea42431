/** In place of what is left out of a recording. */
export const LEFT_OUT = 'left out'

/**
 * What was left out of the steps of a recording, so that a message that quotes it later does not bring it back: the replay, which
 * has the other text, then makes the same message.
 */
export class LeftOut {
  readonly #instead = new Map<string, string>()

  /** Gives back what stands in place of the text from now on. */
  instead(text: string, other: string): string {
    if (text !== other) this.#instead.set(text, other)
    return other
  }

  /** The text with each of them replaced, the longest first. */
  in(text: string): string {
    const known = [...this.#instead].filter(([each]) => text.includes(each))
    return known
      .toSorted(([one], [other]) => other.length - one.length)
      .reduce((left, [each, other]) => left.replaceAll(each, other), text)
  }
}
