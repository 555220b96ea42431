import type { Stop } from '../../machine/stop.ts'

/**
 * A turn for each, so many at a time, in the order of asking. Who is told to stop does not wait any longer, and gets
 * none: undefined.
 */
export function turns(most: number): (stop: Stop) => Promise<(() => void) | undefined> {
  let taken = 0
  let waiting: (() => void)[] = []

  function leave(): void {
    taken -= 1
    waiting.shift()?.()
  }

  return async (stop) => {
    if (taken >= most)
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        stop.addEventListener('abort', () => {
          if (!waiting.includes(resolve)) return
          waiting = waiting.filter((each) => each !== resolve)
          resolve()
        })
      })
    if (stop.aborted) {
      // it may be that it was given a turn at the same moment: that is the next one's
      if (taken < most) waiting.shift()?.()
      return undefined
    }
    taken += 1
    return leave
  }
}
