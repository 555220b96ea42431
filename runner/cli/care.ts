/** The commands that judge: doctor, check, metrics. */
import { lookAtCluster } from '../inspect/check/check.ts'
import { examine } from '../inspect/doctor/doctor.ts'
import { asMetrics, writeMetrics } from '../inspect/check/metrics.ts'
import { parseThresholds } from '../inspect/check/figures.ts'
import { EXIT, FIGURE_COLUMNS, judge, statusLine } from '../inspect/check/verdict.ts'
import { FINDING_COLUMNS, type Finding } from '../inspect/doctor/finding.ts'
import type { Paints } from './printer.ts'
import { asObjects, formatOf, type FormatOptions } from '../format/table.ts'
import { LISTING, printListing, type Command, type Screen } from './command.ts'
import { LIMIT, limitOf } from './seen.ts'

type Args = FormatOptions & { timeout: string; events?: string }

/** What a line of a finding begins with. */
export function headings(paints: Paints) {
  return {
    ok: paints.good('ok       '),
    warning: paints.warn('WARNING  '),
    error: paints.bad('ERROR    '),
    done: paints.good('done     '),
    failed: paints.bad('FAILED   '),
  }
}

export function findingLines(
  paints: Paints,
  { state, subject, text, remedy }: Omit<Finding, 'check'>,
): string[] {
  return [
    `${headings(paints)[state]}${subject}: ${text}`,
    ...(remedy === undefined ? [] : [`         ${paints.bold(`-> ${remedy}`)}`]),
  ]
}

export function careCommands(screen: Screen): Command[] {
  return [
    {
      command: 'doctor',
      describe: 'what this node lacks, and what is wrong with its files; with the remedy',
      options: { ...LISTING, timeout: { ...LIMIT.timeout, default: '30' } },
      async handler(args: Args) {
        formatOf(args)
        const facts = screen.facts(args.events)
        const rows = await examine({ facts, own: screen.own, limit: limitOf(args) })
        const count = (state: Finding['state']) => rows.filter((each) => each.state === state).length
        const text = () => [
          ...rows.flatMap((row) => findingLines(screen.paints, row)),
          `${count('error')} to mend, ${count('warning')} to look at, ${count('ok')} well`,
        ]
        printListing(screen, args, { columns: FINDING_COLUMNS, rows, text })
        if (count('error') > 0) process.exitCode = 1
      },
    },
    {
      command: 'check',
      describe: 'a plugin for Nagios and Icinga: one line with performance data, exit status 0 to 3',
      options: {
        ...LISTING,
        ...LIMIT,
        ...threshold('warning', 'w'),
        ...threshold('critical', 'c'),
      },
      async handler(args: Args & { warning?: string | string[]; critical?: string | string[] }) {
        formatOf(args)
        const limit = limitOf(args)
        const thresholds = {
          warning: parseThresholds('-w', [args.warning ?? []].flat()),
          critical: parseThresholds('-c', [args.critical ?? []].flat()),
        }
        const verdict = judge(await lookAtCluster(screen.facts(), limit), thresholds)
        const { state, text, figures: rows, reasons } = verdict
        const json = { state, status: EXIT[state], text, reasons, figures: asObjects(FIGURE_COLUMNS, rows) }
        const format = formatOf(args)
        // one line, however long: it is for a program
        if (format.kind === 'text') screen.print(statusLine(verdict))
        else printListing(screen, args, { columns: FIGURE_COLUMNS, rows, json })
        if (format.kind === 'fields')
          for (const each of reasons) process.stderr.write(`eventscript: ${each}\n`)
        process.exitCode = EXIT[state]
      },
    },
    {
      command: 'metrics [file]',
      describe: "the figures of check in Prometheus' format, for the textfile folder of node_exporter",
      positionals: { file: { type: 'string', describe: 'a name that ends in .prom; else standard output' } },
      options: { ...LIMIT },
      async handler(args: Args & { file?: string }) {
        const sight = await lookAtCluster(screen.facts(), limitOf(args))
        const verdict = judge(sight, { warning: new Map(), critical: new Map() })
        const text = asMetrics(sight, verdict)
        if (args.file === undefined) screen.print(text.trimEnd())
        else writeMetrics(args.file, text)
        for (const each of verdict.reasons) process.stderr.write(`eventscript: ${each}\n`)
        if (verdict.reasons.length > 0) process.exitCode = 1
      },
    },
  ]
}

function threshold(level: string, alias: string): Command['options'] {
  const describe = `FIGURE=RANGE[,FIGURE=RANGE…]: when it is ${level}`
  return { [level]: { type: 'string', alias, requiresArg: true, describe } }
}
