/** Whether ctdbd answers at all. */
import { believedNodes } from '../../net/ctdb/daemon-view.ts'
import { refusalOr } from '../../base/refusal.ts'
import { nodeBehind } from '../../node/node.ts'
import { about, type Examination } from '../finding.ts'

const SILENT = 'ctdbd does not answer: '

/** The tool (4.17) found no socket of ctdbd: ENOENT. */
const NO_SOCKET = /errno=2\b/

const answers: Examination = async ({ door, settings }) => {
  // a finding of its own
  if (!settings || !(await door.find(settings.ctdb[0] ?? ''))) return []
  const node = nodeBehind(door, settings, { say: () => {}, because: () => {} })
  const nodes = await refusalOr(() => believedNodes(node))
  const { ok, warn, error } = about('ctdbd')
  if (typeof nodes !== 'string') return ok('ctdb', `ctdbd answers, and knows ${nodes.length} nodes`)
  const text = nodes.startsWith(SILENT) ? nodes : `${SILENT}${nodes}`
  return NO_SOCKET.test(nodes) ? warn('ctdb', text, 'systemctl start ctdb') : error('ctdb', text)
}

export const CTDBD = { answers }
