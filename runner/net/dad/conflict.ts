/**
 * Another host has an address that should be ours. EVENTSCRIPT_DAD_CONFLICT decides what becomes of the address: one
 * object for each word.
 */
import type { Node } from '../../node/node.ts'
import type { OptionValue } from '../../node/options.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { addAddress } from '../address/add-delete.ts'
import type { Placement } from '../address/placement.ts'
import { whoHas } from './address-owner.ts'
import { park } from './park.ts'
import type { Link } from '../ip-json.ts'
import { dadPolicy, NO_CHECK } from './policy.ts'
import { askWire, whyDeaf, type Asked } from './wire.ts'

/** `ready`: it is ours alone. `parked`: it is on `lo`, off the wire. `seized`: it is ours, and another host's too. */
export type DadOutcome = 'ready' | 'parked' | 'seized'

interface Conflict {
  wanted: Placement
  /** The host that has the address, in words; and the sentence that says so. */
  rival: string
  evidence: string
  /** The beginning of a Refusal. */
  failing: string
}

interface ConflictPolicy {
  /** What becomes of an address whose duplicate check fails, for the reasons of an event. */
  foretold: string
  act: (node: Node, conflict: Conflict) => Promise<Exclude<DadOutcome, 'ready'>>
}

/** The event fails: that is the rule, and goes without saying. */
const fail: ConflictPolicy = {
  foretold: '',
  act: (_node, { failing, evidence }) => refuse(`${failing}: ${evidence}: take it away there`),
}

const parkIt: ConflictPolicy = {
  foretold: '; EVENTSCRIPT_DAD_CONFLICT=park: kept on lo, off the wire, if another host has it',
  async act(node, { wanted, rival, evidence }) {
    const { address, bits, iface } = wanted
    await park(node, wanted, rival)
    node.say(
      `WARNING: ${address}/${bits} is parked on lo: ${evidence}: it goes to ${iface} when that host lets go: take it away there`,
    )
    return 'parked'
  },
}

const seize: ConflictPolicy = {
  foretold: '; EVENTSCRIPT_DAD_CONFLICT=seize: used all the same if another host has it',
  async act(node, { wanted, evidence }) {
    const { address, bits, iface } = wanted
    if (familyOf(address) === 'inet6') await addAddress(node, wanted, { dadFlag: NO_CHECK.flag })
    node.say(
      `WARNING: ${address}/${bits} is seized on ${iface}: ${evidence}: clients may reach either: take it away there`,
    )
    return 'seized'
  },
}

const POLICIES: Record<ReturnType<OptionValue<'EVENTSCRIPT_DAD_CONFLICT'>['of']>, ConflictPolicy> = {
  fail,
  park: parkIt,
  seize,
}

export function conflictPolicy({ settings }: Node, address: string): ConflictPolicy {
  return POLICIES[settings.option('EVENTSCRIPT_DAD_CONFLICT').of(address)]
}

/**
 * Decide on a conflict, once: the address is off the wire when this begins. Says in one line which host has the address
 * (`mac`, if that is known). Rejects with a Refusal that begins with `failing` when the address is given up.
 */
export async function decide(
  node: Node,
  wanted: Placement,
  failing: string,
  mac?: string,
): Promise<Exclude<DadOutcome, 'ready'>> {
  const { address } = wanted
  const rival = await whoHas(node, wanted, mac)
  const mark = familyOf(address) === 'inet6' ? ' (dadfailed)' : ''
  const evidence = `another host has this address${mark}: ${rival}`
  const word = node.settings.option('EVENTSCRIPT_DAD_CONFLICT').of(address)
  node.because(`EVENTSCRIPT_DAD_CONFLICT is ${word} for ${address}, and ${evidence}`)
  return await conflictPolicy(node, address).act(node, { wanted, rival, evidence, failing })
}

interface Before {
  /** It is on lo. */
  isLocal: boolean
  /** Another host had it. */
  isDoubtful: boolean
}

/**
 * Ask the wire before an address is put on it. The kernel checks no IPv4 address for duplicates: with EVENTSCRIPT_IPV4_DAD we
 * ask. For an IPv6 address that is here already (`isLocal`, on lo) a reverse-path filter hides the answers from the kernel's
 * check. `unasked`: nobody could be asked; an address that is parked stays so then.
 */
export async function decideBefore(
  node: Node,
  wanted: Placement,
  { isLocal, isDoubtful }: Before,
): Promise<DadOutcome | 'unasked'> {
  const { address, bits, iface } = wanted
  const isIpv4 = familyOf(address) === 'inet'
  if (isIpv4 ? node.settings.option('EVENTSCRIPT_IPV4_DAD') === 'no' : !isLocal) return 'ready'
  const reply = await askedOrWhyNot(node, wanted, isLocal && isDoubtful)
  if (reply === 'parked') return reply
  if (typeof reply === 'object')
    return await decide(node, wanted, `Failed to add ${address}/${bits} on dev ${iface}`, reply.mac)
  return reply === 'nobody' ? 'ready' : reply
}

const ASKED_AGAIN = 'it is asked for again every 5 s'

/** Of an IPv4 address it is said that nobody could be asked: the kernel does not ask either. */
async function askedOrWhyNot(node: Node, wanted: Placement, isContested: boolean): Promise<Asked | 'parked'> {
  try {
    return await askWire(node, wanted)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (isContested && conflictPolicy(node, wanted.address) === parkIt)
      return await stayParked(node, wanted, error)
    const line = `${wanted.address} is not checked for duplicates: ${error.message}`
    if (familyOf(wanted.address) === 'inet') node.say(`WARNING: ${line}: ${ASKED_AGAIN}`)
    else node.because(line)
    return 'unasked'
  }
}

/** The host that had the address may have it still: the address stays off the wire until somebody can be asked. */
async function stayParked(node: Node, wanted: Placement, { message }: Refusal): Promise<'parked'> {
  const { address, bits } = wanted
  await park(node, wanted, 'another host')
  node.say(`WARNING: ${address}/${bits} stays parked on lo: ${message}: ${ASKED_AGAIN}`)
  return 'parked'
}

/**
 * Has the kernel checked an IPv6 address on a link by which nobody could answer? It sends its questions all the same, or none,
 * and takes the silence for an answer: a WARNING. A link that the event has brought up is checked when it has a carrier.
 */
export function isCheckedInVain(node: Node, { address }: Placement, link: Link): boolean {
  const isChecked = familyOf(address) === 'inet6' && dadPolicy(node, address) !== NO_CHECK
  const deafness = isChecked ? whyDeaf({ ...link, up: true, carrier: link.carrier || !link.up }) : undefined
  if (deafness === undefined) return false
  node.say(
    `WARNING: ${address} is not checked for duplicates: nobody can be asked on ${link.name}: ${deafness}: ${ASKED_AGAIN}`,
  )
  return true
}
