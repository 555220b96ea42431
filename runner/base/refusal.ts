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

/** What the work gives back, or the sentence that it was refused with. Any other error is thrown on. */
export async function refusalOr<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

/** An error for the log, with its stack: a defect of ours. */
export function withStack(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
