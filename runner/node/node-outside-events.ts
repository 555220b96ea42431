import { loadSettings } from './settings.ts'
import type { Facts } from './facts.ts'
import { PUBLIC_ADDRESSES } from './handler-names.ts'
import { nodeBehind, type Node } from './node.ts'
import type { Door } from '../machine/machine.ts'

/**
 * This node for work outside of events, such as a listing or the work that goes on after them. The options are those of
 * `handler`; what the node says goes to `say`.
 */
export async function nodeOutsideEvents(
  door: Door,
  facts: Facts,
  say: (line: string) => void,
  handler = PUBLIC_ADDRESSES,
  how?: { release: boolean },
): Promise<Node> {
  return nodeBehind(door, await loadSettings(door, facts, handler, how), { say, because: () => {} })
}
