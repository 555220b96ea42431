import type { Node } from '../../../node/node.ts'
import { canonical } from '../../../inet/address.ts'
import { table } from '../../ctdb/tool.ts'
import { hostedNow } from '../../address/hosted-list.ts'
import { listIfReadable, type PublicAddress } from '../../address/public-addresses.ts'
import { parkedHere } from '../../dad/parked.ts'
import { NO_INTERFACE } from '../../../node/events.ts'

/** A public address on an interface of this node, with the netmask of the event or of public_addresses. */
export interface Hosted {
  address: string
  iface: string
  bits: number | undefined
}

/**
 * The public addresses that the daemon has given to this node, and their interfaces: in the verbose table only these have an
 * active interface. A sentence when the daemon does not answer.
 */
export async function hostedHere(node: Node): Promise<Hosted[] | string> {
  const rows = await table(node, ['ip', '-v'], ['Public IP', 'ActiveInterfaces'])
  if (typeof rows === 'string') return rows
  const listed = await listedHere(node)
  return rows.flatMap((row) => {
    const address = canonical(row['Public IP'] ?? '')
    const iface = row['ActiveInterfaces']?.split(',')[0] ?? ''
    if (!address || iface === '') return []
    return [{ address, iface, bits: listed.find((each) => each.address === address)?.bits }]
  })
}

/**
 * The same by the list that this node keeps of what is here, without the daemon: the interface is the first of those in
 * public_addresses, or that of a parked address.
 */
export async function hostedByList(node: Node): Promise<Hosted[]> {
  const addresses = (await hostedNow(node)) ?? []
  if (addresses.length === 0) return []
  const listed = await listedHere(node)
  const parked = await parkedHere(node)
  return addresses.map((address) => {
    const entry = listed.find((each) => each.address === address)
    const belongs = parked.find((each) => each.address === address)?.iface ?? entry?.ifaces[0]
    return { address, iface: belongs ?? NO_INTERFACE, bits: entry?.bits }
  })
}

/** A list that cannot be read is said so, and takes no route away: the kernel knows the netmask of an address that is here. */
async function listedHere(node: Node): Promise<readonly PublicAddress[]> {
  const found = await listIfReadable(node, (why) =>
    node.say(`WARNING: ${why}: netmasks as on the interfaces`),
  )
  return found?.entries ?? []
}
