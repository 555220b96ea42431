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
