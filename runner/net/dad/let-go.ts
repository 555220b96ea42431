import type { Node } from '../../node/node.ts'
import { deleteAddress } from '../address/add-delete.ts'
import { whereIs } from '../address/interfaces.ts'
import { forgetParked } from './park.ts'
import { parkedHere } from './parked.ts'

/**
 * Parked addresses leave this node; gives them back. A try may have put one on its interface: nobody adds it there once it is off the
 * list. ctdbd misses the address, and lets a script take it again.
 */
export async function letParkedGo(node: Node): Promise<string[]> {
  const parked = (await parkedHere(node)).map(({ address }) => address)
  if (parked.length === 0) return []
  await forgetParked(node, parked)
  for (const address of parked)
    for (const held of await whereIs(node, address)) await deleteAddress(node, held)
  return parked
}
