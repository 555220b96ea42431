/**
 * The first part of the last act: every address of the cluster on this node goes, before anything else is looked at. No
 * program but `ip` is started here: an iptables or ss that is slow or hangs keeps no address.
 */
import type { Entry } from '../../engine/find-handlers.ts'
import type { Node } from '../../node/node.ts'
import { dropHeld } from '../../net/move/relocate.ts'
import { SHARED, type SharedAddresses } from '../../net/move/shared-addresses.ts'
import { refuse } from '../../base/refusal.ts'
import { mustBePrivileged } from '../../net/privilege.ts'

/** One entry for each kind of address, under the name of its handler: so its options are read as for its events. */
export function addressesFirst(): Entry[] {
  return SHARED.map((shared) => {
    const handler = { about: `every ${shared.what} goes`, shutdown: (node: Node) => drop(node, shared) }
    return { name: shared.handler, path: '', kind: 'module', load: () => Promise.resolve(handler) }
  })
}

/** Deletions at once: one batch of the resident ip, or so many processes. */
const AT_ONCE = 50

async function drop(node: Node, { what, find }: SharedAddresses): Promise<void> {
  const isMeant = await find(node)
  if (!isMeant) return
  mustBePrivileged(node)
  const failures = await dropHeld(node, what, isMeant, AT_ONCE)
  if (failures.length > 0) refuse(failures.join('\n'))
}
