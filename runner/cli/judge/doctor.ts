import { formatOf, type FormatOptions } from '../../format/table.ts'
import { examine } from '../../inspect/doctor/doctor.ts'
import { FINDING_COLUMNS, type Finding } from '../../inspect/finding.ts'
import type { Command } from '../command.ts'
import { factsFor, OWN_EVENTS } from '../here.ts'
import { ALL_NODES, EVENTS, LISTING, TIMEOUT, timeoutOf } from '../options.ts'
import { printListing } from '../output.ts'
import { doctorAllNodes } from './all-nodes.ts'
import { allFindingLines } from './finding-lines.ts'

type Args = FormatOptions & { timeout: string; events?: string; allNodes?: boolean }

export default {
  usage: 'doctor',
  describe: 'programs that this node lacks, and faults in its files and settings; each with the remedy',
  options: { ...LISTING, timeout: { ...TIMEOUT, default: '30' }, events: EVENTS, 'all-nodes': ALL_NODES },
  async handler(args: Args, output) {
    formatOf(args)
    const facts = factsFor(args.events)
    if (args.allNodes) return await doctorAllNodes(output, args, facts, timeoutOf(args))
    const rows = await examine({ facts, own: OWN_EVENTS, limit: timeoutOf(args) })
    const count = (state: Finding['state']) => rows.filter((each) => each.state === state).length
    const text = () => [
      ...allFindingLines(output.paints, rows),
      `${count('error')} to repair, ${count('warning')} to look at, ${count('ok')} well`,
    ]
    printListing(output, args, { columns: FINDING_COLUMNS, rows, text })
    return count('error') > 0 ? 1 : 0
  },
} satisfies Command
