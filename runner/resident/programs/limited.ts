import type { Answer } from '../../machine/machine.ts'
import { answerWithin } from '../../machine/live/answer-within.ts'
import { endInTime, type Work } from './deadline.ts'

/**
 * The same work with a limit of its own, in milliseconds from now: the process that is at it then is ended. Others who wait
 * for that process have the work done again, each within their own limit.
 */
export function limited(work: Work<Answer>, ms: number): Work<Answer> {
  const end = performance.now() + ms
  const within = (done: () => Promise<Answer>) => () => {
    const answer = done()
    const left = Math.max(0, end - performance.now())
    return answerWithin(left, answer, () => {
      // what is not at work yet is ended when its turn comes, if that takes too long as well
      endInTime(answer, work.by)
      work.by()?.kill()
    })
  }
  return { ...work, done: within(work.done), again: within(work.again ?? work.done) }
}
