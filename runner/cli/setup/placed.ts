/** The work of `install` and `uninstall`: the commands of a dry run, or a line for each place. */
import type { InstallOptions, Placed } from '../../install/install.ts'
import type { Paints } from '../../format/colours.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import type { CommonArgs } from '../command.ts'
import { commandPrinter } from '../dry-run.ts'
import { saidLine } from '../handler-report.ts'
import { DIST, factsFor } from '../here.ts'
import { printJson, printText, type Output } from '../output.ts'

export interface PlaceArgs extends CommonArgs {
  dryRun?: boolean
}

export async function place(
  { json, dryRun }: PlaceArgs,
  output: Output,
  work: (options: InstallOptions) => Promise<Placed[]>,
): Promise<void> {
  const witness = dryRun && !json ? commandPrinter(output) : undefined
  const { env, optionsFolder } = factsFor()
  await mustAnswer(optionsFolder)
  const placed = await work({ dist: DIST, env, rehearse: dryRun, witness })
  if (json) printJson(output, placed)
  else if (placed.length === 0) output.print('nothing of ours is installed')
  else if (!dryRun) for (const each of placed) printText(output, placedReport(output.paints, each))
}

function placedReport(paints: Paints, { name, did, text, notes }: Placed): string {
  const paint = did === 'already' || did === 'absent' ? 'dim' : 'good'
  const head = `${name.padEnd(20)} ${paints[paint](did.toUpperCase().padEnd(10))} ${text}`
  return [head, ...notes.map((line) => `  ${saidLine(paints, line)}`)].join('\n')
}
