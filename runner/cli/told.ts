/** The commands that list what this program knows by itself: handlers, and how their runs ended. */
import { askActivity, askStatus } from '../eventd/ask.ts'
import { historyFile, parkedBeside, recall } from '../engine/history.ts'
import { list, type Listed } from '../engine/list.ts'
import { asReport } from '../eventd/status.ts'
import { layoutOf } from '../eventd/status-text.ts'
import { ctdbVersion } from '../node/ctdb-version.ts'
import { Refusal, Usage } from '../base/refusal.ts'
import { endsEvent, type HandlerReport, type Report } from '../engine/report.ts'
import type { Column, FormatOptions } from '../format/table.ts'
import { LISTING, printListing, type Command, type Screen } from './command.ts'

const HANDLERS: readonly Column<Listed>[] = [
  { name: 'Handler', field: 'name', value: ({ name }) => name },
  { name: 'Kind', field: 'kind', value: ({ kind }) => kind },
  { name: 'About', field: 'about', value: ({ about }) => about },
  { name: 'Events', field: 'events', value: ({ events }) => events },
  { name: 'Path', field: 'path', value: ({ path }) => path },
]

const RUNS: readonly Column<Report>[] = [
  { name: 'Began', field: 'began', value: ({ began }) => began },
  { name: 'Event', field: 'event', value: ({ event }) => event },
  { name: 'Words', field: 'words', value: ({ words }) => words.join(' ') },
  { name: 'Outcome', field: 'outcome', value: ({ outcome }) => outcome },
  { name: 'Milliseconds', field: 'ms', value: ({ ms }) => Math.round(ms) },
  { name: 'Why', field: 'handlers', value: ({ handlers }) => handlers.find(ended)?.why },
]

const ENDS: readonly Column<HandlerReport>[] = [
  { name: 'Handler', field: 'name', value: ({ name }) => name },
  { name: 'Outcome', field: 'outcome', value: ({ outcome }) => outcome },
  { name: 'Began', field: 'began', value: ({ began }) => began },
  { name: 'Milliseconds', field: 'ms', value: ({ ms }) => Math.round(ms) },
  { name: 'Why', field: 'why', value: ({ why }) => why },
  { name: 'Output', field: 'output', value: ({ output }) => output.join(' ') },
]

const ended = ({ outcome }: HandlerReport) => endsEvent(outcome) !== undefined

export function toldCommands(screen: Screen): Command[] {
  const { print, show } = screen
  const history = () => historyFile(screen.facts().env)
  const parked = () => parkedBeside(history()).map((each) => show.parked(each))

  return [
    {
      command: 'history',
      describe: 'the runs that this node remembers',
      options: {
        ...LISTING,
        last: { type: 'string', requiresArg: true, default: '20', describe: 'how many' },
      },
      handler(args: FormatOptions & { last: string }) {
        const last = Number(args.last)
        if (!Number.isInteger(last) || last < 1)
          throw new Usage(`--last ${args.last}: expected a number of runs`)
        const rows = recall(history()).slice(-last)
        const text = () =>
          rows.length === 0 ? ['no runs yet: "eventscript run" keeps them'] : rows.map((row) => show.run(row))
        printListing(screen, args, { columns: RUNS, rows, json: rows, text })
      },
    },
    {
      command: 'status [event]',
      describe: 'how the handlers ended when the event ran last',
      positionals: { event: { type: 'string', default: 'monitor', describe: 'the event' } },
      options: {
        ...LISTING,
        socket: { type: 'boolean', describe: 'ask the event daemon of this node' },
      },
      async handler(args: FormatOptions & { event: string; socket?: boolean }) {
        if (args.socket) {
          const status = await askStatus(args.event)
          const rows = status.scripts.map(asReport)
          const layout = layoutOf(await ctdbVersion())
          const text = () => [...status.scripts.map((each) => show.script(each, layout)), ...parked()]
          printListing(screen, args, { columns: ENDS, rows, json: status, text })
          if (status.summary !== 0) process.exitCode = 1
          return
        }
        const file = history()
        const report = recall(file).findLast(({ event }) => event === args.event)
        if (!report) throw new Refusal(`Event ${args.event} has never run here: ${file} has no run of it`)
        const text = () => [show.status(report), ...parked()]
        printListing(screen, args, { columns: ENDS, rows: report.handlers, json: report, text })
        if (endsEvent(report.outcome)) process.exitCode = 1
      },
    },
    {
      command: 'top',
      describe: 'what the event daemon of this node is running, and what waits',
      options: {},
      async handler(args: FormatOptions) {
        const activity = await askActivity()
        if (args.json) return print(JSON.stringify(activity, undefined, 2))
        for (const each of activity) print(show.activity(each))
        if (activity.length === 0) print('no event yet')
      },
    },
    {
      command: 'list',
      describe: 'the handlers in the order in which they run',
      options: { ...LISTING },
      async handler(args: FormatOptions & { events?: string }) {
        const rows = await list(screen.events(args))
        printListing(screen, args, {
          columns: HANDLERS,
          rows,
          json: rows,
          text: () => rows.map((row) => show.listed(row)),
        })
      },
    },
  ]
}
