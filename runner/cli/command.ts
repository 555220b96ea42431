/** Where a command's listing goes: to people or to a program, as the options say. */
import type { Paints, printer } from './printer.ts'
import type { Facts } from '../node/settings.ts'
import { fit } from '../format/wrap.ts'
import { asFields, asObjects, asText, formatOf, type Column, type FormatOptions } from '../format/table.ts'

export interface Screen {
  print: (line: string) => void
  /** One colour each, or none. */
  paints: Paints
  show: ReturnType<typeof printer>
  /** Characters in a line; where there is no terminal, no end. */
  width: number
  /** With the folder of `--events`, where its options lie too. */
  facts: (events?: string) => Facts
  /** Our own handlers. */
  own: string
  /** The folder of handlers that `--events` names, or our own. */
  events: (args: { events?: string }) => string
  /** From now on Ctrl-C and TERM fire this, instead of ending us in the middle of an event. */
  interruptible: () => AbortSignal
}

/** An option or word as yargs describes it. */
interface Described {
  type: 'string' | 'boolean'
  describe: string
  alias?: string
  requiresArg?: boolean
  default?: string
}

/** A command as yargs takes it, without yargs: only main knows that. */
export interface Command {
  command: string
  describe: string
  /** The words behind it that have a name in `command`. */
  positionals?: Record<string, Described>
  options: Record<string, Described>
  handler: (args: never) => unknown
}

/** The options of every command that lists something, beside the common `--json`. */
export const LISTING = {
  X: { type: 'boolean', describe: 'for programs: fields between "|", as ctdb -X' },
  Y: { type: 'boolean', describe: 'the same as -X, as in the ctdb tool' },
  x: { type: 'string', requiresArg: true, describe: 'for programs: fields between this character' },
} as const

export interface Listed<Row> {
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** What `--json` prints, when it is more than the rows. */
  json?: unknown
  /** How people are shown it, when not as a table. */
  text?: () => string[]
}

export function printListing<Row>(screen: Screen, options: FormatOptions, listed: Listed<Row>): void {
  const { columns, rows } = listed
  const format = formatOf(options)
  if (format.kind === 'json')
    return screen.print(JSON.stringify(listed.json ?? asObjects(columns, rows), undefined, 2))
  if (format.kind === 'fields')
    return asFields(columns, rows, format.separator).forEach((line) => screen.print(line))
  if (!listed.text)
    return asText(columns, rows, screen.width, screen.paints).forEach((line) => screen.print(line))
  for (const text of listed.text())
    for (const line of text.split('\n')) fit(line, screen.width).forEach((each) => screen.print(each))
}
