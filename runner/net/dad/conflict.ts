/** Another host has an address that should be ours: what becomes of it, as EVENTSCRIPT_DAD_CONFLICT has it. */
import type { Node } from '../../node/node.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { rivalMac, whoHas } from './address-owner.ts'
import { NO_CHECK } from './policy.ts'
import { addAddress } from '../address/add-delete.ts'
import type { Placement } from '../address/placement.ts'
import { park } from './park.ts'

/** `ready`: it is ours alone. `parked`: it is on `lo`, off the wire. `seized`: it is ours, and another host's too. */
export type DadOutcome = 'ready' | 'parked' | 'seized'

/**
 * Decide on a conflict, once: the address is off the wire when this begins. Says in one line who has it (`mac`, if that
 * is known). Rejects with a Refusal that begins with `failing` when the address is given up.
 */
export async function decide(
  node: Node,
  wanted: Placement,
  failing: string,
  mac?: string,
): Promise<Exclude<DadOutcome, 'ready'>> {
  const { address, bits, iface } = wanted
  const policy = node.settings.option('EVENTSCRIPT_DAD_CONFLICT').of(address)
  const rival = await whoHas(node, wanted, mac)
  const mark = familyOf(address) === 'inet6' ? ' (dadfailed)' : ''
  const evidence = `another host has this address${mark}: ${rival}`
  node.because(`EVENTSCRIPT_DAD_CONFLICT is ${policy} for ${address}, and ${evidence}`)
  switch (policy) {
    case 'fail':
      return refuse(`${failing}: ${evidence}: take it away there`)
    case 'park':
      await park(node, wanted, rival)
      node.say(
        `WARNING: ${address}/${bits} is parked on lo: ${evidence}: it goes to ${iface} when that host lets go: take it away there`,
      )
      return 'parked'
    case 'seize':
      if (familyOf(address) === 'inet6') await addAddress(node, wanted, { dadFlag: NO_CHECK.flag })
      node.say(
        `WARNING: ${address}/${bits} is seized on ${iface}: ${evidence}: clients may reach either: take it away there`,
      )
      return 'seized'
  }
}

/**
 * The kernel checks no IPv4 address for duplicates: with EVENTSCRIPT_IPV4_DAD we ask, before one is added that is not
 * on our wire yet.
 */
export async function decideIpv4(node: Node, wanted: Placement): Promise<DadOutcome> {
  const { address, bits, iface } = wanted
  if (familyOf(address) === 'inet6' || node.settings.option('EVENTSCRIPT_IPV4_DAD') === 'no') return 'ready'
  let mac
  try {
    mac = await rivalMac(node, wanted)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    node.say(`WARNING: ${address} is not checked for duplicates: ${error.message}`)
  }
  if (mac === undefined) return 'ready'
  return await decide(node, wanted, `Failed to add ${address}/${bits} on dev ${iface}`, mac)
}
