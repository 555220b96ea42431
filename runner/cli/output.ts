/** Where a command prints: people read a terminal, programs a pipe. */
import { visible } from '../base/visible.ts'
import type { Paints } from '../format/colours.ts'
import { asFields, asObjects, asTable, formatOf, type Column, type FormatOptions } from '../format/table.ts'
import { fit } from '../format/wrap.ts'

export interface Output {
  print: (line: string) => void
  paints: Paints
  /** Characters in a line; Infinity where there is no terminal. */
  width: number
}

export interface Listing<Row> {
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** The value that `--json` prints, when that is more than the rows. */
  json?: unknown
  /** The text for people, when that is not a table. */
  text?: () => string[]
}

/** Prints for people or for a program, as the options say. */
export function printListing<Row>(output: Output, options: FormatOptions, listing: Listing<Row>): void {
  const { columns, rows, text } = listing
  const format = formatOf(options)
  if (format.kind === 'json') printJson(output, listing.json ?? asObjects(columns, rows))
  else if (format.kind === 'fields')
    for (const line of asFields(columns, rows, format.separator)) output.print(line)
  else if (text) for (const each of text()) printText(output, each)
  else for (const line of asTable(columns, rows, output.width, output.paints)) output.print(line)
}

/** A report, whose lines may be long. Commands to be pasted are printed as they are, by `print`. */
export function printText({ print, width }: Output, text: string): void {
  for (const line of text.split('\n')) for (const each of fit(line, width)) print(each)
}

export function printJson({ print }: Output, value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

/** A line on standard error, which leaves standard output to the listing. */
export function complain(line: string): void {
  process.stderr.write(`eventscript: ${visible(line)}\n`)
}
