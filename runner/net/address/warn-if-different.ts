import type { Node } from '../../node/node.ts'
import { isNamed, type Held } from '../ip-json.ts'
import type { Placement } from './placement.ts'

/**
 * One WARNING, in CTDB's words, when the kernel has the address otherwise than the daemon says. `instead` says
 * what is done about that.
 */
export function warnIfDifferent(node: Node, places: readonly Held[], said: Placement, instead: string): void {
  const differences = places.flatMap((held) => [
    ...(isNamed(held, said.iface) ? [] : [`hosted on interface ${held.iface} but VNN says ${said.iface}`]),
    ...(held.bits === said.bits ? [] : [`has ${held.bits} bit netmask but VNN says ${said.bits}`]),
  ])
  if (differences.length === 0) return
  node.say(`WARNING: Public IP ${said.address} ${differences.join(', and ')}: ${instead}`)
}
