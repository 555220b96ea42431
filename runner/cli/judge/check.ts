import { asObjects, formatOf, type FormatOptions } from '../../format/table.ts'
import { lookAtCluster } from '../../inspect/check/check.ts'
import { parseThresholds } from '../../inspect/check/figures.ts'
import { EXIT, FIGURE_COLUMNS, judge, statusLine, type Verdict } from '../../inspect/check/verdict.ts'
import type { Command } from '../command.ts'
import { factsFor } from '../here.ts'
import { LISTING, TIMEOUT, timeoutOf } from '../options.ts'
import { complain, printListing, type Output } from '../output.ts'

type Args = FormatOptions & { timeout: string; warning?: string | string[]; critical?: string | string[] }

export default {
  usage: 'check',
  describe: 'a plugin for Nagios and Icinga: one line with performance data, exit status 0 to 3',
  options: {
    ...LISTING,
    timeout: TIMEOUT,
    ...threshold('warning', 'w'),
    ...threshold('critical', 'c'),
  },
  async handler(args: Args, output) {
    formatOf(args)
    const limit = timeoutOf(args)
    const thresholds = {
      warning: parseThresholds('-w', [args.warning ?? []].flat()),
      critical: parseThresholds('-c', [args.critical ?? []].flat()),
    }
    const verdict = judge(await lookAtCluster(factsFor(), limit), thresholds)
    printVerdict(output, args, verdict)
    return EXIT[verdict.state]
  },
} satisfies Command

function printVerdict(output: Output, args: Args, verdict: Verdict): void {
  const { state, text, figures: rows, reasons } = verdict
  const format = formatOf(args)
  // one line, however long: a program reads it
  if (format.kind === 'text') return output.print(statusLine(verdict))
  const json = { state, status: EXIT[state], text, reasons, figures: asObjects(FIGURE_COLUMNS, rows) }
  printListing(output, args, { columns: FIGURE_COLUMNS, rows, json })
  if (format.kind === 'fields') reasons.forEach(complain)
}

function threshold(level: string, alias: string): Command['options'] {
  const describe = `FIGURE=RANGE[,FIGURE=RANGE…]: when it is ${level}`
  return { [level]: { type: 'string', alias, requiresArg: true, describe } }
}
