/**
 * What is to be done when ctdbd is gone without having shut down: its addresses on this node are answered for by
 * nobody, and keep every other node from having them. So they go, and our handlers do what they would have done at `shutdown`.
 */
import { addressesFirst } from './addresses-first.ts'
import { nodeOutsideEvents } from '../../node/node-outside-events.ts'
import type { Facts } from '../../node/settings.ts'
import { NoComponent, findScripts } from '../scripts.ts'
import { runEvent, type World } from '../../engine/run-event.ts'
import { declarationsIn } from '../../engine/declarations.ts'
import { findHandlers, type Entry } from '../../engine/find-handlers.ts'
import { deletionsIn } from '../../net/address/siblings.ts'
import { remainsOf, type Remain } from '../../net/move/leftovers.ts'
import { endsEvent, type HandlerReport } from '../../engine/report.ts'
import { doorTo, type System } from '../../machine/machine.ts'
import { live } from '../../machine/live.ts'
import { witnessed, type Witness } from '../../machine/recording/record.ts'
import type { Stop } from '../../machine/stop.ts'
import type { Step } from '../../machine/recording/transcript.ts'

export interface LastActOptions {
  facts: Facts
  /** Our own handlers. */
  own: string
  /** The machine; when that does not do it, the next is tried. */
  machines: readonly ((signal: Stop) => System)[]
  /** Milliseconds for all of it. */
  ms: number
  /** Told of each handler that has ended. */
  ended: (report: HandlerReport) => void
  witness?: Witness
  /** Nothing is changed: so all is left, and that is not said. */
  rehearse?: boolean
}

export interface LastAct {
  /** What was removed or put back, in counts. */
  addresses: number
  rules: number
  sysctls: number
  /** Every handler ended well, at the last try. */
  good: boolean
  left: Remain[]
}

/** Of the whole time, the part that is kept for the look at what is left. */
const LOOK_PART = 1 / 6
/** Milliseconds for what has been started to end, when its time is up. */
const GRACE_MS = 500
/** Of the time of a try, the part that a single handler may take: one that hangs leaves something for the others. */
const HANDLER_PART = 0.8
/** Of the whole time, the part that a lock is waited for, but a second at least: whoever has it may hang. */
const LOCK_PART = 1 / 12

/** The addresses first. Only when that is done, or cannot be, firewall rules, connections, sysctls and routes. */
export async function lastAct(options: LastActOptions): Promise<LastAct> {
  const { facts, own, witness, rehearse } = options
  const done = { rules: 0, sysctls: 0 }
  const dropped = new Set<string>()
  const counting: Witness = {
    begins: (step) => witness?.begins(step),
    ended(step) {
      for (const what of undoneBy(step)) done[what] += 1
      for (const address of droppedBy(step)) dropped.add(address)
      witness?.ended(step)
    },
    notes: (note) => witness?.notes(note),
  }
  const look = options.ms * LOOK_PART
  const end = performance.now() + options.ms - look - GRACE_MS
  const act = { ...options, witness: counting, end }
  const areGone = await untilGood(addressesFirst(), act)
  const isDone = await untilGood(handlersFor(facts.optionsFolder, own), { ...act, isLast: true })
  const counts = { ...done, addresses: dropped.size }
  return { ...counts, good: areGone && isDone, left: rehearse ? [] : await whatIsLeft(facts, look) }
}

interface Act extends LastActOptions {
  witness: Witness
  /** When all tries are over, by performance.now(). */
  end: number
  /** Nothing comes after it. */
  isLast?: boolean
}

/** Try on one machine after the other; again only what did not end well. Each try has half of the time that is left. */
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

/** Which of them ended well. */
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

/**
 * Our own handlers that always act, whoever's is enabled: CTDB's script holds no more addresses than ours. Then our others
 * that are enabled. Executables are left out: they ask for ctdbd, and would hang.
 */
function handlersFor(folder: string, own: string): Entry[] {
  const declared = declarationsIn(own)
  const isFirst = ({ name }: Entry) => declared[name]?.when === 'always'
  const others = enabledModules(folder, own).filter((entry) => !isFirst(entry))
  return [...findHandlers(own).filter(isFirst), ...others]
}

function enabledModules(folder: string, own: string): Entry[] {
  try {
    return findScripts(folder, own).filter(({ kind }) => kind === 'module')
  } catch (error) {
    if (error instanceof NoComponent) return []
    throw error
  }
}

function hasty(system: System, ms: number): System {
  const most = Math.max(1, Math.floor((ms * LOCK_PART) / 1000))
  return { ...system, hold: (lock, seconds, how) => system.hold(lock, Math.min(seconds, most), how) }
}

function undoneBy(step: Step): ('rules' | 'sysctls')[] {
  if (step.trouble) return []
  if (step.verb === 'write')
    return /^\/proc\/sys\/net\/ipv6\/(conf|neigh)\//.test(step.path) ? ['sysctls'] : []
  if (step.verb !== 'change' || step.answer?.status !== 0) return []
  return /^ip6?tables -w -D /.test(step.argv.join(' ')) ? ['rules'] : []
}

/** The addresses that a step has deleted. One may be in the batches of several: whose turn comes first deletes it. */
function droppedBy(step: Step): string[] {
  if (step.trouble || step.verb !== 'change' || step.answer?.status !== 0) return []
  const lines = step.input === undefined ? [step.argv.slice(1)] : deletionsIn(step.input)
  return lines.filter(([object, verb]) => object === 'addr' && verb === 'del').map((line) => line.join(' '))
}

async function whatIsLeft(facts: Facts, ms: number): Promise<Remain[]> {
  const door = doorTo(live({ signal: AbortSignal.timeout(Math.ceil(ms)), atOnce: () => true }))
  return await remainsOf((handler) => nodeOutsideEvents(door, facts, () => {}, handler))
}

/** `2 public addresses dropped, 1 firewall rule removed`; empty when nothing was there. */
export function inWords({ addresses, rules, sysctls }: Omit<LastAct, 'left' | 'good'>): string {
  const count = (number: number, one: string, more: string, did: string) =>
    number === 0 ? [] : [`${number} ${number === 1 ? one : more} ${did}`]
  return [
    ...count(addresses, 'address', 'addresses', 'dropped'),
    ...count(rules, 'firewall rule', 'firewall rules', 'removed'),
    ...count(sysctls, 'sysctl', 'sysctls', 'put back'),
  ].join(', ')
}
