/**
 * The kernel's times for the duplicate check are sysctls of an interface, not of an address. They are lowered while
 * addresses are being checked, and put back by the last event that needs them.
 *
 * `dad/lowered` holds the originals, and is on disk before any is lowered. Each event that relies on lowered times holds
 * `dad/users` shared: an event that gets it alone knows that no other does. So a crash leaves a record without users, and
 * the next event puts the times back. `dad/lock` keeps two events from lowering at once.
 */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Door } from '../../machine/machine.ts'
import { LockBusy } from '../../machine/errors.ts'
import { familyOf } from '../../inet/address.ts'
import { dadRecord, dueOf, keepAll, keptIn, putAllBack } from '../sysctl/kept.ts'
import type { Kept, Wish } from '../sysctl/record.ts'
import { dadPolicy } from './policy.ts'
import type { Placement } from '../address/placement.ts'

/** Seconds to wait for events that lower or put back: a few reads and writes. */
const LOCK_SECONDS = 10

/**
 * Do `work` (add an address and wait for it) with the times that EVENTSCRIPT_DAD asks for. Where they cannot be had it is
 * done with the kernel's own, after a WARNING.
 */
export async function withDadTimers<T>(node: Node, wanted: Placement, work: () => Promise<T>): Promise<T> {
  const policy = node.settings.option('EVENTSCRIPT_DAD')
  const wishes = dadPolicy(node, wanted.address).sysctls(wanted.iface, node.settings)
  if (wishes.length === 0) {
    // an address with a policy of its own must not be checked with times that a crash has left
    if (familyOf(wanted.address) === 'inet6' && policy.isSet) await restoreDadTimers(node)
    return await work()
  }
  let begun = false
  const begin = async () => {
    begun = true
    return await work()
  }
  try {
    return await lowered(node, wishes, begin)
  } catch (error) {
    if (begun || !(error instanceof Refusal)) throw error
    node.say(`WARNING: ${wanted.address} is checked with the kernel's own times: ${error.message}`)
    return await work()
  }
}

async function lowered<T>(node: Node, wishes: readonly Wish[], work: () => Promise<T>): Promise<T> {
  const [record, { users, lock }] = [dadRecord(node), locks(node)]
  let entered: readonly Kept[] | undefined
  const among = async () => {
    // while we are among the users nobody puts back: a sysctl that is low now stays low
    entered = await keptIn(node, record)
    if ((await dueOf(node, wishes)).length > 0)
      entered = await node.hold(lock, LOCK_SECONDS, () => keepAll(node, record, wishes))
    return await work()
  }
  let result: T
  try {
    result = await node.hold(users, LOCK_SECONDS, among, { shared: true })
  } catch (error) {
    // at a deadline nothing more can be done here: the times stay, as after a crash
    if (entered) await restoreIfLast(node, entered).catch(() => {})
    throw error
  }
  await restoreIfLast(node, entered)
  return result
}

/**
 * Put back the sysctls that a killed run has left lowered; those that other events use, these put back themselves. Never
 * fails an event. Where EVENTSCRIPT_DAD is not set this costs nothing, unless it may have been set before (`whatever`).
 */
export async function restoreDadTimers(node: Node, { whatever = false } = {}): Promise<void> {
  if (!whatever && !node.settings.option('EVENTSCRIPT_DAD').isSet) return
  if (((await tryRead(node, dadRecord(node))) ?? '') === '') return
  await restoreIfLast(node)
}

async function restoreIfLast(node: Node, assumed: readonly Kept[] = []): Promise<void> {
  try {
    await node.hold(locks(node).users, 0, () => putAllBack(node, dadRecord(node), { assumed }))
  } catch (error) {
    if (error instanceof LockBusy) return node.because('other events are at it: the last puts the times back')
    if (!(error instanceof Refusal)) throw error
    node.say(`WARNING: the times of the duplicate check are not put back: ${error.message}`)
  }
}

async function tryRead(door: Door, path: string): Promise<string | undefined> {
  try {
    return await door.read(path)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Writes under these locks are on disk at once: none says that it may wait (`until`). */
function locks({ settings: { keepdir } }: Node): { users: string; lock: string } {
  return { users: `${keepdir}/dad/users`, lock: `${keepdir}/dad/lock` }
}
