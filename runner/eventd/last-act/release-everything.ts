/**
 * The last act, after a ctdbd that is gone without a shutdown. Its addresses stay on this node without a keeper, and no
 * other node can have them. So they go, and our handlers do their work of `shutdown`.
 */
import { addressesFirst } from './addresses-first.ts'
import { nodeOutsideEvents } from '../../node/node-outside-events.ts'
import type { Facts } from '../../node/facts.ts'
import { handlersFor } from './handlers.ts'
import { runEvent } from '../../engine/run-event.ts'
import type { World } from '../../engine/world.ts'
import type { Entry } from '../../engine/find-handlers.ts'
import { remainsOf, type Remain } from '../../net/move/leftovers.ts'
import { endsEvent, type HandlerReport } from '../../engine/report.ts'
import { altered, doorTo, type System } from '../../machine/machine.ts'
import { live } from '../../machine/live/live.ts'
import { witnessed, type Witness } from '../../machine/recording/record.ts'
import type { Stop } from '../../machine/stop.ts'
import { RemovedCount } from './removed-count.ts'

export interface LastActOptions {
  facts: Facts
  /** The folder with our own handlers. */
  own: string
  /** The machine; the next one is tried after a failure. */
  machines: readonly ((signal: Stop) => System)[]
  /** Milliseconds for the whole act. */
  ms: number
  /** Called with each handler that has ended. */
  ended: (report: HandlerReport) => void
  witness?: Witness
  /** Nothing is changed: everything is left, and `left` stays empty. */
  rehearse?: boolean
}

export interface LastAct {
  /** How many were removed or put back. */
  addresses: number
  rules: number
  sysctls: number
  /** Every handler ended well at its last try. */
  good: boolean
  /** Everything that could not be removed. */
  left: Remain[]
}

/** The part of the whole time that is kept for the look at what is left. */
const LOOK_PART = 1 / 6
/** Milliseconds for programs to end when the time is up. */
const GRACE_MS = 500
/** The part of a try that a single handler may take: a handler that hangs leaves time for the others. */
const HANDLER_PART = 0.8
/** The part of the whole time for which a lock is waited for, but a second at least: its holder may hang. */
const LOCK_PART = 1 / 12

/** First the addresses. Only when these are gone, or cannot go, firewall rules, connections, sysctls and routes. */
export async function lastAct(options: LastActOptions): Promise<LastAct> {
  const { facts, own, witness, rehearse } = options
  const removed = new RemovedCount()
  const counting: Witness = {
    begins: (step) => witness?.begins(step),
    ended(step) {
      removed.add(step)
      witness?.ended(step)
    },
    notes: (note) => witness?.notes(note),
  }
  const look = options.ms * LOOK_PART
  const end = performance.now() + options.ms - look - GRACE_MS
  const act = { ...options, witness: counting, end }
  const areGone = await untilGood(addressesFirst(), act)
  const isDone = await untilGood(await handlersFor(facts.optionsFolder, own), { ...act, isLast: true })
  return { ...removed.counts(), good: areGone && isDone, left: rehearse ? [] : await whatIsLeft(facts, look) }
}

interface Act extends LastActOptions {
  witness: Witness
  /** When all tries are over, by performance.now(). */
  end: number
  /** Nothing comes after this part: the last try may take all of the time. */
  isLast?: boolean
}

/** Try one machine after the other, each with what did not end well before. A try has half of the time that is left. */
async function untilGood(entries: readonly Entry[], act: Act): Promise<boolean> {
  const { machines, end, isLast = false } = act
  let bad = entries
  for (const [i, machine] of machines.entries()) {
    const left = Math.max(0, end - performance.now())
    const ms = isLast && i === machines.length - 1 ? left : left / 2
    const good = await attempt(bad, machine, ms, act)
    bad = bad.filter((_, at) => !good[at])
    if (bad.length === 0) break
  }
  return bad.length === 0
}

/** For each entry, whether it ended well. */
async function attempt(
  entries: readonly Entry[],
  machine: (signal: Stop) => System,
  ms: number,
  { facts, witness, ended, ms: whole }: Act,
): Promise<boolean[]> {
  const world: World = {
    facts,
    system: (signal) => witnessed(hasty(machine(signal), whole), witness),
    note: (note) => witness.notes(note),
    grace: GRACE_MS,
  }
  const event = { name: 'shutdown' as const, words: [], args: undefined }
  const limits = { handler: ms * HANDLER_PART, event: ms, all: true }
  const { handlers } = await runEvent(entries, event, world, limits, ended)
  return handlers.map(({ outcome }) => !endsEvent(outcome))
}

/** The same machine, on which no lock is waited for longer than its part of all the time. */
function hasty(system: System, ms: number): System {
  const most = Math.max(1, Math.floor((ms * LOCK_PART) / 1000))
  return altered(system, { hold: (lock, seconds, how) => system.hold(lock, Math.min(seconds, most), how) })
}

async function whatIsLeft(facts: Facts, ms: number): Promise<Remain[]> {
  const door = doorTo(live({ signal: AbortSignal.timeout(Math.ceil(ms)), atOnce: () => true }))
  return await remainsOf((handler) => nodeOutsideEvents(door, facts, () => {}, handler, { release: true }))
}

/** `2 public addresses dropped, 1 firewall rule removed`; empty when nothing was there. */
export function countsText({ addresses, rules, sysctls }: Omit<LastAct, 'left' | 'good'>): string {
  const count = (number: number, one: string, more: string, did: string) =>
    number === 0 ? [] : [`${number} ${number === 1 ? one : more} ${did}`]
  return [
    ...count(addresses, 'address', 'addresses', 'dropped'),
    ...count(rules, 'firewall rule', 'firewall rules', 'removed'),
    ...count(sysctls, 'sysctl', 'sysctls', 'put back'),
  ].join(', ')
}
