import { setTimeout as sleep } from 'node:timers/promises'
import type { Facts } from '../config.ts'
import { parseProcesses, PS_COLUMNS } from '../daemon/proc.ts'
import type { Sight } from '../check/figures.ts'
import { hungAmong, parseEventStatus } from '../check/handlers.ts'
import type { Node } from '../handler.ts'
import { believedNodes, orReason } from '../net/belief.ts'
import { why as whyFailed } from '../net/look.ts'
import { refuse, Refusal } from '../refusal.ts'
import { Interrupted } from '../system/errors.ts'
import { nodeHere } from './here.ts'
import { addressRows, MISPLACED, type AddressRow } from './ip.ts'

/** Milliseconds: the recovery daemon looks every second, and mends by itself what it finds. */
const AGAIN = 1500

/**
 * All that `check` and `metrics` tell, from this node: through the ctdb tool, whichever event daemon runs, within so many
 * seconds. What cannot be had is a sentence.
 */
export async function look(facts: Facts, seconds: number): Promise<Sight> {
  let node: Node
  try {
    node = await nodeHere(facts, seconds)
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Interrupted)) throw error
    const why = error.message
    return { nodes: why, addresses: why, handlers: why, hung: why }
  }
  const nodes = await orReason(believedNodes(node))
  // without ctdbd each further question would take its time to fail in the same way
  if (typeof nodes === 'string') return { nodes, addresses: nodes, handlers: nodes, hung: nodes }
  return {
    nodes,
    addresses: await orReason(addresses(node)),
    handlers: await orReason(handlers(node)),
    hung: await orReason(hung(node)),
  }
}

/** An address that is moving while we look is here and there: what is misplaced is looked at once more. */
async function addresses(node: Node): Promise<AddressRow[]> {
  const first = await rowsOf(node)
  if (!first.some(({ state }) => MISPLACED.includes(state))) return first
  await sleep(AGAIN)
  return await rowsOf(node)
}

async function rowsOf(node: Node): Promise<AddressRow[]> {
  const { rows, silent } = await addressRows(node, true)
  return silent === undefined ? rows : refuse(silent)
}

async function handlers(node: Node): Promise<ReturnType<typeof parseEventStatus>> {
  return parseEventStatus(await node.ask`${node.settings.ctdb} event status legacy monitor`)
}

async function hung(node: Node): Promise<string[]> {
  const answer = await node.ask`ps -ww -eo ${PS_COLUMNS}`
  if (answer.status !== 0) refuse(`ps failed: ${whyFailed(answer)}`)
  return hungAmong(parseProcesses(answer.out))
}
