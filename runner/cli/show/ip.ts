import { formatOf } from '../../format/table.ts'
import { ADDRESS_COLUMNS, addressRows } from '../../inspect/addresses.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import { askAllNodes, silences } from '../../inspect/cluster/ask-nodes.ts'
import { OWNED_COLUMNS, ownedRows } from '../../inspect/cluster/owners.ts'
import type { Command } from '../command.ts'
import { factsFor, SELF } from '../here.ts'
import { ALL_NODES, LISTING, TIMEOUT, timeoutOf } from '../options.ts'
import { printPartial, type AskingArgs } from './partial.ts'

export default {
  usage: 'ip',
  describe: 'the public addresses: configured, believed by the daemon, real in the kernel',
  options: { ...LISTING, timeout: TIMEOUT, 'all-nodes': ALL_NODES },
  async handler(args: AskingArgs & { allNodes?: boolean }, output) {
    // refuse wrong options before the questions
    formatOf(args)
    const [facts, seconds] = [factsFor(), timeoutOf(args)]
    const node = await nodeHere(facts, seconds)
    if (args.allNodes) {
      const answers = await askAllNodes(node, facts, SELF, ['ip'], seconds)
      return printPartial(
        output,
        args,
        { columns: OWNED_COLUMNS, rows: ownedRows(answers) },
        silences(answers),
      )
    }
    const { rows, problems, silent } = await addressRows(node)
    const trouble = silent === undefined ? problems : [...problems, silent]
    return printPartial(output, args, { columns: ADDRESS_COLUMNS, rows }, trouble)
  },
} satisfies Command
