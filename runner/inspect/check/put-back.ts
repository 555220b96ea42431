import { refusalOr } from '../../base/refusal.ts'
import type { Facts } from '../../node/facts.ts'
import { LVS_ADDRESS, POLICY_ROUTING, STATIC_ROUTES } from '../../node/handler-names.ts'
import { readTally } from '../../net/upkeep.ts'
import { nodeHere } from '../node-here.ts'

/** The handlers whose `monitor` puts back what others have taken away. */
const HANDLERS = [STATIC_ROUTES, POLICY_ROUTING, LVS_ADDRESS]

/** How many routes, addresses with their rules, or sysctls each handler has put back on this node; without one that cannot be read. */
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
