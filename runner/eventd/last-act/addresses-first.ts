/**
 * The first part of the last act: every address of the cluster that this node holds goes, before anything else is looked
 * at. Nothing here starts iptables, ss or any program but `ip`: a slow or hanging one keeps no address.
 */
import type { Entry } from '../../engine/find-handlers.ts'
import type { Node } from '../../node/node.ts'
import { dropHeld } from '../../net/move/relocate.ts'
import { SHARED, type SharedAddresses } from '../../net/move/shared-addresses.ts'
import { refuse } from '../../base/refusal.ts'
import { mustBePrivileged } from '../../net/privilege.ts'

/** Under the name of the handler whose options say which addresses: so they are read as for its events. */
export function addressesFirst(): Entry[] {
  return SHARED.map((shared) => {
    const handler = { about: `every ${shared.what} goes`, shutdown: (node: Node) => drop(node, shared) }
    return { name: shared.handler, path: '', kind: 'module', load: () => Promise.resolve(handler) }
  })
}

/** Deletions: one batch of the resident ip, or so many processes. */
const AT_ONCE = 50

async function drop(node: Node, { what, find }: SharedAddresses): Promise<void> {
  const isMeant = await find(node)
  if (!isMeant) return
  mustBePrivileged(node)
  const failures = await dropHeld(node, what, isMeant, AT_ONCE)
  if (failures.length > 0) refuse(failures.join('\n'))
}
