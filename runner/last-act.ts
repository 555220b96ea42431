/**
 * What is to be done when ctdbd is gone without having shut down: its addresses on this node are answered for by
 * nobody, and keep every other node from having them. So our handlers do what they would have done at `shutdown`.
 */
import { nodeOutsideEvents } from './background.ts'
import type { Facts } from './config.ts'
import { NoComponent, findScripts } from './daemon/scripts.ts'
import { runEvent, type World } from './engine.ts'
import { findHandlers, type Entry } from './handlers.ts'
import { deletionsIn } from './net/siblings.ts'
import { remainsOf, type Remain } from './net/remains.ts'
import { Refusal } from './refusal.ts'
import { endsEvent, type HandlerReport } from './report.ts'
import { doorTo, type System } from './system/door.ts'
import { Interrupted } from './system/errors.ts'
import { live } from './system/live.ts'
import { witnessed, type Witness } from './system/record.ts'
import type { Stop } from './system/stop.ts'
import type { Step } from './system/transcript.ts'

export interface LastActOptions {
  facts: Facts
  /** Our own handlers. */
  own: string
  /** The machine; when that does not do it, the next is tried. */
  machines: readonly ((signal: Stop) => System)[]
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

/**
 * Milliseconds for one handler and for all of them, at each try; then for what has been started to end, and for the look
 * at what is left. Twice that, and ending the events before, is less than a new daemon waits for us (claim.ts).
 */
const HANDLER_MS = 2000
const TRY_MS = 2500
const GRACE_MS = 500
const LOOK_MS = 1000
/** Seconds to wait for a lock: whoever has it may hang, and the addresses do not wait for him. */
const LOCK_SECONDS = 1

export async function lastAct(options: LastActOptions): Promise<LastAct> {
  const { facts, own, machines, witness, ended, rehearse } = options
  const entries = handlersFor(facts.optionsFolder, own)
  const done = { addresses: 0, rules: 0, sysctls: 0 }
  const counting: Witness = {
    begins: (step) => witness?.begins(step),
    ended(step) {
      for (const what of removedBy(step)) done[what] += 1
      witness?.ended(step)
    },
    notes: (note) => witness?.notes(note),
  }
  let good = false
  for (const machine of machines) {
    const world: World = {
      facts,
      system: (signal) => witnessed(hasty(machine(signal)), counting),
      note: (note) => counting.notes(note),
      grace: GRACE_MS,
    }
    const event = { name: 'shutdown' as const, words: [], args: undefined }
    const limits = { handler: HANDLER_MS, event: TRY_MS, all: true }
    const { handlers } = await runEvent(entries, event, world, limits, ended)
    good = handlers.every(({ outcome }) => !endsEvent(outcome))
    if (good) break
  }
  return { ...done, good, left: rehearse ? [] : await whatIsLeft(facts) }
}

/**
 * The addresses first, by our own handler whoever has taken them: CTDB's script holds no more of them than ours. Then
 * our others that are enabled. Executables are left out: they ask for ctdbd, and would hang.
 */
function handlersFor(folder: string, own: string): Entry[] {
  const first = findHandlers(own).filter(({ name }) => name === '10.interface')
  return [...first, ...enabledModules(folder, own).filter(({ name }) => name !== '10.interface')]
}

function enabledModules(folder: string, own: string): Entry[] {
  try {
    return findScripts(folder, own).filter(({ kind }) => kind === 'module')
  } catch (error) {
    if (error instanceof NoComponent) return []
    throw error
  }
}

function hasty(system: System): System {
  return { ...system, hold: (lock, seconds, how) => system.hold(lock, Math.min(seconds, LOCK_SECONDS), how) }
}

function removedBy(step: Step): ('addresses' | 'rules' | 'sysctls')[] {
  if (step.trouble) return []
  if (step.verb === 'write')
    return /^\/proc\/sys\/net\/ipv6\/(conf|neigh)\//.test(step.path) ? ['sysctls'] : []
  if (step.verb !== 'change' || step.answer?.status !== 0) return []
  if (step.input !== undefined) return deletionsIn(step.input).map(() => 'addresses')
  const command = step.argv.join(' ')
  if (command.startsWith('ip addr del ')) return ['addresses']
  return /^ip6?tables -w -D /.test(command) ? ['rules'] : []
}

async function whatIsLeft(facts: Facts): Promise<Remain[]> {
  const door = doorTo(live({ signal: AbortSignal.timeout(LOOK_MS), atOnce: () => true }))
  try {
    return await remainsOf(await nodeOutsideEvents(door, facts, () => {}))
  } catch (error) {
    const isOver = error instanceof Error && error.name === 'TimeoutError'
    if (!(error instanceof Refusal || error instanceof Interrupted || isOver)) throw error
    return [{ text: `what is left cannot be seen: ${error.message}`, remedy: 'ip addr' }]
  }
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
