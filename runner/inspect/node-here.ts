import { nodeOutsideEvents } from '../node/node-outside-events.ts'
import type { Facts } from '../node/settings.ts'
import type { Node } from '../node/node.ts'
import { doorTo } from '../machine/machine.ts'
import { live } from '../machine/live.ts'

/**
 * This node, for commands that only look. All that they start is ended at the deadline, at once: it only looks too,
 * and whoever called us has a deadline of his own. What would be said to the log goes to `tell`.
 */
export async function nodeHere(
  facts: Facts,
  seconds: number,
  tell: (line: string) => void = () => {},
): Promise<Node> {
  const door = doorTo(live({ signal: AbortSignal.timeout(seconds * 1000), atOnce: () => true }))
  return await nodeOutsideEvents(door, facts, tell)
}
