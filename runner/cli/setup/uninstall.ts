import { uninstall } from '../../install/install.ts'
import type { Command } from '../command.ts'
import { DRY_RUN } from '../options.ts'
import { place, type PlaceArgs } from './placed.ts'

export default {
  usage: 'uninstall',
  describe: 'put back all that install has replaced',
  options: { 'dry-run': DRY_RUN },
  handler: (args: PlaceArgs, output) => place(args, output, uninstall),
} satisfies Command
