/** The repairs of an audit: addresses are moved by the handlers, as under CTDB. */
import { keepRunByHand } from '../../engine/history/keep.ts'
import { historyFile } from '../../engine/history/run.ts'
import { askActivity } from '../../eventd/ask.ts'
import { run } from '../../engine/run-by-hand.ts'
import type { Facts } from '../../node/facts.ts'
import type { Node } from '../../node/node.ts'
import { canonical } from '../../inet/address.ts'
import { addAddress, deleteAddress } from '../../net/address/add-delete.ts'
import type { Placement } from '../../net/address/placement.ts'
import type { Block } from '../../net/clients/blocking-rule.ts'
import { takeOut, withFirewall } from '../../net/clients/firewall.ts'
import { unblock } from '../../net/clients/unblock.ts'
import { Refusal } from '../../base/refusal.ts'
import { endsEvent } from '../../engine/report.ts'
import type { Column } from '../../format/table.ts'
import { commandOf, type Fault, type Repair } from './fault.ts'

/** The outcome of one repair. */
export interface Repaired {
  command: string
  /** `left`: an event for that address is running. */
  outcome: 'ok' | 'failed' | 'left'
  said: string[]
}

export const REPAIR_COLUMNS: readonly Column<Repaired>[] = [
  { name: 'Command', field: 'command', value: ({ command }) => command },
  { name: 'Outcome', field: 'outcome', value: ({ outcome }) => outcome },
  { name: 'Said', field: 'said', value: ({ said }) => said },
]

export interface RepairOptions {
  facts: Facts
  /** The folder of handlers, and the same where the admin has named it. */
  events: string
  named?: string
  /** Ends the running repair, and no further one begins. */
  interrupt: AbortSignal
  /** This node; its lines for the log go to `say`. */
  nodeWith: (say: (line: string) => void) => Promise<Node>
}

/** Repair in the order of the faults. A repair that serves several faults is done once. */
export async function repairAll(faults: readonly Fault[], options: RepairOptions): Promise<Repaired[]> {
  const done: Repaired[] = []
  for (const { subject, repair } of faults) {
    if (!repair || options.interrupt.aborted) continue
    const command = commandOf(repair, options.named)
    if (done.some((each) => each.command === command)) continue
    const addresses = repair.kind === 'behind' ? repair.held.map(({ address }) => address) : [subject]
    const moving = repair.kind !== 'write' && (await isMoving(addresses))
    done.push(
      moving
        ? {
            command,
            outcome: 'left',
            said: [`an event for ${addresses.join(' or ')} is running: it is left to it`],
          }
        : { command, ...(await perform(repair, options)) },
    )
  }
  return done
}

/** Does our event daemon run an event for one of these addresses? CTDB's own daemon tells nobody. */
async function isMoving(addresses: readonly string[]): Promise<boolean> {
  try {
    const all = (await askActivity()).flatMap(({ running, waiting }) => [...running, ...waiting])
    return all.some(({ words }) => words.some((word) => addresses.includes(canonical(word) ?? '')))
  } catch (error) {
    if (error instanceof Refusal || error instanceof SyntaxError) return false
    throw error
  }
}

async function perform(repair: Repair, options: RepairOptions): Promise<Omit<Repaired, 'command'>> {
  const said: string[] = []
  try {
    if (repair.kind === 'event') return await performEvent(repair, options)
    const node = await options.nodeWith((line) => said.push(line))
    if (repair.kind === 'unblock') await unblockBy(node, repair.block)
    else if (repair.kind === 'write') await node.write(repair.path, `${repair.value}\n`)
    else await putBehind(node, repair.held)
    return { outcome: 'ok', said }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { outcome: 'failed', said: [...said, error.message] }
  }
}

/** The other addresses of the subnet stay: the kernel promotes one of them. */
async function putBehind(node: Node, held: readonly Placement[]): Promise<void> {
  for (const each of held) {
    await deleteAddress(node, each)
    await addAddress(node, each, { undo: true })
  }
}

/** Events look at the tables of one program alone: a rule of the other is taken out by itself. */
async function unblockBy(node: Node, block: Block): Promise<void> {
  if (block.by === undefined) await unblock(node, [block.address])
  else await withFirewall(node, async () => void (await takeOut(node, [block])))
}

/** Seconds for each handler, the default of `eventscript run`. */
const LIMIT = 30

async function performEvent(
  { event, words, only }: Repair & { kind: 'event' },
  { facts, events, named, interrupt }: RepairOptions,
): Promise<Omit<Repaired, 'command'>> {
  const where = { events, optionsFolder: named, announcer: facts.announcer }
  const report = await run({ event, words, only, ...where, timeout: LIMIT, interrupt })
  const notKept = await keepRunByHand(historyFile(facts.env), report)
  const said = report.handlers.flatMap(({ output, why }) => [...output, ...(why === undefined ? [] : [why])])
  return {
    outcome: endsEvent(report.outcome) ? 'failed' : 'ok',
    said: notKept === undefined ? said : [...said, notKept],
  }
}
