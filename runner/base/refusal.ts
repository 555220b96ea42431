/**
 * A "no" for the admin: one sentence with the subject, what was seen, what was expected and what to do. A Refusal fails the
 * event, and its sentence is printed unchanged. Any other error is a defect and keeps its stack.
 */
export class Refusal extends Error {
  override name = 'Refusal'
}

/** Wrong usage: exit status 2 of `eventscript run`. */
export class Usage extends Refusal {
  override name = 'Usage'
}

/** Fail the event with this sentence. */
export function refuse(sentence: string): never {
  throw new Refusal(sentence)
}
