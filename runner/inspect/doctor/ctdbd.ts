/** Whether ctdbd answers, and what it says of this node. */
import { believedNodes, type BelievedNode } from '../../net/ctdb/daemon-view.ts'
import { refusalOr } from '../../base/refusal.ts'
import { nodeBehind } from '../../node/node.ts'
import { about, type Examination, type Finding } from '../finding.ts'
import { meaningsOf } from '../node-flags.ts'

const SILENT = 'ctdbd does not answer: '

/** The tool (4.17) found no socket of ctdbd: ENOENT. */
const NO_SOCKET = /errno=2\b/

const answers: Examination = async ({ door, settings }) => {
  // a finding of its own
  if (!settings || !(await door.find(settings.ctdb[0] ?? ''))) return []
  const node = nodeBehind(door, settings, { say: () => {}, because: () => {} })
  const nodes = await refusalOr(() => believedNodes(node))
  const { ok, warn, error } = about('ctdbd')
  if (typeof nodes !== 'string') {
    const found = nodes.filter(({ here }) => here).flatMap(flagsOf)
    return found.length > 0 ? found : ok('ctdb', `ctdbd answers: this node of ${nodes.length} is OK`)
  }
  const text = nodes.startsWith(SILENT) ? nodes : `${SILENT}${nodes}`
  return NO_SOCKET.test(nodes) ? warn('ctdb', text, 'systemctl start ctdb') : error('ctdb', text)
}

function flagsOf(node: BelievedNode): Finding[] {
  const { warn, error } = about('ctdbd')
  return meaningsOf(node).flatMap(({ state, name, text, remedy }) => {
    const of = state === 'error' ? error : warn
    return of(`node ${node.node}`, `${name}: ${text}`, remedy)
  })
}

export const CTDBD = { answers }
