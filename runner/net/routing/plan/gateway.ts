/** Whether a gateway can be reached. Pure. */
import { addressOfLabel } from '../names/rt-tables.ts'
import { contains, networkOf, parseNetwork, type Network } from '../../../inet/network.ts'
import { familyOf } from '../../../inet/address.ts'
import type { RoutedAddress, Route } from '../wanted/routes-file.ts'
import type { Seen } from '../kernel/kernel-routes.ts'
import type { KernelRoute } from '../kernel/shown-routes.ts'

/**
 * Why a gateway cannot be reached from an address, by the kernel's rule: the gateway must be on the wire of that interface.
 * `bits` is the address's own prefix, `seen` the present routes. Undefined when all gateways can be reached.
 */
export function whyNoGateway(
  { address, iface, routes }: RoutedAddress,
  bits: number | undefined,
  seen: Pick<Seen, 'routes'>,
): string | undefined {
  // any table but ours counts: the rules decide which table the kernel asks, and the kernel may still refuse
  const others = seen.routes.filter(({ table }) => addressOfLabel(table) === undefined)
  const earlier: Network[] = []
  for (const route of routes) {
    const { gateway } = route
    if (gateway === undefined) earlier.push(...networks(route.destination, address))
    else if (!isNear(gateway, address, bits, earlier, route) && !isOnLink(gateway, iface, others))
      return `${route.origin}: gateway ${gateway} is outside the subnet of ${address}${bits === undefined ? '' : `/${bits}`} and of all else on ${iface}: expected a gateway that ${iface} reaches directly`
  }
  return undefined
}

/** Whether the gateway is near by what is known without the kernel's routes. */
function isNear(
  gateway: string,
  address: string,
  bits: number | undefined,
  earlier: readonly Network[],
  { more }: Route,
): boolean {
  return (
    more.includes('onlink') ||
    /^fe[89ab]/.test(gateway) ||
    (bits !== undefined && contains(networkOf(address, bits), gateway)) ||
    earlier.some((network) => contains(network, gateway))
  )
}

/** Does a route say that this gateway is on the wire of that interface? */
export function isOnLink(gateway: string, iface: string, routes: readonly KernelRoute[]): boolean {
  return routes.some(
    (route) =>
      route.iface === iface &&
      route.gateway === undefined &&
      route.plain &&
      networks(route.destination, gateway).some((network) => contains(network, gateway)),
  )
}

function networks(destination: string, address: string): Network[] {
  const network = parseNetwork(destination, familyOf(address))
  return typeof network === 'string' ? [] : [network]
}
