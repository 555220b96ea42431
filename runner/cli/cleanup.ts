/** The command for a node whose ctdbd is gone. */
import { cleanUp, complaints, type Cleanup } from '../eventd/last-act/cleanup.ts'
import { countsText } from '../eventd/last-act/release-everything.ts'
import { Refusal, Usage } from '../base/refusal.ts'
import { endsEvent } from '../engine/report.ts'
import type { Command, Screen } from './command.ts'
import { LIMIT, limitOf } from './seen.ts'
import { openVoice, type Voice } from './voice.ts'

interface Args {
  events?: string
  json?: boolean
  dryRun?: boolean
  force?: boolean
  timeout: string
}

export function cleanupCommands(screen: Screen): Command[] {
  const { print, show } = screen

  function tell(cleanup: Cleanup, { say }: Voice): void {
    const done = countsText(cleanup)
    for (const handler of cleanup.handlers)
      if (handler.output.length > 0 || handler.outcome !== 'ok')
        say(show.handler(handler), endsEvent(handler.outcome) ? 'error' : 'notice')
    // in the journal, after an orderly stop, there is nothing to be said
    if (done !== '') say(done, 'warning')
    else if (Number.isFinite(screen.width)) say('nothing was left on this node', 'notice')
  }

  async function clean({ events, json, dryRun, force, timeout }: Args, voice: Voice): Promise<void> {
    const cleanup = await cleanUp({
      facts: screen.facts(events),
      own: screen.own,
      force,
      rehearse: dryRun,
      limit: limitOf({ timeout }) * 1000,
      witness: dryRun && !json ? show.commands(print) : undefined,
    })
    if (json) print(JSON.stringify(cleanup, undefined, 2))
    else if (cleanup.skipped !== undefined) voice.say(cleanup.skipped, 'notice')
    else if (!dryRun) tell(cleanup, voice)
    complaints(cleanup).forEach(voice.complain)
    if (cleanup.left.length > 0 || !cleanup.good) process.exitCode = 1
  }

  return [
    {
      command: 'cleanup',
      describe: 'ctdbd is gone: drop every public address of this node, with rules and sysctls',
      options: {
        force: { type: 'boolean', describe: 'also while ctdbd is alive' },
        'dry-run': { type: 'boolean', describe: 'look, change nothing, print the commands' },
        timeout: { ...LIMIT.timeout, default: '60' },
      },
      async handler(args: Args) {
        const voice = await openVoice(print)
        try {
          await clean(args, voice)
        } catch (error) {
          if (!(error instanceof Refusal) || error instanceof Usage) throw error
          voice.complain(error.message)
          process.exitCode = 1
        } finally {
          await voice.close()
        }
      },
    },
  ]
}
