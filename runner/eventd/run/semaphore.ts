import type { Stop } from '../../machine/stop.ts'

/**
 * A counting semaphore: `most` callers hold it at once, in the order of asking. Each resolves to the function that
 * releases it. A caller whose `stop` fires waits no longer and holds nothing: undefined.
 */
export function semaphore(most: number): (stop: Stop) => Promise<(() => void) | undefined> {
  let taken = 0
  let waiting: (() => void)[] = []

  function release(): void {
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
      // at the same moment this caller may have been let in: the next in line has that place
      if (taken < most) waiting.shift()?.()
      return undefined
    }
    taken += 1
    return release
  }
}
