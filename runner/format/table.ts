/**
 * A listing in rows and columns: for people, fitted to the terminal; for programs as `ctdb -X` prints, or as JSON. Pure:
 * the caller knows the width and the colours.
 */
import { oneLine } from '../base/blanks.ts'
import type { Paints } from './colours.ts'
import { blanks, fit, NARROWEST, wrap } from './wrap.ts'
import { Usage } from '../base/refusal.ts'

export type CellValue = string | number | boolean | readonly string[] | undefined

/** A column is also a field of JSON. docs/output.md describes each, and a test compares the two. */
export interface Column<Row> {
  /** The heading, in CTDB's words where CTDB has such a column. */
  name: string
  /** The name in JSON. */
  field: string
  value: (row: Row) => CellValue
  /** Printed for programs only. */
  quiet?: boolean
  paint?: (row: Row) => keyof Paints | undefined
}

/** Text is for people, the others are for programs. */
export type Format = { kind: 'text' } | { kind: 'json' } | { kind: 'fields'; separator: string }

/** The options that every listing command has. */
export interface FormatOptions {
  json?: boolean
  X?: boolean
  Y?: boolean
  x?: string
}

/** `-X` and `-Y` mean the same, as in the ctdb tool since 4.2; `-x CHAR` alone implies them, as ctdb(1) says. */
export function formatOf({ json, X, Y, x }: FormatOptions): Format {
  if (x !== undefined && !/^[^\n\r"\\]$/u.test(x))
    throw new Usage(`-x ${JSON.stringify(x)}: expected one character to separate fields, such as -x ,`)
  const fields = X || Y || x !== undefined
  if (json && fields) throw new Usage('--json and -X, -Y, -x are two formats: give one of them')
  if (json) return { kind: 'json' }
  return fields ? { kind: 'fields', separator: x ?? '|' } : { kind: 'text' }
}

/**
 * Lines as `ctdb -X` prints them: a header, then the rows, each begun and ended by the separator. No is 0 and yes is 1, a
 * missing value is empty, several values are joined by commas; a line end within a value becomes a blank. Throws Usage when
 * the separator occurs in a heading or a value: a program that splits such a line would get wrong fields.
 */
export function asFields<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  separator: string,
): string[] {
  const line = (cells: readonly string[], what: (i: number) => string) => {
    const bad = cells.findIndex((cell) => cell.includes(separator))
    if (bad >= 0)
      throw new Usage(
        `-x "${separator}": it occurs in ${what(bad)} "${cells[bad]}": take a separator that does not, or --json`,
      )
    return `${separator}${cells.join(separator)}${separator}`
  }
  return [
    line(
      columns.map(({ name }) => name),
      () => 'the heading',
    ),
    ...rows.map((row) =>
      line(
        columns.map(({ value }) => asCell(value(row))),
        (i) => `${columns[i]?.name}`,
      ),
    ),
  ]
}

/** One object a row, with a field for each column; a missing value is null. */
export function asObjects<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): object[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ field, value }) => [field, value(row) ?? null])))
}

function asCell(value: CellValue): string {
  if (value === undefined) return ''
  if (typeof value === 'boolean') return value ? '1' : '0'
  const text = Array.isArray(value) ? value.join(',') : String(value)
  return oneLine(text)
}

/** Blanks between two columns. */
const GAP = 2

/**
 * For people: columns under their headings; the last column is wrapped into the rest of the terminal's width. A row that is too
 * long for that becomes a paragraph, at its place; all rows do where half of them are too long.
 */
export function asTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paints: Paints,
): string[] {
  const shown = columns.filter(({ quiet }) => !quiet)
  const cells = rows.map((row) => shown.map(({ value }) => forPeople(value(row))))
  const names = shown.map(({ name }) => name)
  const { room, fitting } = roomFor(names, cells, width)
  if (room === undefined) return rows.flatMap((row) => paragraph(shown, row, width, paints))
  return [
    ...tableLine(names, room, (text) => paints.dim(text)),
    ...rows.flatMap((row, k) => {
      const line = cells[k] ?? []
      return fitting.has(line)
        ? tableLine(line, room, (text, i) => painted(shown[i], row, text, paints))
        : paragraph(shown, row, width, paints)
    }),
  ]
}

type Line = readonly string[]

/** Room for as many rows as fit, which are more than half of them; no room where fewer do. The longest rows are left out first. */
function roomFor(
  names: Line,
  cells: readonly Line[],
  width: number,
): { room?: Room; fitting: ReadonlySet<Line> } {
  const head = (row: Line) => row.slice(0, -1).reduce((sum, cell) => sum + cell.length, 0)
  const fitting = cells.toSorted((a, b) => head(a) - head(b))
  for (; fitting.length * 2 > cells.length || cells.length === 0; fitting.pop()) {
    const room = roomOf([names, ...fitting], width)
    if (room) return { room, fitting: new Set(fitting) }
    if (fitting.length === 0) break
  }
  return { fitting: new Set() }
}

/** Undefined where the last column would be too narrow. */
function roomOf(lines: readonly Line[], width: number): Room | undefined {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP, 0)
  const widest = widths.at(-1) ?? 0
  const last = Math.min(widest, width - before)
  return last < Math.min(widest, NARROWEST) ? undefined : { widths, before, last }
}

/** Characters for each column, for all but the last column together, and for a line of the last column. */
interface Room {
  widths: readonly number[]
  before: number
  last: number
}

/** One row; lines after the first have text in the last column only. */
function tableLine(
  row: Line,
  { widths, before, last }: Room,
  paint: (text: string, i: number) => string,
): string[] {
  const [first = '', ...more] = wrap(row.at(-1) ?? '', last)
  const head = row
    .slice(0, -1)
    .map((cell, i) => paint(cell, i) + blanks((widths[i] ?? 0) - cell.length + GAP))
  return [
    `${head.join('')}${paint(first, row.length - 1)}`.trimEnd(),
    ...more.map((text) => blanks(before) + paint(text, row.length - 1)),
  ]
}

function paragraph<Row>(shown: readonly Column<Row>[], row: Row, width: number, paints: Paints): string[] {
  const lines = shown.flatMap((column) => {
    const text = forPeople(column.value(row))
    if (text === '-') return []
    return fit(`${column.name}: ${text}`, width, 2).map((line) => painted(column, row, line, paints))
  })
  return [...lines, '']
}

function painted<Row>(column: Column<Row> | undefined, row: Row, text: string, paints: Paints): string {
  const paint = column?.paint?.(row)
  return paint === undefined || text === '' || text === '-' ? text : paints[paint](text)
}

function forPeople(value: CellValue): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return asCell(value) || '-'
}
