import { formatOf } from '../../format/table.ts'
import { aboutHere, SHARED_COLUMNS } from '../../inspect/cluster/about.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import type { Command } from '../command.ts'
import { factsFor, ourVersion } from '../here.ts'
import { LISTING, TIMEOUT, timeoutOf } from '../options.ts'
import { printPartial, type AskingArgs } from './partial.ts'

export default {
  usage: 'about',
  describe: 'what all nodes should have in common: versions, options, public addresses',
  options: { ...LISTING, timeout: TIMEOUT },
  async handler(args: AskingArgs, output) {
    formatOf(args)
    const facts = factsFor()
    const { rows, trouble } = await aboutHere(await nodeHere(facts, timeoutOf(args)), facts, ourVersion())
    return printPartial(output, args, { columns: SHARED_COLUMNS, rows }, trouble)
  },
} satisfies Command
