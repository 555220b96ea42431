import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { canonical } from '../../inet/address.ts'
import { parseTable } from '../ctdb/tool.ts'
import { tryWrite } from '../sysctl/sysctl.ts'
import { why } from '../answer.ts'
import type { NodeStatus } from './nodes.ts'

const COLUMNS = ['Node', 'IP', 'Unknown', 'Disabled', 'Unhealthy', 'Inactive', 'ThisNode'] as const

/** The daemon's view of all nodes, or of this one; a sentence when the daemon does not answer. */
export async function nodeStatus(
  node: Node,
  which: readonly ['all'] | readonly [],
): Promise<NodeStatus[] | string> {
  const asked = `ctdb -X nodestatus ${which.join('')}`.trim()
  try {
    const answer = await node.ask`${node.settings.ctdb} -X nodestatus ${which}`
    // the exit status is made of the nodes' flags: it is no sign of a failure
    if (answer.out.trim() === '') return `"${asked}" failed: ${why(answer)}`
    return parseTable(answer.out, COLUMNS).map(ofRow)
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

function ofRow(row: Record<string, string>): NodeStatus {
  const flag = (name: (typeof COLUMNS)[number]) => row[name] === '1'
  return {
    number: row['Node'] ?? '',
    address: canonical(row['IP'] ?? '') ?? '',
    unknown: flag('Unknown'),
    disabled: flag('Disabled'),
    unhealthy: flag('Unhealthy'),
    inactive: flag('Inactive'),
    self: row['ThisNode'] === 'Y',
  }
}

/**
 * This node's private address; undefined when the daemon does not answer. Asked once, then kept in `my-ip-address`, as
 * CTDB's scripts do.
 */
export async function ownAddress(node: Node): Promise<string | undefined> {
  const file = `${node.settings.vardir}/my-ip-address`
  const known = canonical(((await node.read(file)) ?? '').trim())
  if (known) return known
  const said = await nodeStatus(node, [])
  const address = typeof said === 'string' ? undefined : said.find(({ self }) => self)?.address
  if (address) await tryWrite(node, file, `${address}\n`)
  return address
}
