import { setTimeout as sleep } from 'node:timers/promises'
import type { Facts } from '../../node/facts.ts'
import { parseProcesses, PS_COLUMNS } from '../../eventd/hung/proc.ts'
import type { Sight } from './figures.ts'
import { hungAmong, hungInside, parseEventStatus } from './handlers.ts'
import type { Node } from '../../node/node.ts'
import { believedNodes, orReason } from '../../net/ctdb/daemon-view.ts'
import { refuse, Refusal } from '../../base/refusal.ts'
import { Interrupted } from '../../machine/errors.ts'
import { askActivity, NotRunning } from '../../eventd/ask.ts'
import { nodeHere } from '../node-here.ts'
import { addressRows, isMisplaced, type AddressRow } from '../addresses.ts'
import { withHiddenTrouble } from '../hidden-trouble.ts'
import { why as whyFailed } from '../../net/answer.ts'

/** Milliseconds between two looks: the recovery daemon looks every second, and repairs by itself. */
const AGAIN = 1500

/** Kept for ending the programs and for the answer: so many seconds, at most this part of all the time. */
const [RESERVE, PART] = [0.3, 1 / 5]

/**
 * Everything that `check` and `metrics` report, seen from this node through the ctdb tool, whichever event daemon runs,
 * within so many seconds. A part that could not be looked at is a sentence that says why.
 */
export async function lookAtCluster(facts: Facts, seconds: number): Promise<Sight> {
  const time = seconds - Math.min(RESERVE, seconds * PART)
  const deadline = performance.now() + time * 1000
  let node: Node
  try {
    node = await nodeHere(facts, time)
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Interrupted)) throw error
    const why = error.message
    return { nodes: why, addresses: why, handlers: why, hung: why }
  }
  const nodes = await orReason(believedNodes(node))
  // without ctdbd each further question would take long and fail in the same way
  if (typeof nodes === 'string') return { nodes, addresses: nodes, handlers: nodes, hung: nodes }
  const found = await orReason(addresses(node, deadline))
  // an event daemon that hangs makes the tool wait for all the remaining time
  const [ends, scripts] = await Promise.all([orReason(handlers(node)), orReason(longRunning(node, deadline))])
  return { nodes, addresses: found, handlers: ends, hung: scripts }
}

/** A misplaced address is looked at twice: an address on the move may be seen in two places. */
async function addresses(node: Node, deadline: number): Promise<readonly AddressRow[]> {
  const first = await rowsOf(node)
  if (!first.some(({ state }) => isMisplaced(state))) return first
  // without time for a second look the first one counts
  if (performance.now() + AGAIN > deadline) return first
  await sleep(AGAIN)
  return await rowsOf(node)
}

async function rowsOf(node: Node): Promise<readonly AddressRow[]> {
  const { rows, silent, unread } = await addressRows(node, true)
  const why = silent ?? unread
  return why === undefined ? await withHiddenTrouble(node, rows) : refuse(why)
}

async function handlers(node: Node): Promise<ReturnType<typeof parseEventStatus>> {
  return parseEventStatus(await node.ask`${node.settings.ctdb} event status legacy monitor`)
}

/** Milliseconds: our event daemon answers this question at once or not at all. */
const ANSWERS = 3000

/** Scripts that have run for more than so many seconds, by default longer than any event may: ps shows executables, our daemon its modules. The findings of ps count without an answer of the daemon. */
export async function longRunning(node: Node, deadline: number, longest?: number): Promise<string[]> {
  const answer = await node.ask`ps -ww -eo ${PS_COLUMNS}`
  if (answer.status !== 0) refuse(`ps failed: ${whyFailed(answer)}`)
  const processes = hungAmong(parseProcesses(answer.out), longest)
  try {
    const left = Math.max(1, deadline - performance.now())
    return [...processes, ...hungInside(await askActivity(Math.min(ANSWERS, left)), longest)]
  } catch (error) {
    if (error instanceof NotRunning || (error instanceof Refusal && processes.length > 0)) return processes
    throw error
  }
}
