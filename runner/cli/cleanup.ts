/** The command for a node whose ctdbd is gone. */
import { cleanUp, complaints, type Cleanup } from '../commands/cleanup.ts'
import { inWords } from '../last-act.ts'
import type { Command, Screen } from './screen.ts'
import { LIMIT, limitOf } from './seen.ts'

interface Args {
  events?: string
  json?: boolean
  dryRun?: boolean
  force?: boolean
  timeout: string
}

export function cleanupCommands(screen: Screen): Command[] {
  const { print, show } = screen

  function tell(cleanup: Cleanup): void {
    const done = inWords(cleanup)
    for (const handler of cleanup.handlers)
      if (handler.output.length > 0 || handler.outcome !== 'ok') print(show.handler(handler))
    // in the journal, behind an orderly stop, there is nothing to be said
    if (done !== '') print(done)
    else if (Number.isFinite(screen.width)) print('nothing was left on this node')
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
      async handler({ events, json, dryRun, force, timeout }: Args) {
        const cleanup = await cleanUp({
          facts: screen.facts(events),
          own: screen.own,
          force,
          rehearse: dryRun,
          limit: limitOf({ timeout }) * 1000,
          witness: dryRun && !json ? show.commands(print) : undefined,
        })
        if (json) print(JSON.stringify(cleanup, undefined, 2))
        else if (cleanup.skipped !== undefined) print(cleanup.skipped)
        else if (!dryRun) tell(cleanup)
        for (const line of complaints(cleanup)) process.stderr.write(`eventscript: ${line}\n`)
        if (cleanup.left.length > 0 || !cleanup.good) process.exitCode = 1
      },
    },
  ]
}
