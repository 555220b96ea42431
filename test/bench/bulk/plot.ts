/**
 * The figures as an SVG: a panel for each task, addresses against seconds, both logarithmic, a line for each
 * contestant.
 */
import { BATCH, KERNEL_DAD, KEEPALIVED, OURS, OURS_FAST, OURS_OFF, SIZES, STOCK } from './contestants.ts'
import { inSeconds, type BulkCell, type BulkRow } from './table.ts'

/** Class and dashes. The colours suit readers with colour blindness (Okabe and Ito), on light and on dark. */
const LOOK: Record<string, { kind: string; dash?: string }> = {
  [OURS]: { kind: 'ours' },
  [OURS_FAST]: { kind: 'fast', dash: '7 3' },
  [OURS_OFF]: { kind: 'off', dash: '2 3' },
  [STOCK]: { kind: 'stock' },
  [KEEPALIVED]: { kind: 'keepalived' },
  [BATCH]: { kind: 'batch', dash: '2 3' },
  [KERNEL_DAD]: { kind: 'dad', dash: '2 3' },
}

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f } .small { font-size: 11px; fill: #57606a }
  .title { font-weight: 600 } .paper { fill: #ffffff } .grid { stroke: #d8dee4 } .series { fill: none; stroke-width: 2 }
  .ours { stroke: #0072b2; fill: #0072b2 } .fast { stroke: #009e73; fill: #009e73 }
  .off { stroke: #8250df; fill: #8250df }
  .stock { stroke: #d55e00; fill: #d55e00 } .keepalived { stroke: #b3568f; fill: #b3568f }
  .batch { stroke: #6e7781; fill: #6e7781 } .dad { stroke: #a07400; fill: #a07400 }
  .broken { fill: none; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 } .paper { fill: #0d1117 } .grid { stroke: #30363d }
    .ours { stroke: #56b4e9; fill: #56b4e9 } .fast { stroke: #2ecc9b; fill: #2ecc9b }
    .off { stroke: #bc8cff; fill: #bc8cff }
    .stock { stroke: #ff8c42; fill: #ff8c42 } .keepalived { stroke: #e39bc6; fill: #e39bc6 }
    .batch { stroke: #9aa4ae; fill: #9aa4ae } .dad { stroke: #e0b84c; fill: #e0b84c }
  }
  .series, .broken { fill: none }`

const PANEL = { width: 400, height: 300, left: 52, right: 16, top: 34, bottom: 40 }
const COLUMNS = 2
const LEGEND = 60
const [LEAST, MOST] = [0.001, 100]

const plural = (size: number) => size.toLocaleString('en-US')

export function plot(rows: readonly BulkRow[]): string {
  const tasks = [...new Set(rows.map(({ task }) => task))]
  const width = PANEL.width * COLUMNS
  const height = PANEL.height * Math.ceil(tasks.length / COLUMNS) + LEGEND
  const panels = tasks.map((task, i) => {
    const at = `${(i % COLUMNS) * PANEL.width} ${Math.floor(i / COLUMNS) * PANEL.height + LEGEND}`
    return `<g transform="translate(${at})">${panel(task, rows)}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Seconds until so many addresses, asked for at once, are moved or announced</title>
<style>${STYLE}
</style>
<rect class="paper" width="${width}" height="${height}"/>
${legend(rows, width)}
${panels.join('\n')}
</svg>
`
}

function legend(rows: readonly BulkRow[], width: number): string {
  const names = Object.keys(LOOK).filter((name) => rows.some(({ contestant }) => contestant === name))
  const step = (width - 20) / Math.ceil(names.length / 2)
  const entries = names.map((name, i) => {
    const [left, line] = [20 + Math.floor(i / 2) * step, 18 + (i % 2) * 20]
    return `<path class="series ${look(name)}" d="M${left} ${line - 4}h28"${dash(name)}/><text x="${left + 36}" y="${line}">${name}</text>`
  })
  const hollow = `<text class="small" text-anchor="end" x="${width - 16}" y="${LEGEND + 16}">a ring: not all addresses succeeded</text>`
  return [...entries, hollow].join('')
}

function panel(task: string, rows: readonly BulkRow[]): string {
  const lines = rows.filter((row) => row.task === task).map(series)
  return [`<text class="title" x="${PANEL.left}" y="22">${task}</text>`, ...axes(), ...lines].join('\n')
}

function axes(): string[] {
  const [right, bottom] = [PANEL.width - PANEL.right, PANEL.height - PANEL.bottom]
  const seconds = [0.001, 0.01, 0.1, 1, 10, 100].map((value) => {
    const at = y(value)
    return `<path class="grid" d="M${PANEL.left} ${at}H${right}"/><text class="small" text-anchor="end" x="${PANEL.left - 6}" y="${at + 4}">${value} s</text>`
  })
  const numbers = SIZES.map((size) => {
    const at = x(size)
    return `<path class="grid" d="M${at} ${PANEL.top}V${bottom}"/><text class="small" text-anchor="middle" x="${at}" y="${bottom + 16}">${plural(size)}</text>`
  })
  const label = `<text class="small" text-anchor="middle" x="${(PANEL.left + right) / 2}" y="${bottom + 32}">addresses</text>`
  return [...seconds, ...numbers, label]
}

/** A hollow point: some of the addresses failed. */
function series({ contestant, cells }: BulkRow): string {
  const known = cells.filter(({ seconds }) => seconds >= 0)
  const points = known.map(({ size, seconds }) => `${x(size)} ${y(seconds)}`)
  const path = `<path class="series ${look(contestant)}" d="M${points.join('L')}"${dash(contestant)}/>`
  const marks = known.map((cell) => point(contestant, cell))
  return known.length === 0 ? '' : [path, ...marks].join('')
}

function point(contestant: string, { size, seconds, whole }: BulkCell): string {
  const told = `<title>${contestant}, ${plural(size)}: ${inSeconds(seconds)} s${whole ? '' : ', not all succeeded'}</title>`
  const kind = look(contestant)
  return `<circle class="${kind}${whole ? '' : ' broken'}" cx="${x(size)}" cy="${y(seconds)}" r="${whole ? 3 : 5}">${told}</circle>`
}

function look(contestant: string): string {
  return LOOK[contestant]?.kind ?? 'batch'
}

function dash(contestant: string): string {
  const dashes = LOOK[contestant]?.dash
  return dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`
}

function x(size: number): number {
  const part = Math.log10(size) / Math.log10(SIZES.at(-1) ?? 1000)
  return round(PANEL.left + part * (PANEL.width - PANEL.left - PANEL.right))
}

function y(seconds: number): number {
  const within = Math.min(MOST, Math.max(LEAST, seconds))
  const part = Math.log10(within / LEAST) / Math.log10(MOST / LEAST)
  return round(PANEL.height - PANEL.bottom - part * (PANEL.height - PANEL.top - PANEL.bottom))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
