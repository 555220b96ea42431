import { loadSettings, type Facts } from '../config.ts'
import type { Node } from '../handler.ts'
import { refuse } from '../refusal.ts'
import { doorTo } from '../system/door.ts'
import { live } from '../system/live.ts'

/** The handler whose options a listing goes by. */
const HANDLER = '10.interface'

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
  const settings = await loadSettings(door, facts, HANDLER)
  return { ...door, settings, say: tell, because: () => {}, refuse }
}
