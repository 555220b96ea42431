import type { Node } from '../../node/node.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import { updateHosted } from '../address/hosted-list.ts'
import { blocked } from '../clients/blocked.ts'
import { unblock } from '../clients/unblock.ts'
import type { Held } from '../ip-json.ts'
import { interfaces } from '../address/interfaces.ts'
import { dadPolicy, NO_CHECK } from '../dad/policy.ts'
import { addAddress, deleteAddress, keepForEver } from '../address/add-delete.ts'
import { forgetTickles } from '../clients/tickles.ts'
import { isRight, where, type Placement } from '../address/placement.ts'
import { warnIfDifferent } from '../address/warn-if-different.ts'
import { forgetParkedIfPossible } from '../dad/park.ts'

/** Put the address where it is wanted and nowhere else. An address that is there already is left alone, but stays for ever. */
export async function putRight(node: Node, places: readonly Held[], target: Placement): Promise<void> {
  const wrong = places.filter((held) => !isRight(held, target))
  for (const held of wrong.filter(({ state }) => state === 'duplicate'))
    node.say(
      `WARNING: Public IP ${held.address} on ${held.iface} had failed duplicate address detection: trying again`,
    )
  warnIfDifferent(node, wrong, target, `putting it on ${target.iface}/${target.bits}`)
  for (const held of places)
    if (!wrong.includes(held))
      node.because(`${held.address} is on ${where([held])} already, as wanted: left alone`)
  if (places.length === 0) node.because(`${target.address} is held nowhere on this node`)
  if (wrong.length === places.length) return await move(node, places, target)
  await keepForEver(
    node,
    places.filter((held) => !wrong.includes(held)),
  )
  for (const held of wrong) await deleteAddress(node, held)
}

/**
 * Delete an address where it is and add it where it should be. An address that cannot be added is put back, so that a
 * connection has lost nothing. An address that is nowhere yet is just added.
 */
export async function move(node: Node, places: readonly Held[], target: Placement): Promise<void> {
  const [old] = places
  if (!old) return await addAddress(node, target, { dadFlag: dadPolicy(node, target.address).flag })
  await blocked(node, old, async () => {
    for (const held of places) await deleteAddress(node, held)
    try {
      await addAddress(node, target, { dadFlag: dadPolicy(node, target.address).flag })
    } catch (error) {
      if (old.state !== 'duplicate') await putBack(node, old, error)
      throw error
    }
  })
}

/**
 * Put an address back where it was, without a check, as it was ours a moment ago. Where that fails too, the admin must know
 * both: the first failure is the one to repair.
 */
export async function putBack(node: Node, old: Held, first: unknown): Promise<void> {
  try {
    await addAddress(node, old, { dadFlag: NO_CHECK.flag, undo: true })
  } catch (error) {
    if (!(error instanceof Refusal && first instanceof Refusal)) throw error
    refuse(`${first.message}\nand it could not be put back: ${error.message}`)
  }
}

/**
 * Delete each of these addresses that is held, on whatever interface and with whatever prefix; and with them our
 * firewall rules and lists. All are tried before the first failure is reported.
 */
export async function dropAll(node: Node, addresses: readonly string[]): Promise<void> {
  node.because(`none of the ${addresses.length} public addresses may stay on this node`)
  await forgetParkedIfPossible(node)
  const failures = await dropHeld(node, 'public address', ({ address }) => addresses.includes(address))
  await unblock(node, addresses)
  // what is still here stays on the list: it may be all that the next try knows
  if (failures.length === 0) await updateHosted(node, (hosted) => hosted.clear())
  await forgetTickles(node)
  if (failures.length > 0) refuse(failures.join('\n'))
}

/**
 * Delete the addresses that are meant of all that this node holds, some at once: a machine that puts them in one batch
 * needs one turn of a busy processor, not one for each. All are tried; gives the reasons of those that failed.
 */
export async function dropHeld(
  node: Node,
  what: string,
  isMeant: (held: Held) => boolean,
  atOnce = 1,
): Promise<string[]> {
  const meant = (await interfaces(node)).flatMap((link) => link.addresses).filter(isMeant)
  const going = meant.map(({ address }) => address)
  const drop = async (held: Held) => {
    node.say(`Removing ${what} ${held.address}/${held.bits} from device ${held.iface}`)
    return await failureOf(deleteAddress(node, held, { going }))
  }
  // from the last to the first: when the first of a subnet goes, the kernel sets up all others anew
  const last = meant.toReversed()
  const failures: string[] = []
  for (let i = 0; i < last.length; i += atOnce)
    failures.push(...(await Promise.all(last.slice(i, i + atOnce).map(drop))).flat())
  return failures
}

async function failureOf(work: Promise<void>): Promise<string[]> {
  try {
    await work
    return []
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return [error.message]
  }
}
