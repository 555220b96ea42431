/** Medians, growth and targets of the bulk part. */
import chalk from 'chalk'
import { median } from '../table.ts'
import { OURS, SIZES, TASKS, type Outcome } from './contestants.ts'
import type { BulkMeasured } from './inside.ts'
import { LINEAR, TARGETS } from './targets.ts'

export interface BulkCell {
  size: number
  /** The median. */
  seconds: number
  /** Did every address succeed, each time? */
  whole: boolean
  runs: number
}

export interface BulkRow {
  task: string
  contestant: string
  cells: BulkCell[]
  /** The milliseconds of an additional address, from each of these sizes to the next: 60, 250, 1000. */
  growth: (number | undefined)[]
}

/**
 * A row for each task and contestant. Contestants that announce have another row: until all addresses were announced.
 */
export function bulkRows(measured: readonly BulkMeasured[]): BulkRow[] {
  const took = (outcome: Outcome, size: number) => ({ ms: outcome.ms, whole: outcome.ok === size })
  const wire = ({ wire: ms, announced }: Outcome) =>
    announced === undefined ? undefined : { ms: ms ?? NaN, whole: ms !== undefined }
  const takes = TASKS.filter(({ event }) => event === 'takeip')
  return [
    ...TASKS.flatMap(({ name }) => rowsOf(measured, name, name, took)),
    ...takes.flatMap(({ name, family }) => rowsOf(measured, name, `announced ${family}`, wire)),
  ]
}

function rowsOf(
  measured: readonly BulkMeasured[],
  from: string,
  task: string,
  timeOf: (outcome: Outcome, size: number) => { ms: number; whole: boolean } | undefined,
): BulkRow[] {
  const ofTask = measured.filter((each) => each.task === from)
  return [...new Set(ofTask.map(({ contestant }) => contestant))].flatMap((contestant) => {
    const cells = ofTask
      .filter((each) => each.contestant === contestant)
      .flatMap(({ size, outcomes }): BulkCell[] => {
        const times = outcomes.flatMap((outcome) => timeOf(outcome, size) ?? [])
        const seconds = median(times.map(({ ms }) => ms)) / 1000
        return times.length === 0
          ? []
          : [{ size, seconds, whole: times.every(({ whole }) => whole), runs: times.length }]
      })
    return cells.length === 0 ? [] : [{ task, contestant, cells, growth: growth(cells) }]
  })
}

function growth(cells: readonly BulkCell[]): (number | undefined)[] {
  const at = (size: number) => cells.find((cell) => cell.size === size && cell.whole)
  return [
    [60, 250],
    [250, 1000],
  ].map(([from = 0, to = 0]) => {
    const [less, more] = [at(from), at(to)]
    return less && more && ((more.seconds - less.seconds) * 1000) / (to - from)
  })
}

const WIDTHS = [16, 18, 9, 9, 9, 9, 9, 9]

export function bulkTable(rows: readonly BulkRow[]): string {
  let last = ''
  const lines = rows.map(({ task, contestant, cells, growth: costs }) => {
    const first = task === last ? '' : task
    last = task
    const times = SIZES.map((size) => timeIn(cells.find((cell) => cell.size === size)))
    return line([first, contestant, ...times, ...costs.map((ms) => ms?.toFixed(2) ?? '–')])
  })
  const above = line(['', '', 'seconds for so many', '', '', '', 'ms each', ''])
  const head = line(['', 'who', ...SIZES.map(String), '60→250', '→1000'])
  return [chalk.dim(above), chalk.bold(head), ...lines].join('\n')
}

function timeIn(cell: BulkCell | undefined): string {
  if (!cell) return '–'
  return `${Number.isNaN(cell.seconds) ? '' : inSeconds(cell.seconds)}${cell.whole ? '' : '✗'}`
}

export function inSeconds(seconds: number): string {
  return seconds.toFixed(seconds < 1 ? 3 : seconds < 10 ? 2 : 1)
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => (i < 2 ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0)))
  return padded.join('').trimEnd()
}

/** A line for each target that was measured. */
export function targets(rows: readonly BulkRow[]): string[] {
  const judged = TARGETS.flatMap(({ task, contestant, size, most }) => {
    const cell = rows
      .find((row) => row.task === task && row.contestant === contestant)
      ?.cells.find((each) => each.size === size)
    const is = cell && (cell.whole ? `${inSeconds(cell.seconds)} s` : 'not all')
    const met = cell?.whole === true && cell.seconds <= most
    return is === undefined ? [] : [mark(met, `${task}, ${contestant}, ${size}: ${is}, at most ${most} s`)]
  })
  const linear = rows
    .filter(({ contestant }) => contestant.startsWith(OURS.split(',')[0] ?? ''))
    .flatMap(({ task, contestant, cells }) => {
      const [some, many] = [250, 1000].map((size) => cells.find((each) => each.size === size && each.whole))
      if (!some || !many) return []
      const factor = many.seconds / some.seconds
      const text = `${task}, ${contestant}, 1000: ${factor.toFixed(1)} × the time of 250, linear is at most 4 ×`
      return [mark(factor <= 4 * LINEAR, text)]
    })
  return [...judged, ...linear]
}

function mark(met: boolean, text: string): string {
  return met ? chalk.green(`✓ ${text}`) : chalk.red(`✗ ${text}`)
}

/** A line for each burst with a failure. */
export function mishaps(measured: readonly BulkMeasured[]): string[] {
  return measured.flatMap(({ task, contestant, size, outcomes }) =>
    outcomes.flatMap((outcome) => {
      const { ok, failed, timedOut, unanswered, announced } = outcome
      const parts = [
        ok < size ? `${ok} of ${size} succeeded` : '',
        failed > 0 ? `${failed} failed` : '',
        timedOut > 0 ? `${timedOut} timed out` : '',
        unanswered > 0 ? `${unanswered} got no answer in time` : '',
        announced !== undefined && announced < size ? `${announced} of ${size} were announced` : '',
      ].filter(Boolean)
      return parts.length > 0 ? [chalk.red(`✗ ${task}, ${contestant}, ${size}: ${parts.join(', ')}`)] : []
    }),
  )
}
