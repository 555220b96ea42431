/**
 * What is still to be done for an address when the event that took it has ended: watch its duplicate check, if that
 * goes on, and then tell the network where it is.
 */
import type { Node } from '../../node/node.ts'
import { Refusal, refusalOr } from '../../base/refusal.ts'
import type { Door } from '../../machine/machine.ts'
import { toShell } from '../../machine/argv.ts'
import { familyOf } from '../../inet/address.ts'
import { announces } from '../announces.ts'
import { roundOf } from './announce.ts'
import { askBeside, together } from './question.ts'
import { pauseAfter } from './when.ts'
import { hostedNow } from '../address/hosted-list.ts'
import { decide, type DadOutcome } from '../dad/conflict.ts'
import { dadNow, duplicateCheck, isUnderCheck, waitForDad, type DadState } from '../dad/state.ts'
import { parseLinks } from '../ip-json.ts'
import { whereIs } from '../address/interfaces.ts'
import { deleteAddress } from '../address/add-delete.ts'
import { memoizeLast } from '../../base/memoize.ts'
import { forgetParked } from '../dad/park.ts'

/** An address, and the interface that it was taken on. */
export interface Taken {
  address: string
  iface: string
  /** The address is on lo, as on an LVS leader, and reached by that interface. */
  onLo?: boolean
  /** The address is used while it is checked: the wire is asked beside the kernel. */
  isOptimistic?: boolean
}

export type Next = 'wait' | 'give up' | 'announce' | 'stop'

/**
 * What comes next, by where the address stands and how many rounds of announcing are left. An address that another
 * host may have is not announced: that would draw the clients away from it (RFC 4429: an optimistic node does not say
 * Override).
 */
export function nextFor(state: DadState, roundsLeft: number): Next {
  if (state === 'absent') return 'stop' // another node may have it by now
  if (state === 'duplicate') return 'give up'
  if (isUnderCheck(state)) return 'wait'
  return roundsLeft > 0 ? 'announce' : 'stop'
}

/** Where the address stands. For IPv6 that costs no program; IPv4 has no duplicate check. */
export async function takenState(door: Door, { address, iface, onLo = false }: Taken): Promise<DadState> {
  if (familyOf(address) === 'inet6') return await dadNow(door, { address, iface })
  return (await prefixes(door, { address, iface: onLo ? 'lo' : iface })).length > 0 ? 'ready' : 'absent'
}

/**
 * Another host (`mac`, if that is known) has an address that was in use here: it is taken off the wire, and then decided about
 * as in the event.
 */
export async function concede(node: Node, taken: Taken, mac?: string): Promise<DadOutcome | 'given up'> {
  const { address, iface } = taken
  const held = await prefixes(node, taken)
  for (const bits of held) await refusalOr(() => deleteAddress(node, { address, bits, iface }))
  const left = await prefixes(node, taken)
  const [bits] = held
  const failing = `Failed to keep ${address}/${held.join(' ')} on dev ${iface}: ${left.length === 0 ? 'removed' : 'it could not be removed'}`
  if (bits === undefined) return 'given up' // it has gone meanwhile
  try {
    const outcome = await decide(node, { address, bits, iface }, failing, mac)
    if ((await hostedNow(node))?.includes(address))
      // seized means: to be announced for as long as it is here
      return outcome === 'seized' && !announces(node) ? 'ready' : outcome
    await takeBack(node, address)
    return 'given up'
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    node.say(error.message)
    return 'given up'
  }
}

/**
 * The owner was asked for a second or two, while the address was nowhere on this node: an event that released it in
 * that time, or dropped all, saw nothing of it. It has taken it from the list of hosted ones.
 */
async function takeBack(node: Node, address: string): Promise<void> {
  await forgetParked(node, [address])
  for (const held of await whereIs(node, address)) await deleteAddress(node, held)
  node.say(`${address} was released meanwhile: it is not kept here`)
}

/** An address of scope `host` is not for the wire: an LVS leader that follows again holds it so. */
async function prefixes(door: Door, { address, iface }: Taken): Promise<number[]> {
  const { status, out } = await door.ask({ batch: 'ip' })`ip -json addr show to ${address} dev ${iface}`
  if (status !== 0) return []
  return heldIn(out).get(`${address} ${iface}`) ?? []
}

/** By address and interface, as the resident daemon is shown all of them, whatever it asks for. */
const heldIn = memoizeLast((out) => {
  const found = new Map<string, number[]>()
  for (const { address, iface, bits, scope } of parseLinks(out).flatMap((link) => link.addresses)) {
    const key = `${address} ${iface}`
    if (scope !== 'host') found.set(key, [...(found.get(key) ?? []), bits])
  }
  return found
})

/** Milliseconds between two looks at a check that goes on; and at one that does not end, as there is no link. */
export const LOOK_EVERY_MS = 50
export const LOOK_AGAIN_MS = 1000

/** Wait for the end of the check as long as it can take. */
async function waitForEnd(door: Door, taken: Taken, isLate: boolean): Promise<DadState> {
  const every = isLate ? LOOK_AGAIN_MS : LOOK_EVERY_MS
  return await waitForDad(door, taken, { limit: await duplicateCheck(door, taken.iface), every })
}

export interface Means {
  /** A line for the system's log: nobody reads our output any more. */
  say: (line: string) => void
  /** This node with its settings: only needed when there is something to decide. */
  node: () => Promise<Node>
}

/** Look after one address, alone, until nothing is left to be done; gives back the outcome when it was conceded. */
export async function lookAfter(
  door: Door,
  taken: Taken,
  rounds: number,
  { say, node }: Means,
): Promise<DadOutcome | 'given up' | undefined> {
  const commands = rounds > 0 ? await programsFor(door, taken, say) : []
  let left = commands.length > 0 ? rounds : 0
  let sent = 0
  let isLate = false
  const question = taken.isOptimistic ? askBeside(node, taken, say) : undefined
  for (;;) {
    const next = nextFor(together(await takenState(door, taken), question), left)
    if (next === 'stop') return undefined
    if (next === 'give up') return await concede(await node(), taken, question?.rival)
    if (next === 'wait') {
      await question?.ended
      const endless = isUnderCheck(await waitForEnd(door, taken, isLate))
      if (endless && !isLate) say(stillUnderCheck(taken))
      isLate ||= endless
      continue
    }
    left -= 1
    sent += 1
    const pause = door.wait(left > 0 ? pauseAfter(sent) : 0)
    await Promise.all(commands.map((argv) => send(door, argv, say)))
    await pause
    if (left === 0) return undefined
  }
}

/** None when they are not to be had: that is said, and the check is watched all the same. */
async function programsFor(door: Door, { address, iface }: Taken, say: Means['say']): Promise<string[][]> {
  try {
    return await roundOf(door, address, iface)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    say(`WARNING: ${address} is not announced: ${error.message}`)
    return []
  }
}

/** The line for the log, said once, when the check does not end. */
export function stillUnderCheck({ address, iface }: Taken): string {
  return `duplicate address detection of ${address} does not end: has ${iface} a link? It is watched until it does`
}

async function send(door: Door, argv: readonly string[], say: Means['say']): Promise<void> {
  const { status, err } = await door.change`${argv}`
  if (status === 0 || isJustUnanswered(argv, err)) return
  say(`announcement failed: ${toShell(argv)}: ${err.trim() || `exit status ${status}`}`)
}

/** Nobody answers an announcement; arping takes that for a failure, without a word. */
function isJustUnanswered([program]: readonly string[], err: string): boolean {
  return program === 'arping' && err.trim() === ''
}
