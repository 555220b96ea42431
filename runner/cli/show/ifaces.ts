import { formatOf } from '../../format/table.ts'
import { INTERFACE_COLUMNS, interfaceRows } from '../../inspect/interfaces.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import type { Command } from '../command.ts'
import { factsFor } from '../here.ts'
import { LISTING, TIMEOUT, timeoutOf } from '../options.ts'
import { printPartial, type AskingArgs } from './partial.ts'

export default {
  usage: 'ifaces',
  describe: 'the interfaces of public addresses: their link as the daemon and the kernel report it',
  options: { ...LISTING, timeout: TIMEOUT },
  async handler(args: AskingArgs, output) {
    // refuse wrong options before the questions
    formatOf(args)
    const node = await nodeHere(factsFor(), timeoutOf(args))
    const { rows, trouble } = await interfaceRows(node)
    return printPartial(output, args, { columns: INTERFACE_COLUMNS, rows }, trouble)
  },
} satisfies Command
