/** Static routes that another program has removed come back at monitor. */
import type { Node } from '../../../node/node.ts'
import { STATIC_ROUTES } from '../../../node/handler-names.ts'
import { mustBePrivileged } from '../../privilege.ts'
import { keepUp } from '../../upkeep.ts'
import { addRoutes, missingRoutes, staticRoutes } from '../static-routes.ts'

/** Add the routes that are missing and possible. A bad line is a WARNING here: ipreallocated fails for it. */
export async function keepStaticRoutes(node: Node): Promise<void> {
  await keepUp(node, {
    handler: STATIC_ROUTES,
    what: 'static routes',
    causes: 'another program has removed them, or their interface has only now an address for them',
    putBack: () => putBack(node),
  })
}

async function putBack(node: Node): Promise<string[] | undefined> {
  const routes = await staticRoutes(node)
  if (!routes || routes.length === 0) return undefined
  const lines = await missingRoutes(node, routes)
  if (lines.length === 0) return []
  mustBePrivileged(node)
  await addRoutes(node, lines)
  return lines.map(({ words }) => words)
}
