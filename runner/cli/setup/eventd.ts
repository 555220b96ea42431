import { startEventDaemon, wholeNumber } from '../../eventd/start.ts'
import type { Command } from '../command.ts'
import { ANNOUNCER, OWN_EVENTS } from '../here.ts'

export default {
  usage: 'eventd',
  describe: "be CTDB's event daemon, in place of ctdb-eventd",
  endless: true,
  options: {
    pid: { alias: 'P', type: 'string', requiresArg: true, describe: 'end when this process has ended' },
    'startup-fd': {
      alias: 'S',
      type: 'string',
      requiresArg: true,
      describe: 'the descriptor on which to report that the daemon is up',
    },
  },
  async handler(args: { pid?: string; startupFd?: string }) {
    await startEventDaemon({
      pid: wholeNumber('pid', args.pid),
      startupFd: wholeNumber('startup-fd', args.startupFd),
      announcer: ANNOUNCER,
      own: OWN_EVENTS,
    })
  },
} satisfies Command
