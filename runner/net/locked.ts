import type { Node } from '../node/node.ts'
import { Refusal } from '../base/refusal.ts'

/**
 * Seconds to wait for a lock of this node. CTDB's scripts wait 30 s for theirs, which is all of an event's time; a third of
 * that leaves time to go on without the lock.
 */
const LOCK_SECONDS = 10

/**
 * Do `work` while no other process holds the lock. Where the lock cannot be had, the work is done without it, after a WARNING
 * that ends in `instead`. Events that run at once in one process hold the lock together.
 */
export async function lockedIfPossible(
  node: Node,
  lock: string,
  instead: string,
  work: () => Promise<void>,
  seconds = LOCK_SECONDS,
): Promise<void> {
  let locked = false
  try {
    const underLock = async () => {
      locked = true
      await work()
    }
    await node.hold(lock, seconds, underLock, { together: true })
  } catch (error) {
    if (locked || !(error instanceof Refusal)) throw error
    node.say(`WARNING: ${error.message}: ${instead}`)
    await work()
  }
}
