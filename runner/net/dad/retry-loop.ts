import { setTimeout as sleep } from 'node:timers/promises'
import type { Node } from '../../node/node.ts'
import { keepTrying, type Keeping } from './retry-parked.ts'

/** Tries parked addresses again, for as long as there are any. */
export interface RetryLoop {
  /** An address has just been parked, or may have been. */
  wake: () => void
  close: () => void
}

export function retryLoop(
  nodeNow: () => Promise<Node>,
  means: Omit<Keeping, 'sleep'>,
  complain: (line: string) => void,
): RetryLoop {
  let working = false
  const stop = new AbortController()

  async function work(): Promise<void> {
    working = true
    try {
      await keepTrying(nodeNow, { ...means, sleep: (ms) => sleep(ms, undefined, { signal: stop.signal }) })
    } catch (error) {
      // the next monitor event starts us again
      if (!stop.signal.aborted)
        complain(`parked addresses: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      working = false
    }
  }

  return {
    wake() {
      if (!working && !stop.signal.aborted) void work()
    },
    close: () => stop.abort(),
  }
}
