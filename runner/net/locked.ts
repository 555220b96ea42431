import type { Node } from '../node/node.ts'
import { Refusal } from '../base/refusal.ts'

/**
 * Seconds to wait for a lock of this node. CTDB's scripts wait 30 s for theirs, which is all of an event's time; a third of
 * it leaves time to go on without.
 */
const LOCK_SECONDS = 10

/**
 * Do something while no other process does the like; beside the lock, with a WARNING that ends in `instead`, where it cannot
 * be had. Events that run at once in one process have it together.
 */
export async function lockedIfPossible(
  node: Node,
  lock: string,
  instead: string,
  work: () => Promise<void>,
): Promise<void> {
  let locked = false
  try {
    const underLock = async () => {
      locked = true
      await work()
    }
    await node.hold(lock, LOCK_SECONDS, underLock, { together: true })
  } catch (error) {
    if (locked || !(error instanceof Refusal)) throw error
    node.say(`WARNING: ${error.message}: ${instead}`)
    await work()
  }
}
