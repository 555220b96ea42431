/** Medians, ratios and targets as a table of 80 columns. */
import chalk from 'chalk'
import { OURS, UNIT } from './contestants.ts'
import type { Measured } from './inside.ts'
import { TASKS, type Target } from './tasks.ts'

export interface Row {
  task: string
  contestant: string
  /** Medians, in milliseconds. */
  wall: number
  late?: number
  /** Wall time as a multiple of a bare node's. */
  ratio: number
  programs?: number
  runs: number
  /** Each target with what was measured; only ours has any. */
  targets: { text: string; met: boolean }[]
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = 0, high = 0] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]]
  return (low + high) / 2
}

export function rows(all: readonly Measured[]): Row[] {
  return all.map((each) => {
    const unit = all.find(({ task, contestant }) => task === each.task && contestant === UNIT)
    const wall = median(each.wall)
    const row: Row = {
      task: each.task,
      contestant: each.contestant,
      wall,
      ratio: wall / median(unit?.wall ?? []),
      late: each.late.length > 0 ? median(each.late) : undefined,
      programs: each.programs,
      runs: each.wall.length,
      targets: [],
    }
    const target = TASKS.find(({ name }) => name === each.task)?.target
    if (each.contestant.startsWith(OURS) && target) row.targets = judged(row, target)
    return row
  })
}

function judged(row: Row, { ratio, programs, late }: Target): Row['targets'] {
  const judge = (most: number | undefined, is: number | undefined, text: string) =>
    most === undefined || is === undefined ? [] : [{ text: `≤ ${most}${text}`, met: is <= most }]
  return [
    ...judge(ratio, row.ratio, ' × node'),
    ...judge(programs, row.programs, ' programs'),
    ...judge(late, row.late, ' ms late'),
  ]
}

const HEAD = ['event', 'who', 'ms', '× node', 'progs', 'late', 'target']
const WIDTHS = [15, 18, 8, 7, 6, 8, 0]

export function table(all: readonly Row[]): string {
  let last = ''
  const lines = all.map((row) => {
    const task = row.task === last ? '' : row.task
    last = row.task
    const marks = row.targets.map(({ text, met }) =>
      met ? chalk.green(`${text} ✓`) : chalk.red(`${text} ✗`),
    )
    const number = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? '–'
    return line([
      task,
      row.contestant,
      number(row.wall, 1),
      number(row.ratio, 2),
      number(row.programs, 0),
      row.late === undefined ? '' : number(row.late, 1),
      marks.join(', '),
    ])
  })
  return [chalk.bold(line(HEAD)), ...lines].join('\n')
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const width = WIDTHS[i] ?? 0
    return i < 2 ? cell.padEnd(width) : i === 6 ? ` ${cell}` : cell.padStart(width)
  })
  return padded.join('').trimEnd()
}
