import { visible } from '../../base/visible.ts'
import { Usage } from '../../base/refusal.ts'
import { keepRunByHand } from '../../engine/history/keep.ts'
import { historyFile } from '../../engine/history/run.ts'
import { endsEvent, type Report } from '../../engine/report.ts'
import { run, type RunOptions } from '../../engine/run-by-hand.ts'
import { recordedScripts, unknownEnd } from '../../inspect/health/recorded.ts'
import { writing, type Witness } from '../../machine/recording/record.ts'
import type { Command } from '../command.ts'
import { commandPrinter } from '../dry-run.ts'
import { handlerReport } from '../handler-report.ts'
import { factsFor } from '../here.ts'
import { DRY_RUN } from '../options.ts'
import { complain, printJson, printText, type Output } from '../output.ts'
import { mustNotContradict } from './contradiction.ts'
import { RUN_OPTIONS, RUN_WORDS, runOptions, type RunArgs } from './run-args.ts'

interface Args extends RunArgs {
  dryRun?: boolean
  force?: boolean
  trace?: boolean
  record?: string
  redact?: boolean
  overwrite?: boolean
}

export default {
  usage: 'run <event> [words..]',
  describe: 'run the handlers for one event, in order, until one fails',
  endless: true,
  positionals: RUN_WORDS,
  options: {
    ...RUN_OPTIONS,
    'dry-run': DRY_RUN,
    force: { type: 'boolean', describe: 'also where ctdbd has the address elsewhere, or is alive' },
    record: {
      type: 'string',
      requiresArg: true,
      describe: 'write every question and change to a file',
    },
    overwrite: { type: 'boolean', describe: 'the recording may take the place of a file' },
    redact: { type: 'boolean', describe: 'hide addresses, MACs and the host name in the recording' },
    trace: { type: 'boolean', describe: 'print every question and change' },
  },
  async handler(args: Args, output) {
    const { dryRun, force, trace, record, redact, overwrite } = args
    if (redact && record === undefined) throw new Usage('--redact goes with --record FILE')
    if (overwrite && record === undefined) throw new Usage('--overwrite goes with --record FILE')
    const witness = trace ? writing((text) => process.stderr.write(visible(text))) : undefined
    const mayRun: RunOptions['mayRun'] = (...event) => mustNotContradict(...event, complain)
    const options = { ...runOptions(args), record, redact, overwrite, ...(force ? {} : { mayRun }) }
    const report = await (dryRun ? rehearse : runForReal)(options, args, output, witness)
    return endsEvent(report.outcome) ? 1 : 0
  },
} satisfies Command

async function rehearse(
  options: RunOptions,
  { json }: Args,
  output: Output,
  tracing: Witness | undefined,
): Promise<Report> {
  const witness = tracing ?? (json ? undefined : commandPrinter(output))
  // our own folder has no executables
  const recorded = options.optionsFolder === undefined ? [] : await recordedScripts(options.event)
  const unknown = (name: string) => unknownEnd(recorded, options.event, name)
  const report = await run({ ...options, rehearse: true, unknown, witness })
  if (json) printJson(output, report)
  return report
}

async function runForReal(
  options: RunOptions,
  { json }: Args,
  output: Output,
  witness: Witness | undefined,
): Promise<Report> {
  const ended = json
    ? undefined
    : (handler: Report['handlers'][number]) => printText(output, handlerReport(output.paints, handler))
  const report = await run({ ...options, witness, ended })
  if (json) printJson(output, report)
  const notKept = await keepRunByHand(historyFile(factsFor().env), report)
  if (notKept) complain(notKept)
  return report
}
