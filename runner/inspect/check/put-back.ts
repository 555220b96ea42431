import { refusalOr } from '../../base/refusal.ts'
import type { Facts } from '../../node/facts.ts'
import { POLICY_ROUTING, STATIC_ROUTES } from '../../node/handler-names.ts'
import { readTally } from '../../net/upkeep.ts'
import { nodeHere } from '../node-here.ts'

/** The handlers whose `monitor` puts routes and rules back. */
const HANDLERS = [STATIC_ROUTES, POLICY_ROUTING]

/** How many routes, or addresses with their rules, each handler has put back on this node; without one that cannot be read. */
export async function putBackHere(facts: Facts, seconds: number): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  const node = await refusalOr(() => nodeHere(facts, seconds))
  if (typeof node === 'string') return found
  for (const handler of HANDLERS) {
    const tally = await readTally(node, handler)
    if (tally) found.set(handler, tally.count)
  }
  return found
}
