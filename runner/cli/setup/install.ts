import { install } from '../../install/install.ts'
import type { Command } from '../command.ts'
import { DRY_RUN } from '../options.ts'
import { place, type PlaceArgs } from './placed.ts'

interface Args extends PlaceArgs {
  handlers: string[]
  eventd?: boolean
}

export default {
  usage: 'install [handlers..]',
  describe: "put our handlers in place of CTDB's, where one is enabled; 10.interface always",
  positionals: {
    handlers: { type: 'string', array: true, default: [], describe: 'these as well: 11.natgw' },
  },
  options: {
    eventd: { type: 'boolean', describe: 'our daemon in place of ctdb-eventd, too' },
    'dry-run': DRY_RUN,
  },
  handler: (args: Args, output) =>
    place(args, output, (options) => install({ ...options, names: args.handlers, eventd: args.eventd })),
} satisfies Command
