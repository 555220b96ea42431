/** The form of an answer of `eventscript why`: first the answer, then the evidence, last what to do. */

export interface WhyAnswer {
  /** One line: the subject, its state, the cause. */
  answer: string
  /** Nothing is wrong. */
  isWell: boolean
  /** What was seen: who or what, and the finding. */
  evidence: readonly (readonly [what: string, seen: string])[]
  /** What to do: commands where there are any. */
  remedies: readonly string[]
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? ''
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`
}
