/** Lines that `ip` has refused, in words. */
import type { Node } from '../../node/node.ts'
import type { Failure } from './apply.ts'
import { labelOf } from './names/rt-tables.ts'

/** The next ipreallocated tries a failed removal again; until then no client is served worse. */
export function warnOfRemovals(node: Node, failures: readonly Failure[]): void {
  for (const { change, line, reason } of failures)
    if (change.kind === 'remove')
      node.say(
        `WARNING: Failed to delete policy routing ${line.kind === 'rule del' ? 'rule' : 'routes'} of ${change.address}: "ip ${line.text}": ${reason}`,
      )
}

/** The sentence for an addition that was refused; CTDB's own words come first. */
export function additionInWords({ change, line, reason }: Failure, id: number): string {
  const { address } = change
  if (line.kind !== 'route add') return `add_routing_for_ip: failed to add rule for ${address}: ${reason}`
  const words = line.text
    .replace(/^route add /, '')
    .replace(/ table \d+ proto \d+$/, ` table ${labelOf(address)} (${id})`)
  return `${line.origin}: add_routing_for_ip: failed to add route: ${words}: ${reason}: ${address} is left without policy routing: mend that line`
}
