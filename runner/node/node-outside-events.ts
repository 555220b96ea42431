import { loadSettings, type Facts } from './settings.ts'
import { nodeBehind, type Node } from './node.ts'
import type { Door } from '../machine/machine.ts'

/** The handler whose options hold for what is not done by any handler's event. */
const HANDLER = '10.interface'

/** This node for what runs outside of events: a listing, or what goes on behind them. Its words go to `say`. */
export async function nodeOutsideEvents(
  door: Door,
  facts: Facts,
  say: (line: string) => void,
  handler = HANDLER,
): Promise<Node> {
  return nodeBehind(door, await loadSettings(door, facts, handler), { say, because: () => {} })
}
