import { formatOf } from '../../format/table.ts'
import { ADDRESS_COLUMNS, addressRows } from '../../inspect/addresses.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import type { Command } from '../command.ts'
import { factsFor } from '../here.ts'
import { LISTING, TIMEOUT, timeoutOf } from '../options.ts'
import { printPartial, type AskingArgs } from './partial.ts'

export default {
  usage: 'ip',
  describe: 'the public addresses: configured, believed by the daemon, real in the kernel',
  options: { ...LISTING, timeout: TIMEOUT },
  async handler(args: AskingArgs, output) {
    // refuse wrong options before the questions
    formatOf(args)
    const node = await nodeHere(factsFor(), timeoutOf(args))
    const { rows, problems, silent } = await addressRows(node)
    const trouble = silent === undefined ? problems : [...problems, silent]
    return printPartial(output, args, { columns: ADDRESS_COLUMNS, rows }, trouble)
  },
} satisfies Command
