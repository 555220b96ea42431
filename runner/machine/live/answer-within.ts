import { endedLate, type Answer } from '../machine.ts'

/** The answer if it comes within so many milliseconds; else `end` ends the program, and the answer says that. */
export async function answerWithin(
  ms: number,
  answer: Promise<Answer>,
  end: () => void | Promise<void>,
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), ms)))
  const first = await Promise.race([answer, late]).finally(() => clearTimeout(timer))
  if (first !== 'late') return first
  // nobody waits for it any longer, however it ends
  answer.catch(() => {})
  await end()
  return endedLate(ms)
}
