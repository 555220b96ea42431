import { refuse } from '../../base/refusal.ts'
import { endsEvent, type Report } from '../../engine/report.ts'
import type { Node } from '../../node/node.ts'
import type { Facts } from '../../node/facts.ts'
import { believedNodes, orReason, type Flag } from '../../net/ctdb/daemon-view.ts'
import { longRunning } from '../check/check.ts'
import { nodeHere } from '../node-here.ts'
import type { HealthSight } from './conclude.ts'
import type { Recorded } from './recorded.ts'

/** Seconds for the look: ctdbd, ps and our event daemon answer at once, or hang. */
const LIMIT = 10
/** Seconds after which a script is not usual any more: an event has 30 s in all. */
const LONG = 10

/** What decides about the health of this node, beside a monitor event that was tried here without a change (`report`). */
export async function lookAtHealth(
  facts: Facts,
  { handlers }: Report,
  recorded: Recorded,
): Promise<HealthSight> {
  const named = (wanted: (outcome: Report['handlers'][number]['outcome']) => boolean) =>
    handlers.filter(({ outcome }) => wanted(outcome)).map(({ name }) => name)
  const tried = {
    failing: named((outcome) => endsEvent(outcome) !== undefined),
    unknown: named((outcome) => outcome === 'not-run'),
    recorded,
  }
  const deadline = performance.now() + LIMIT * 1000
  const node = await orReason(nodeHere(facts, LIMIT))
  if (typeof node === 'string') return { ...tried, flags: node, running: node }
  const [flags, running] = await Promise.all([
    orReason(flagsHere(node)),
    orReason(longRunning(node, deadline, LONG)),
  ])
  return { ...tried, flags, running }
}

async function flagsHere(node: Node): Promise<Flag[]> {
  const here = (await believedNodes(node)).find((each) => each.here)
  return here ? here.flags : refuse('"ctdb -X nodestatus all" did not name this node')
}
