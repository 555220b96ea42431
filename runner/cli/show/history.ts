import { dirname } from 'node:path'
import { Usage } from '../../base/refusal.ts'
import { historyFile, recall } from '../../engine/history.ts'
import { endsEvent, type Report } from '../../engine/report.ts'
import type { Paints } from '../../format/colours.ts'
import { ctime } from '../../format/ctime.ts'
import type { Column, FormatOptions } from '../../format/table.ts'
import type { Command } from '../command.ts'
import { outcomeWord } from '../handler-report.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import { factsFor } from '../here.ts'
import { LISTING } from '../options.ts'
import { printListing } from '../output.ts'

const COLUMNS: readonly Column<Report>[] = [
  { name: 'Began', field: 'began', value: ({ began }) => began },
  { name: 'Event', field: 'event', value: ({ event }) => event },
  { name: 'Words', field: 'words', value: ({ words }) => words.join(' ') },
  { name: 'Outcome', field: 'outcome', value: ({ outcome }) => outcome },
  { name: 'Milliseconds', field: 'ms', value: ({ ms }) => Math.round(ms) },
  { name: 'Why', field: 'handlers', value: whyFailed },
]

function whyFailed({ handlers }: Report): string | undefined {
  return handlers.find(({ outcome }) => endsEvent(outcome) !== undefined)?.why
}

export default {
  usage: 'history',
  describe: 'the runs that this node remembers',
  options: {
    ...LISTING,
    last: { type: 'string', requiresArg: true, default: '20', describe: 'how many' },
  },
  async handler(args: FormatOptions & { last: string }, output) {
    const last = Number(args.last)
    if (!Number.isInteger(last) || last < 1) throw new Usage(`--last ${args.last}: expected a number of runs`)
    const file = historyFile(factsFor().env)
    await mustAnswer(dirname(file))
    const rows = recall(file).slice(-last)
    const text = () =>
      rows.length === 0
        ? ['no runs yet: "eventscript run" keeps them']
        : rows.map((row) => runLines(output.paints, row))
    printListing(output, args, { columns: COLUMNS, rows, json: rows, text })
  },
} satisfies Command

/** A run as a line, and below it the warnings and failures of its handlers. */
function runLines(paints: Paints, { event, words, outcome, began, ms, handlers }: Report): string {
  const odd = handlers.flatMap(({ name, outcome: end, output, why = '' }) => [
    ...output.filter((line) => line.startsWith('WARNING')).map((line) => `  ${name}: ${line}`),
    ...(end === 'ok' || end === 'disabled' ? [] : [`  ${name}: ${why}`]),
  ])
  const seconds = (ms / 1000).toFixed(3).padStart(7)
  const head = `${ctime(new Date(began))}  ${outcomeWord(paints, outcome)} ${seconds} s  ${[event, ...words].join(' ')}`
  return [head, ...odd].join('\n')
}
