/** Leftover rules of the firewall and of policy routing. Pure. */
import type { AddressRow } from '../addresses.ts'
import { hostBits } from '../../inet/address.ts'
import { POLICY_ROUTING } from '../../node/handler-names.ts'
import { isOurRule, type Block } from '../../net/clients/blocking-rule.ts'
import type { Link } from '../../net/ip-json.ts'
import type { Change } from '../../net/routing/plan/change.ts'
import type { Fault } from './fault.ts'

/**
 * A rule that a killed run has left, or that could not be removed, keeps the clients of an address out, now or when the
 * address comes back. One with our mark counts whatever has become of the address.
 */
export function blockFaults(
  rows: readonly AddressRow[],
  links: readonly Pick<Link, 'name' | 'altnames'>[],
  blocks: readonly Block[],
  lock: string,
): Fault[] {
  const listed = rows.flatMap((row) => row.listed ?? [])
  return blocks
    .filter((block) => isOurRule(block, listed, links))
    .map((block) => ({
      state: 'error',
      kind: 'drop-rule',
      subject: block.address,
      seen: `a leftover rule${block.by === undefined ? '' : ` of ${block.by}`} drops packets for it on ${block.iface}`,
      expected: 'no such rule',
      repair: { kind: 'unblock', block, lock },
    }))
}

/** `surplus` are the lines that policy routing would remove. */
export function routingFaults(rows: readonly AddressRow[], surplus: readonly Change[]): Fault[] {
  return surplus.map(({ address, lines }) => {
    const listed = rows.find((row) => row.address === address)?.listed
    return {
      state: 'error',
      kind: 'ip-rule',
      subject: address,
      seen: `policy routing of an address that is not here: ${lines.map(({ text }) => text.replace(/ (?:del|flush)\b/, '')).join(', ')}`,
      expected: 'neither rule nor routes',
      repair: {
        kind: 'event',
        event: 'releaseip',
        words: ['__none__', address, String(listed?.bits ?? hostBits(address))],
        only: POLICY_ROUTING,
      },
    }
  })
}
