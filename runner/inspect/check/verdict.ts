/** From figures to one state and one line, by the guidelines of Nagios plugins. Pure. */
import { oneLine } from '../../base/blanks.ts'
import { firstNames } from '../../format/names.ts'
import type { Column } from '../../format/table.ts'
import {
  aboutFigure,
  figuresOf,
  thresholdOf,
  unitOf,
  type Figure,
  type FigureName,
  type Sight,
} from './figures.ts'
import type { Range } from './range.ts'

export type State = 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN'

export const EXIT: Record<State, number> = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 }

export interface Judged extends Figure {
  state: State
  warning: Range | undefined
  critical: Range | undefined
}

export interface Verdict {
  state: State
  /** Without the performance data. */
  text: string
  figures: Judged[]
  /** Why parts could not be looked at. */
  reasons: string[]
}

export const FIGURE_COLUMNS: readonly Column<Judged>[] = [
  { name: 'Figure', field: 'figure', value: ({ name }) => name },
  { name: 'Value', field: 'value', value: ({ value }) => value },
  { name: 'Unit', field: 'unit', value: ({ name }) => unitOf(name) },
  { name: 'Warning', field: 'warning', value: ({ warning }) => warning?.text },
  { name: 'Critical', field: 'critical', value: ({ critical }) => critical?.text },
  { name: 'State', field: 'state', value: ({ state }) => state },
  { name: 'Names', field: 'names', value: ({ names }) => names },
]

export interface Thresholds {
  warning: ReadonlyMap<FigureName, Range>
  critical: ReadonlyMap<FigureName, Range>
}

/** A critical figure is CRITICAL even when other parts could not be looked at; otherwise the state is UNKNOWN then. */
export function judge(sight: Sight, { warning, critical }: Thresholds): Verdict {
  const figures = figuresOf(sight).map((figure) => {
    const ranges = {
      warning: thresholdOf(figure.name, 'warning', warning),
      critical: thresholdOf(figure.name, 'critical', critical),
    }
    const state = ranges.critical?.alerts(figure.value)
      ? ('CRITICAL' as const)
      : ranges.warning?.alerts(figure.value)
        ? ('WARNING' as const)
        : ('OK' as const)
    return { ...figure, ...ranges, state }
  })
  const reasons = [
    ...new Set(Object.values(sight).filter((each): each is string => typeof each === 'string')),
  ]
  // the tool answers, and says that no node is left to serve
  const nobody = reasons.some((reason) => reason.includes('All nodes are banned'))
  const has = (state: State) => figures.some((figure) => figure.state === state)
  const state =
    nobody || has('CRITICAL')
      ? 'CRITICAL'
      : reasons.length > 0
        ? 'UNKNOWN'
        : has('WARNING')
          ? 'WARNING'
          : 'OK'
  return { state, text: sentence(figures, reasons), figures, reasons }
}

function sentence(figures: readonly Judged[], reasons: readonly string[]): string {
  const by = (state: State) => figures.filter((figure) => figure.state === state).map(inWords)
  const bad = [...by('CRITICAL'), ...reasons, ...by('WARNING')]
  if (bad.length > 0) return bad.join('; ')
  const value = (name: FigureName) => figures.find((figure) => figure.name === name)?.value ?? 0
  const count = (name: FigureName, one: string, many: string) =>
    `${value(name)} ${value(name) === 1 ? one : many}`
  const seen = `${count('nodes', 'node', 'nodes')}, ${count('addresses', 'address', 'addresses')}`
  if (value('handlers') === 0) return `${seen} are well; no event script has run at monitor here yet`
  return `${seen}, ${count('handlers', 'script', 'scripts')} are well`
}

function inWords({ name, value, names }: Judged): string {
  // a node's name is its number, which would read as a count
  const noun = !name.startsWith('nodes') ? '' : names.length === 1 ? 'node ' : 'nodes '
  const which = names.length > 0 ? ` (${noun}${firstNames(names)})` : ''
  return `${value}${unitOf(name)} ${aboutFigure(name, value)}${which}`
}

/** The one line of a plugin: `CTDB OK - text | performance data`. A `|` or line end in the text would cut it. */
export function statusLine({ state, text, figures }: Verdict): string {
  const plain = oneLine(text).replaceAll('|', '!')
  const data = figures.map(({ name, value, warning, critical }) =>
    [`${name}=${value}${unitOf(name)}`, warning?.text ?? '', critical?.text ?? '', '0'].join(';'),
  )
  return `CTDB ${state} - ${plain}${data.length > 0 ? ` | ${data.join(' ')}` : ''}`
}
