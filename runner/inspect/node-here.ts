import { nodeOutsideEvents } from '../node/node-outside-events.ts'
import type { Facts } from '../node/facts.ts'
import type { Node } from '../node/node.ts'
import { doorTo } from '../machine/machine.ts'
import { live } from '../machine/live/live.ts'

/**
 * This node, for commands that only look. Their programs are killed at the deadline without a grace time: the programs only
 * look as well, and our caller has a deadline of its own. Lines for the log go to `tell`.
 */
export async function nodeHere(
  facts: Facts,
  seconds: number,
  tell: (line: string) => void = () => {},
): Promise<Node> {
  const door = doorTo(live({ signal: AbortSignal.timeout(seconds * 1000), atOnce: () => true }))
  return await nodeOutsideEvents(door, facts, tell)
}
