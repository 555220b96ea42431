import { endedLate, type Answer } from '../machine.ts'
import { inTime } from '../wait.ts'

/** The answer if it comes within so many milliseconds; else `end` ends the program, and the answer says that. */
export async function answerWithin(
  ms: number,
  answer: Promise<Answer>,
  end: () => void | Promise<void>,
): Promise<Answer> {
  const first = await inTime(ms, answer)
  if (first !== 'late') return first
  // nobody waits for it any longer, however it ends
  answer.catch(() => {})
  await end()
  return endedLate(ms)
}
