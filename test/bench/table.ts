/** Medians, ratios and targets as a table of 80 columns. */
import chalk from 'chalk'
import { OURS } from './builds.ts'
import { UNIT } from './contestants.ts'
import type { Measured } from './measure.ts'
import { STOCK, type Upkeep } from './resident/daemons.ts'
import { RESIDENT_TASKS, TASKS, type Target, type Task } from './tasks.ts'

/** The unit of a table's times. */
export interface Scale {
  /** The contestant that is the unit. */
  unit: string
  word: string
  tasks: readonly Task[]
}

export const ALONE: Scale = { unit: UNIT, word: 'node', tasks: TASKS }
export const RESIDENT: Scale = { unit: STOCK, word: 'stock', tasks: RESIDENT_TASKS }

export interface Row {
  task: string
  contestant: string
  /** Medians, in milliseconds. */
  wall: number
  late?: number
  /** Wall time as a multiple of the unit's. Undefined when the unit is not installed. */
  ratio?: number
  programs?: number
  runs: number
  /** Each target with the measured value. Only ours has targets. */
  targets: { text: string; met: boolean }[]
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = 0, high = 0] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]]
  return (low + high) / 2
}

export function rows(all: readonly Measured[], scale: Scale): Row[] {
  return all.map((each) => {
    const unit = all.find(({ task, contestant }) => task === each.task && contestant === scale.unit)
    const wall = median(each.wall)
    const row: Row = {
      task: each.task,
      contestant: each.contestant,
      wall,
      ratio: unit && wall / median(unit.wall),
      late: each.late.length > 0 ? median(each.late) : undefined,
      programs: each.programs,
      runs: each.wall.length,
      targets: [],
    }
    const target = scale.tasks.find(({ name }) => name === each.task)?.target
    if (each.contestant.startsWith(OURS) && target) row.targets = judged(row, target, scale)
    return row
  })
}

function judge(most: number | undefined, is: number | undefined, text: string): Row['targets'] {
  return most === undefined || is === undefined ? [] : [{ text: `≤ ${most}${text}`, met: is <= most }]
}

function judged(row: Row, { ratio, programs, late }: Target, { word }: Scale): Row['targets'] {
  return [
    ...judge(ratio, row.ratio, ` × ${word}`),
    ...judge(programs, row.programs, ' programs'),
    ...judge(late, row.late, ' ms late'),
  ]
}

const WIDTHS = [15, 18, 8, 8, 7, 7, 0]

export function table(all: readonly Row[], { word }: Scale): string {
  let last = ''
  const lines = all.map((row) => {
    const task = row.task === last ? '' : row.task
    last = row.task
    return line([
      task,
      row.contestant,
      number(row.wall, 1),
      number(row.ratio, 2),
      number(row.programs, 0),
      row.late === undefined ? '' : number(row.late, 1),
      marks(row.targets),
    ])
  })
  const late = all.some((row) => row.late !== undefined) ? 'late' : ''
  const head = ['event', 'who', 'ms', `× ${word}`, 'progs', late, 'target']
  return [chalk.bold(line(head)), ...lines].join('\n')
}

/** Memory in MB at the start and after all events; events a second; ticks while idle. */
export function upkeepTable(all: readonly Upkeep[]): string {
  const lines = all.map(({ contestant, started, flooded, perSecond, idleTicks, long }, i) => {
    const ours = contestant.startsWith(OURS)
    const most = Math.max(started, ...flooded, ...long)
    const targets = ours ? [...judge(100, most, ' MB'), ...judge(0, idleTicks, ' ticks')] : []
    const cells = [number(started, 1), number(median(flooded), 1), number(idleTicks, 0)]
    const events = number(median(perSecond), 0)
    return line([i === 0 ? 'resident' : '', contestant, ...cells, events, marks(targets)])
  })
  const long = all.flatMap((each) => each.long.map((mb, i) => `${(i + 1) * 20},000: ${mb.toFixed(1)} MB`))
  if (long.length > 0) lines.push(`after setup events more: ${long.join(', ')}`)
  return [chalk.bold(line(['', 'who', 'MB', 'later', 'ticks', 'ev/s', 'target'])), ...lines].join('\n')
}

function number(value: number | undefined, digits: number): string {
  return value?.toFixed(digits) ?? '–'
}

function marks(targets: Row['targets']): string {
  return targets.map(({ text, met }) => (met ? chalk.green(`${text} ✓`) : chalk.red(`${text} ✗`))).join(', ')
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const width = WIDTHS[i] ?? 0
    return i < 2 ? cell.padEnd(width) : i === 6 ? ` ${cell}` : cell.padStart(width)
  })
  return padded.join('').trimEnd()
}
