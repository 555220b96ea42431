/** Rules that nobody needs any more, of the firewall and of policy routing. Pure. */
import type { AddressRow } from '../addresses.ts'
import { hostBits } from '../../inet/address.ts'
import type { Block } from '../../net/clients/firewall.ts'
import type { Change } from '../../net/routing/plan.ts'
import type { Fault } from './fault.ts'

/** What a killed run has left: it keeps the clients of the address out, here or when it comes back. */
export function blockFaults(rows: readonly AddressRow[], blocks: readonly Block[], lock: string): Fault[] {
  const known = new Set(rows.map(({ address }) => address))
  return blocks
    .filter(({ address }) => known.has(address))
    .map((block) => ({
      state: 'error',
      kind: 'drop-rule',
      subject: block.address,
      seen: `what arrives for it on ${block.iface} is dropped by a rule that was left behind`,
      expected: 'no such rule',
      repair: { kind: 'unblock', block, lock },
    }))
}

/** `surplus` is what 13.per_ip_routing would remove. */
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
        only: '13.per_ip_routing',
      },
    }
  })
}
