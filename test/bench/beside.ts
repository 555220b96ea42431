/** This build beside another: the medians of a run, their ratios, and which results of ours are worse. */
import chalk from 'chalk'
import { OTHER, OURS, otherOf } from './builds.ts'
import type { BulkRow } from './bulk/table.ts'
import { FLOOD, type Memory, type Upkeep } from './resident/daemons.ts'
import { median, type Row } from './table.ts'

/** The measurements of both builds. Of `a second` more is better, of all other units less is better. */
export interface Figure {
  part: string
  what: string
  unit: 'ms' | 's' | 'MB' | 'a second'
  ours: number
  other: number
}

/**
 * From this ratio on, our result is worse. A build beside itself differed by up to 0.6 % in memory, on a busy
 * machine.
 */
const SLOWER = 1.05
const LARGER = 1.01
/** Fewer addresses at once are the subject of the parts that measure single events. */
const LEAST_ADDRESSES = 60

/** Results by task. Where duplicate detection takes a random time, only the time after its end counts. */
export function besideEvents(part: string, rows: readonly Row[]): Figure[] {
  return pairs(rows, 'task').map(([ours, other]) =>
    ours.late === undefined || other.late === undefined
      ? { part, what: ours.task, unit: 'ms', ours: ours.wall, other: other.wall }
      : { part, what: `${ours.task}, late`, unit: 'ms', ours: ours.late, other: other.late },
  )
}

export function besideUpkeep(part: string, upkeep: readonly Upkeep[], memory: readonly Memory[]): Figure[] {
  const figure = (what: string, unit: Figure['unit'], ours: readonly number[], other: readonly number[]) => ({
    part,
    what,
    unit,
    ours: median(ours),
    other: median(other),
  })
  return [
    ...pairs(upkeep).map(([ours, other]) =>
      figure('setup events', 'a second', ours.perSecond, other.perSecond),
    ),
    ...pairs(memory).flatMap(([ours, other]) => [
      figure('memory, started', 'MB', ours.started, other.started),
      figure(`memory, ${FLOOD} events later`, 'MB', ours.flooded, other.flooded),
    ]),
  ]
}

/** A burst that did not succeed for all its addresses has no end. */
export function besideBulk(part: string, rows: readonly BulkRow[]): Figure[] {
  return pairs(rows, 'task').flatMap(([ours, other]) =>
    ours.cells
      .filter(({ size }) => size >= LEAST_ADDRESSES)
      .flatMap((cell): Figure[] => {
        const beside = other.cells.find(({ size }) => size === cell.size)
        const [own, others] = [cell, beside].map((each) => (each?.whole ? each.seconds : Infinity))
        const what = `${ours.task}, ${ours.contestant.replace(`${OURS}, `, '')}, ${cell.size}`
        return beside ? [{ part, what, unit: 's', ours: own ?? NaN, other: others ?? NaN }] : []
      }),
  )
}

/** Each result of ours with the other build's result of the same name and, if present, of the same task. */
function pairs<T extends { contestant: string }>(all: readonly T[], key?: keyof T): [ours: T, other: T][] {
  return all
    .filter(({ contestant }) => contestant.startsWith(OURS))
    .flatMap((ours): [T, T][] => {
      const other = all.find(
        (each) =>
          each.contestant === otherOf(ours.contestant) && (key === undefined || each[key] === ours[key]),
      )
      return other ? [[ours, other]] : []
    })
}

/** The time or size of our build as a multiple of the other build's. */
export function ratio({ unit, ours, other }: Figure): number {
  return unit === 'a second' ? other / ours : ours / other
}

/** The objection to our result, if any. */
export function complaint(figure: Figure): string {
  const by = `by ${((ratio(figure) - 1) * 100).toFixed(1)} %`
  if (figure.ours === Infinity && figure.other !== Infinity) return 'not all succeeded'
  if (figure.unit === 'MB') return ratio(figure) > LARGER ? `larger ${by}` : ''
  return ratio(figure) > SLOWER ? `slower ${by}` : ''
}

const WIDTHS = [10, 34, 10, 10, 10, 11, 0]

export function besideTable(figures: readonly Figure[]): string {
  let last = ''
  const lines = figures.map((figure) => {
    const { part, what, unit, ours, other } = figure
    const first = part === last ? '' : part
    last = part
    const said = complaint(figure)
    const mark = said === '' ? chalk.green('✓') : chalk.red(`✗ ${said}`)
    return line([first, what, number(ours), number(other), unit, quotient(ours / other), mark])
  })
  const worse = figures.filter((figure) => complaint(figure) !== '').length
  const end = `${worse} of ${figures.length} are worse: slower by more than 5 %, or memory larger by more than 1 %`
  return [chalk.bold(line(['', '', OURS, OTHER, '', `${OURS}/${OTHER}`, ''])), ...lines, end].join('\n')
}

function number(value: number): string {
  return value === Infinity ? '✗' : value.toFixed(value < 1 ? 3 : value < 100 ? 2 : 1)
}

function quotient(value: number): string {
  return value > 0 && value < Infinity ? value.toFixed(3) : '–'
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const width = WIDTHS[i] ?? 0
    return i < 2 ? cell.padEnd(width) : i === 4 || i === 6 ? ` ${cell}`.padEnd(width) : cell.padStart(width)
  })
  return padded.join('').trimEnd()
}
