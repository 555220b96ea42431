import { Refusal, Usage } from '../../base/refusal.ts'
import { endsEvent } from '../../engine/report.ts'
import { cleanUp, complaints, type Cleanup } from '../../eventd/last-act/cleanup.ts'
import { countsText } from '../../eventd/last-act/release-everything.ts'
import type { Command, CommonArgs } from '../command.ts'
import { commandPrinter } from '../dry-run.ts'
import { handlerReport } from '../handler-report.ts'
import { factsFor, OWN_EVENTS } from '../here.ts'
import { DRY_RUN, EVENTS, TIMEOUT, timeoutOf } from '../options.ts'
import { printJson, type Output } from '../output.ts'
import { openLogOutput, type LogOutput } from './log-output.ts'

interface Args extends CommonArgs {
  dryRun?: boolean
  force?: boolean
  timeout: string
}

export default {
  usage: 'cleanup',
  describe: 'ctdbd is gone: drop every public address of this node, with rules and sysctls',
  options: {
    force: { type: 'boolean', describe: 'also while ctdbd is alive' },
    'dry-run': DRY_RUN,
    events: EVENTS,
    timeout: { ...TIMEOUT, default: '60' },
  },
  async handler(args: Args, output) {
    const log = await openLogOutput(output.print)
    try {
      return await cleanUpAndReport(args, output, log)
    } catch (error) {
      if (!(error instanceof Refusal) || error instanceof Usage) throw error
      log.error(error.message)
      return 1
    } finally {
      await log.close()
    }
  },
} satisfies Command

async function cleanUpAndReport(args: Args, output: Output, log: LogOutput): Promise<number> {
  const { events, json, dryRun, force } = args
  const cleanup = await cleanUp({
    facts: factsFor(events),
    own: OWN_EVENTS,
    force,
    rehearse: dryRun,
    limit: timeoutOf(args) * 1000,
    witness: dryRun && !json ? commandPrinter(output) : undefined,
  })
  if (cleanup.unread !== undefined)
    log.error(`WARNING: ${cleanup.unread}: whether [failover] is disabled is not known: the addresses go`)
  if (json) printJson(output, cleanup)
  else if (cleanup.skipped !== undefined) log.write(cleanup.skipped, 'notice')
  else if (!dryRun) report(cleanup, output, log)
  complaints(cleanup).forEach(log.error)
  return cleanup.left.length > 0 || !cleanup.good ? 1 : 0
}

function report(cleanup: Cleanup, { paints, width }: Output, log: LogOutput): void {
  const done = countsText(cleanup)
  for (const handler of cleanup.handlers)
    if (handler.output.length > 0 || handler.outcome !== 'ok')
      log.write(handlerReport(paints, handler), endsEvent(handler.outcome) ? 'error' : 'notice')
  if (done !== '') log.write(done, 'warning')
  // the journal gets nothing after an orderly stop
  else if (Number.isFinite(width)) log.write('nothing was left on this node', 'notice')
}
