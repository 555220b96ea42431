/**
 * The kernel's times for the duplicate check are sysctls of an interface, not of an address. They are lowered while
 * addresses are being checked, whoever lowers them, and put back by the last one out.
 *
 * `dad/lowered` has what they were, and is on disk before any is lowered. `dad/users` is held shared by each that
 * relies on them: who gets it alone knows that nobody does. So a crash leaves a record without users, and whoever
 * comes next puts them back. `dad/lock` keeps two from lowering at once.
 */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Door } from '../../machine/machine.ts'
import { LockBusy } from '../../machine/errors.ts'
import { familyOf } from '../../inet/address.ts'
import type { Wanted } from '../address/add-delete.ts'
import { isStill, merged, parseLowered, textOf, type Lowered, type Wish, wishDue } from '../sysctl/lowered.ts'
import { readNumber, tryWrite } from '../sysctl/sysctl.ts'

/** Seconds to wait for those who lower or put back, which are a few reads and writes. */
const LOCK_SECONDS = 10

/**
 * Do something (add an address and wait for it) with the times that EVENTSCRIPT_DAD asks for. Where they cannot be
 * had it is done with the kernel's own, after a WARNING.
 */
export async function withDadTimers<T>(node: Node, wanted: Wanted, work: () => Promise<T>): Promise<T> {
  const policy = node.settings.option('EVENTSCRIPT_DAD')
  const wishes = wishesOf(node, wanted)
  if (wishes.length === 0) {
    // an address with a policy of its own is not to be checked with times that a crash has left
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

/** What the sysctls should be for this address. A slower check than the admin's own is never asked for. */
function wishesOf(node: Node, { address, iface }: Wanted): Wish[] {
  if (familyOf(address) === 'inet') return []
  const conf = `/proc/sys/net/ipv6/conf/${iface}`
  const policy = node.settings.option('EVENTSCRIPT_DAD').of(address)
  // only asked for when an address is added, but without it the kernel takes no notice of "optimistic"
  if (policy === 'optimistic') return [{ path: `${conf}/optimistic_dad`, value: 1 }]
  if (policy !== 'fast') return []
  return [
    { path: `${conf}/router_solicitation_delay`, value: 0, most: true },
    // 0 is an admin who wants no check on this interface
    { path: `${conf}/dad_transmits`, value: node.settings.option('EVENTSCRIPT_DAD_PROBES'), unless: 0 },
    {
      path: `/proc/sys/net/ipv6/neigh/${iface}/retrans_time_ms`,
      value: node.settings.option('EVENTSCRIPT_DAD_INTERVAL_MS'),
      most: true,
    },
  ]
}

async function lowered<T>(node: Node, wishes: readonly Wish[], work: () => Promise<T>): Promise<T> {
  const { record, users, lock } = files(node)
  let entered: readonly Lowered[] | undefined
  const among = async () => {
    // while we are among the users nobody puts back: what is low now stays so
    entered = parseLowered((await node.read(record)) ?? '')
    if ((await dueOf(node, wishes)).length > 0)
      entered = await node.hold(lock, LOCK_SECONDS, () => lower(node, wishes))
    return await work()
  }
  let result: T
  try {
    result = await node.hold(users, LOCK_SECONDS, among, { shared: true })
  } catch (error) {
    // at a deadline nothing more can be done here: then it is as after a crash
    if (entered) await restoreIfLast(node, entered).catch(() => {})
    throw error
  }
  await restoreIfLast(node, entered)
  return result
}

async function dueOf(node: Node, wishes: readonly Wish[]): Promise<Lowered[]> {
  const due: Lowered[] = []
  for (const wish of wishes) {
    const now = await readNumber(node, wish.path)
    if (now === undefined) node.because(`the kernel has no ${wish.path}: its own check is used`)
    else if (wishDue(wish, now)) due.push({ path: wish.path, original: now, value: wish.value })
  }
  return due
}

/** Gives back what is on record then. */
async function lower(node: Node, wishes: readonly Wish[]): Promise<Lowered[]> {
  const { record } = files(node)
  const due = await dueOf(node, wishes)
  const all = merged(parseLowered((await node.read(record)) ?? ''), due)
  if (due.length > 0) await node.write(record, textOf(all))
  for (const { path, value } of due) await node.write(path, `${value}\n`)
  return all
}

/**
 * Put back what a run that was killed has left lowered; what others still use they will put back themselves. Never
 * fails an event. Where EVENTSCRIPT_DAD is not set it costs nothing, unless it may have been set before (`whatever`).
 */
export async function restoreDadTimers(node: Node, { whatever = false } = {}): Promise<void> {
  if (!whatever && !node.settings.option('EVENTSCRIPT_DAD').isSet) return
  if (((await tryRead(node, files(node).record)) ?? '') === '') return
  await restoreIfLast(node)
}

async function restoreIfLast(node: Node, assumed?: readonly Lowered[]): Promise<void> {
  try {
    await node.hold(files(node).users, 0, () => restore(node, assumed))
  } catch (error) {
    if (error instanceof LockBusy) return node.because('other events are at it: the last puts the times back')
    if (!(error instanceof Refusal)) throw error
    node.say(`WARNING: the times of the duplicate check are not put back: ${error.message}`)
  }
}

/** `assumed` is for a rehearsal, which has lowered nothing. */
async function restore(node: Node, assumed: readonly Lowered[] = []): Promise<void> {
  const { record } = files(node)
  const text = await node.read(record, once(textOf(assumed)))
  const stuck: Lowered[] = []
  for (const each of parseLowered(text ?? '')) {
    const { path, original, value } = each
    const now = await node.read(path, once(String(value)))
    if (now === undefined || !isStill(each, Number(now)))
      node.because(`${path} is no longer ${value}: somebody else has changed it, and it is left so`)
    else if (!(await tryWrite(node, path, `${original}\n`))) stuck.push(each)
  }
  for (const { path, original } of stuck) node.say(`WARNING: cannot put ${path} back to ${original}`)
  // an old record does no harm: what is not as we have left it is not touched
  if (text) await tryWrite(node, record, textOf(stuck))
}

/** A look that a rehearsal answers, as it has not done what is looked for. */
function once(assumed: string) {
  return { wanted: () => true, every: 0, limit: 0, assume: (text: string) => assumed || text }
}

async function tryRead(door: Door, path: string): Promise<string | undefined> {
  try {
    return await door.read(path)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** What is lowered at this moment, in a file. */
export function recordOf(node: Node): string {
  return files(node).record
}

/** Not named `lowered.lock`: the resident daemon would keep back what is written under that until it is released. */
function files({ settings: { keepdir } }: Node): { record: string; users: string; lock: string } {
  return { record: `${keepdir}/dad/lowered`, users: `${keepdir}/dad/users`, lock: `${keepdir}/dad/lock` }
}
