/**
 * Which address of a subnet is the primary: the kernel chooses it as the source of what the node itself sends. After a
 * short loss of carrier a program that manages the interface may have put the node's own address behind a public one. Pure.
 */
import type { AddressRow } from '../addresses.ts'
import { familyOf } from '../../inet/address.ts'
import { networkOf, networkText } from '../../inet/network.ts'
import type { Held, Link } from '../../net/ip-json.ts'
import type { Fault } from './fault.ts'

/** A warning for each subnet in which a public address is the primary and an address of the node's own is not. */
export function primaryFaults(rows: readonly AddressRow[], links: readonly Link[]): Fault[] {
  const isPublic = ({ address }: Held) => rows.some((row) => row.address === address)
  return links.flatMap(({ addresses }) => {
    const ipv4 = addresses.filter(({ address }) => familyOf(address) === 'inet')
    const behind = ipv4.filter((held) => held.secondary && !isPublic(held))
    const firstOfSubnet = behind.filter((held) => behind.find((other) => isOfOne(other, held)) === held)
    return firstOfSubnet.flatMap((own) => {
      const before = ipv4.slice(0, ipv4.indexOf(own)).filter((held) => isOfOne(held, own))
      const primary = before.find(({ secondary }) => !secondary)
      return primary && isPublic(primary) ? [faultOf(own, primary, before.filter(isPublic))] : []
    })
  })
}

const isOfOne = (one: Held, other: Held) => subnetOf(one) === subnetOf(other)

const subnetOf = ({ address, bits }: Held) => networkText(networkOf(address, bits))

function faultOf(own: Held, primary: Held, held: readonly Held[]): Fault {
  return {
    state: 'warning',
    kind: 'own-secondary',
    subject: own.address,
    seen: `on ${own.iface} behind the public address ${primary.address}: what this node itself sends there leaves from ${primary.address}`,
    expected: 'it to be the first of its subnet there',
    repair: { kind: 'behind', held },
  }
}
