/** Other hosts that have an address which should be here: there a takeip would fail, and is no repair. */
import { refusalOr } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { whoHas } from '../../net/dad/address-owner.ts'
import { askWire, type Contested } from '../../net/dad/wire.ts'
import { dadPolicy, NO_CHECK } from '../../net/dad/policy.ts'
import type { Node } from '../../node/node.ts'
import type { AddressRow } from '../addresses.ts'
import { targetOf } from './addresses.ts'

/** Addresses that the wire is asked about at the same time: an answer takes 2 s, and an audit has 30 s. */
const MOST = 8

/** The host that has an address, in words, by that address. Whom nobody could ask about is left out. */
export async function rivalsOf(
  node: Node,
  rows: readonly AddressRow[],
  own: number | undefined,
): Promise<ReadonlyMap<string, string>> {
  const lacking = rows.filter(({ state, believed, address }) => {
    const isLacking = state === 'missing' || state === 'duplicate'
    return isLacking && own !== undefined && believed?.node === own && wouldFail(node, address)
  })
  const targets = lacking.flatMap((row) => targetOf(row) ?? []).slice(0, MOST)
  const found = await Promise.all(targets.map((target) => rivalOf(node, target)))
  return new Map(targets.flatMap(({ address }, i) => (found[i] === undefined ? [] : [[address, found[i]]])))
}

/** Does takeip fail where another host has the address? It may also look nowhere, park the address or seize it. */
function wouldFail({ settings }: Node, address: string): boolean {
  if (settings.option('EVENTSCRIPT_DAD_CONFLICT').of(address) !== 'fail') return false
  return familyOf(address) === 'inet'
    ? settings.option('EVENTSCRIPT_IPV4_DAD') !== 'no'
    : dadPolicy({ settings }, address) !== NO_CHECK
}

async function rivalOf(node: Node, contested: Contested): Promise<string | undefined> {
  const reply = await refusalOr(() => askWire(node, contested))
  return typeof reply === 'object' ? await whoHas(node, contested, reply.mac) : undefined
}
