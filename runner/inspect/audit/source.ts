/** IPv6 addresses that are, or are not, the source of the node's own connections, against EVENTSCRIPT_IPV6_SOURCE. Pure. */
import { onWire, type AddressRow } from '../addresses.ts'
import { isOtherwise } from '../../net/address/source.ts'
import { where } from '../../net/address/placement.ts'
import type { Node } from '../../node/node.ts'
import type { Fault } from './fault.ts'

/** A warning for each address that is here as it should be otherwise. */
export function sourceFaults(rows: readonly AddressRow[], node: Pick<Node, 'settings'>): Fault[] {
  return rows
    .filter(({ state }) => state === 'here')
    .flatMap((row) => onWire(row))
    .filter((held) => isOtherwise(node, held))
    .map((held) => ({
      state: 'warning',
      kind: 'ipv6-source',
      subject: held.address,
      seen: held.deprecated
        ? `on ${where([held])}, and no source of this node's own connections (preferred_lft 0)`
        : `on ${where([held])}, and a source of this node's own connections, which end when the address moves`,
      expected: `${held.deprecated ? 'preferred_lft forever' : 'preferred_lft 0'}, as EVENTSCRIPT_IPV6_SOURCE says`,
      repair: { kind: 'event', event: 'takeip', words: [held.iface, held.address, String(held.bits)] },
    }))
}
