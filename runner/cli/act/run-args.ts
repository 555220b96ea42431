/** The words and options of the commands that run an event by hand. */
import type { RunOptions } from '../../engine/run-by-hand.ts'
import type { Command, CommonArgs } from '../command.ts'
import { ANNOUNCER, folderOf } from '../here.ts'
import { interruptible } from '../interrupt.ts'
import { endProcessAfter } from '../last-resort.ts'
import { EVENTS, secondsOf, TIMEOUT } from '../options.ts'
import { complain } from '../output.ts'

export interface RunArgs extends CommonArgs {
  event: string
  words: string[]
  only?: string
  timeout: string
}

export const RUN_WORDS: Command['positionals'] = {
  event: { type: 'string', demandOption: true, describe: 'takeip, releaseip, monitor …' },
  words: { type: 'string', array: true, default: [], describe: "the event's words: eth0 10.0.0.1 24" },
}

export const RUN_OPTIONS: Command['options'] = {
  events: EVENTS,
  only: { type: 'string', requiresArg: true, describe: 'just this handler' },
  timeout: { ...TIMEOUT, default: '30', describe: 'seconds for each handler' },
}

/** The most seconds that `--timeout` takes for each handler: a day. */
const MOST_SECONDS = 86_400

export function runOptions(args: RunArgs): RunOptions {
  const { event, words, only } = args
  const timeout = secondsOf(args.timeout, MOST_SECONDS, 'such as 30')
  return {
    event,
    words,
    only,
    events: folderOf(args),
    optionsFolder: args.events,
    announcer: ANNOUNCER,
    timeout,
    interrupt: interruptible(),
    // for a look in this thread that hangs, such as that for a recording
    begins: (handlers) => endProcessAfter('run', handlers * timeout),
    complain,
  }
}
