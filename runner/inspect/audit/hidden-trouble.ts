/** Faults of public addresses here that no list of addresses shows. Pure. */
import { onWire, type AddressRow } from '../addresses.ts'
import { where } from '../../net/address/placement.ts'
import type { Fault } from './fault.ts'

export function hiddenFaults(rows: readonly AddressRow[]): Fault[] {
  return rows.flatMap((row) => [...portFault(row), ...routeFaults(row)])
}

/** Whether the address belongs to the device above, or the interface is to be no port, only the admin knows. */
function portFault(row: AddressRow): Fault[] {
  const { address, port } = row
  if (port === undefined) return []
  const places = onWire(row)
  const [iface, device] = [places[0]?.iface ?? '', port.split(' ').at(-1)]
  return [
    {
      state: 'error',
      kind: 'port',
      subject: address,
      seen: `on ${where(places)}, and ${iface} is a port of the ${port}: all that arrives there goes to ${device}`,
      expected: `an interface by itself: "ip link set dev ${iface} nomaster", or ${device} in public_addresses in place of ${iface}`,
    },
  ]
}

/** Which other source the route should have, only the admin knows. */
function routeFaults({ address, routes = [] }: AddressRow): Fault[] {
  return routes.map((route) => ({
    state: 'warning',
    kind: 'route-source',
    subject: address,
    seen: `the source of the route ${route}: the kernel removes the route when the address leaves this node`,
    expected: `an address of the node's own as its source: "ip route change ${route} src OWN-ADDRESS"`,
  }))
}
