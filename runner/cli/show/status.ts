import { dirname } from 'node:path'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import { Refusal } from '../../base/refusal.ts'
import { lastRun } from '../../engine/history/last-run.ts'
import { parkedBeside } from '../../engine/history/parked-beside.ts'
import { recall } from '../../engine/history/recall.ts'
import { historyFile, type KeptRun } from '../../engine/history/run.ts'
import { endsEvent, type HandlerReport } from '../../engine/report.ts'
import { askStatus } from '../../eventd/ask.ts'
import { layoutOf, statusLines } from '../../eventd/status-text.ts'
import { asReport } from '../../eventd/status.ts'
import type { Paints } from '../../format/colours.ts'
import { ctime } from '../../format/ctime.ts'
import type { Column, FormatOptions } from '../../format/table.ts'
import type { Parked } from '../../net/dad/parked.ts'
import { ctdbVersion } from '../../node/ctdb-version.ts'
import type { Command } from '../command.ts'
import { outcomeWord, paintOutcome } from '../handler-report.ts'
import { factsFor } from '../here.ts'
import { LISTING } from '../options.ts'
import { printListing, type Output } from '../output.ts'

const COLUMNS: readonly Column<HandlerReport>[] = [
  { name: 'Handler', field: 'name', value: ({ name }) => name },
  { name: 'Outcome', field: 'outcome', value: ({ outcome }) => outcome },
  { name: 'Began', field: 'began', value: ({ began }) => began },
  { name: 'Milliseconds', field: 'ms', value: ({ ms }) => Math.round(ms) },
  { name: 'Why', field: 'why', value: ({ why }) => why },
  { name: 'Output', field: 'output', value: ({ output }) => output.join(' ') },
]

type Args = FormatOptions & { event: string; socket?: boolean }

export default {
  usage: 'status [event]',
  describe: 'how the handlers ended when the event ran last',
  positionals: { event: { type: 'string', default: 'monitor', describe: 'the event' } },
  options: {
    ...LISTING,
    socket: { type: 'boolean', describe: 'ask the event daemon of this node' },
  },
  handler: async (args: Args, output) =>
    args.socket ? await statusOfDaemon(args, output) : statusOfHistory(args, output),
} satisfies Command

/** The status that the event daemon reports, in the layout of the ctdb tool. */
async function statusOfDaemon(args: Args, output: Output): Promise<number> {
  const { paints } = output
  const status = await askStatus(args.event)
  const layout = layoutOf(await ctdbVersion())
  const parked = await parkedLines(paints, historyFile(factsFor().env))
  const text = () => [
    ...status.scripts.flatMap((script) =>
      statusLines(script, layout, (word, outcome) => paintOutcome(paints, outcome, word)),
    ),
    ...parked,
  ]
  printListing(output, args, { columns: COLUMNS, rows: status.scripts.map(asReport), json: status, text })
  return status.summary === 0 ? 0 : 1
}

/** The status after the last run in the history, by CTDB or by hand. */
async function statusOfHistory(args: Args, output: Output): Promise<number> {
  const { paints } = output
  const file = historyFile(factsFor().env)
  await mustAnswer(dirname(file))
  const report = lastRun(recall(file), args.event)
  if (!report)
    throw new Refusal(
      `Event ${args.event}: ${file} has no run of it: "eventscript status --socket ${args.event}" asks the event daemon`,
    )
  const parked = await parkedLines(paints, file)
  const text = () => [
    ...report.handlers.map((each) => handlerStatus(paints, each)),
    paints.dim(`run ${WHO[report.via]}`),
    ...parked,
  ]
  printListing(output, args, { columns: COLUMNS, rows: report.handlers, json: report, text })
  return endsEvent(report.outcome) ? 1 : 0
}

/** Who ran an event, and what the history knows of it. */
const WHO: Record<KeptRun['via'], string> = {
  daemon: 'by CTDB, in our event daemon',
  script: 'by our scripts; CTDB\'s event daemon knows the other ones: "eventscript status --socket"',
  hand: 'by hand',
}

/** In the manner of `ctdb event status`. */
function handlerStatus(paints: Paints, { name, outcome, ms, began, output, why }: HandlerReport): string {
  const lines = [...output, ...(why === undefined ? [] : why.split('\n'))]
  const seconds = (ms / 1000).toFixed(3)
  const head = `${name.padEnd(20)} ${outcomeWord(paints, outcome)} ${seconds} ${ctime(new Date(began))}`
  return [head, ...lines.map((line) => `  OUTPUT: ${line}`)].join('\n')
}

/** The addresses that are kept off the wire since some earlier event; in their place, why these cannot be seen. */
async function parkedLines(paints: Paints, history: string): Promise<string[]> {
  try {
    await mustAnswer(dirname(history))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return [paints.warn(`parked: not known: ${error.message}`)]
  }
  return parkedBeside(history).map(({ address, bits, iface, rival }: Parked) =>
    paints.warn(`parked: ${address}/${bits}, which belongs on ${iface}: ${rival} has it`),
  )
}
