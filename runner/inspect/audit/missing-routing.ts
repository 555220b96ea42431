/** Rules and routes that should be here and are not: other programs remove what they have not added. */
import { enabledModules } from '../../eventd/run/enabled.ts'
import type { Facts } from '../../node/facts.ts'
import { POLICY_ROUTING, STATIC_ROUTES } from '../../node/handler-names.ts'
import { nodeOutsideEvents } from '../../node/node-outside-events.ts'
import type { Node } from '../../node/node.ts'
import { policyRouting } from '../../net/routing/names/options.ts'
import { missingRoutes, staticRoutes } from '../../net/routing/static-routes.ts'
import { lackingRouting } from '../../net/routing/upkeep/lacking.ts'
import type { Fault } from './fault.ts'

/** `own` is the folder of our handlers: only what an enabled one of them looks after can be missing. Rejects with a Refusal. */
export async function missingRouting(node: Node, facts: Facts, own: string): Promise<Fault[]> {
  const enabled = (await enabledModules(facts.optionsFolder, own)).map(({ name }) => name)
  return [
    ...(enabled.includes(STATIC_ROUTES) ? await missingStatic(node) : []),
    ...(enabled.includes(POLICY_ROUTING) ? await missingPolicy(node, facts) : []),
  ]
}

async function missingStatic(node: Node): Promise<Fault[]> {
  const lines = await missingRoutes(node, (await staticRoutes(node)) ?? [])
  return lines.map(({ words, origin = 'static-routes' }) =>
    faultOf(words, 'the static route is missing', `it, by ${origin}`, STATIC_ROUTES),
  )
}

async function missingPolicy(node: Node, facts: Facts): Promise<Fault[]> {
  const there = await nodeOutsideEvents(node, facts, node.say, POLICY_ROUTING)
  const routing = policyRouting(there)
  const { changes = [] } = (routing && (await lackingRouting(there, routing))) ?? {}
  return changes.map(({ address, missing }) =>
    faultOf(address, `policy routing: it lacks ${missing}`, `these, by ${routing?.conf}`, POLICY_ROUTING),
  )
}

function faultOf(subject: string, seen: string, expected: string, only: string): Fault {
  const repair = { kind: 'event', event: 'ipreallocated', words: [], only } as const
  return { state: 'error', kind: 'routing-missing', subject, seen, expected, repair }
}
