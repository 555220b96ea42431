import { dirname } from 'node:path'
import { Usage } from '../../base/refusal.ts'
import { recall } from '../../engine/history/recall.ts'
import { historyFile, type KeptRun } from '../../engine/history/run.ts'
import { endsEvent } from '../../engine/report.ts'
import type { Paints } from '../../format/colours.ts'
import { ctime } from '../../format/ctime.ts'
import type { Column, FormatOptions } from '../../format/table.ts'
import type { Command } from '../command.ts'
import { indented, outcomeWord } from '../handler-report.ts'
import { isFar } from '../../machine/files/may-hang.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import { factsFor } from '../here.ts'
import { LISTING } from '../options.ts'
import { complain, printListing } from '../output.ts'

const countOf = ({ count = 1 }: KeptRun) => count
const firstOf = ({ first, began }: KeptRun) => first ?? began

const COLUMNS: readonly Column<KeptRun>[] = [
  { name: 'Began', field: 'began', value: ({ began }) => began },
  { name: 'Event', field: 'event', value: ({ event }) => event },
  { name: 'Words', field: 'words', value: ({ words }) => words.join(' ') },
  { name: 'Outcome', field: 'outcome', value: ({ outcome }) => outcome },
  { name: 'Milliseconds', field: 'ms', value: ({ ms }) => Math.round(ms) },
  { name: 'Why', field: 'handlers', value: whyFailed },
  { name: 'Via', field: 'via', value: ({ via }) => via },
  { name: 'Count', field: 'count', value: countOf },
  { name: 'First', field: 'first', value: firstOf },
]

function whyFailed({ handlers }: KeptRun): string | undefined {
  return handlers.find(({ outcome }) => endsEvent(outcome) !== undefined)?.why
}

export default {
  usage: 'history',
  describe: 'the events that ran on this node: by CTDB and by hand',
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
    if (isFar(dirname(file)))
      complain(`${dirname(file)}: on a file system that may hang: only runs by hand are kept`)
    const text = () =>
      rows.length === 0
        ? [`no runs in ${file}: our event daemon, our scripts and "eventscript run" keep them`]
        : rows.map((row) => runLines(output.paints, row))
    const json = rows.map((run) => ({ ...run, count: countOf(run), first: firstOf(run), unended: undefined }))
    printListing(output, args, { columns: COLUMNS, rows, json, text })
  },
} satisfies Command

/** A run as a line, and below it the warnings and failures of its handlers. */
function runLines(paints: Paints, run: KeptRun): string {
  const { event, words, outcome, began, ms, handlers } = run
  const odd = handlers.flatMap(({ name, outcome: end, output, why = '' }) => [
    ...output
      .filter((line) => line.startsWith('WARNING'))
      .map((line) => `  ${name}: ${indented(line, '    ')}`),
    ...(end === 'ok' || end === 'disabled' ? [] : [`  ${name}: ${indented(why, '    ')}`]),
  ])
  const seconds = (ms / 1000).toFixed(3).padStart(7)
  const head = `${ctime(new Date(began))}  ${outcomeWord(paints, outcome)} ${seconds} s  ${byWhom(run)}  ${[event, ...words].join(' ')}`
  const count = countOf(run) > 1 ? [`  ${countOf(run)} times since ${ctime(new Date(firstOf(run)))}`] : []
  return [head, ...count, ...odd].join('\n')
}

/** Who ran the event; a script by its name, since one event runs several of them. */
function byWhom({ via, handlers: [handler] }: KeptRun): string {
  return { daemon: 'daemon', script: `${handler?.name}.script`, hand: 'by hand' }[via].padEnd(19)
}
