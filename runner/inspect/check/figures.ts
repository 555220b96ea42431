/** The figures that are watched, each with the range in which it is well. Pure. */
import type { AddressRow } from '../addresses.ts'
import { isMisplaced } from '../addresses.ts'
import type { BelievedNode, Flag } from '../../net/ctdb/daemon-view.ts'
import { Usage } from '../../base/refusal.ts'
import { parseRange, type Range } from './range.ts'
import type { HandlerEnd } from './handlers.ts'

/** One look at the cluster. A part that could not be looked at is a sentence that says why. */
export interface Sight {
  nodes: BelievedNode[] | string
  addresses: readonly AddressRow[] | string
  handlers: HandlerEnd[] | string
  /** Scripts that have run for longer than any event may. */
  hung: string[] | string
}

export interface Figure {
  name: FigureName
  value: number
  /** The counted things by name. */
  names: string[]
}

/** Each figure in words for many, then its default limits for a warning and for critical. Seconds for `handlers_slowest`. */
const FIGURES = {
  nodes: ['nodes of the cluster'],
  nodes_disconnected: ['disconnected nodes', undefined, '0'],
  nodes_unknown: ['nodes in an unknown state', undefined, '0'],
  nodes_banned: ['banned nodes', undefined, '0'],
  nodes_unhealthy: ['unhealthy nodes', undefined, '0'],
  // an admin has done these two on purpose
  nodes_stopped: ['stopped nodes', '0'],
  nodes_disabled: ['disabled nodes', '0'],
  nodes_partially_online: ['nodes with an interface that is down', '0'],
  addresses: ['public addresses'],
  addresses_unassigned: ['public addresses that no node hosts', undefined, '0'],
  addresses_misplaced: ['public addresses that are not where CTDB believes, on this node', undefined, '0'],
  addresses_parked: ['public addresses that another host has', '0'],
  addresses_on_port: ['public addresses on a port of a bridge or bond, on this node', undefined, '0'],
  routes_of_addresses: ['routes that go when a public address leaves this node', '0'],
  handlers: ['event scripts at the last monitor event of this node'],
  handlers_failing: ['event scripts that failed or timed out', undefined, '0'],
  // an event has 30 s in all: a script that needs a third of them will not do for long
  handlers_slowest: ['time of the slowest event script', '10', '25'],
  scripts_hung: ['event scripts that run for longer than an event may', undefined, '0'],
} as const satisfies Record<string, readonly [string, (string | undefined)?, string?]>

export type FigureName = keyof typeof FIGURES
export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[]

/** In words for so many: of one, nouns and verbs are in the singular. */
export function aboutFigure(name: FigureName, value = 0): string {
  const words: string = FIGURES[name][0]
  return value === 1 ? SINGULAR.reduce((text, [many, one]) => text.replace(many, one), words) : words
}

const SINGULAR = [
  [/\bnodes\b/, 'node'],
  [/^public addresses/, 'public address'],
  [/^event scripts/, 'event script'],
  [/^routes/, 'route'],
  [/\bthat are\b/, 'that is'],
  [/\bthat run\b/, 'that runs'],
  [/\bthat go\b/, 'that goes'],
] as const

export function unitOf(name: FigureName): 's' | '' {
  return name === 'handlers_slowest' ? 's' : ''
}

/** `-w` or `-c`: `FIGURE=RANGE`, several with commas. Throws Usage. */
export function parseThresholds(option: string, texts: readonly string[]): Map<FigureName, Range> {
  const given = new Map<FigureName, Range>()
  for (const text of texts.flatMap((each) => each.split(','))) {
    const [name = '', range = ''] = text.split('=')
    const known = FIGURE_NAMES.find((each) => each === name)
    if (!known)
      throw new Usage(
        `${option} ${text}: no such figure: expected FIGURE=RANGE, of ${FIGURE_NAMES.join(', ')}`,
      )
    const parsed = parseRange(range)
    if (!parsed)
      throw new Usage(`${option} ${text}: "${range}" is no range: expected one such as 5, 10:, ~:10 or @1:5`)
    given.set(known, parsed)
  }
  return given
}

/** The range that holds for a figure: the one given, or the default. */
export function thresholdOf(
  name: FigureName,
  level: 'warning' | 'critical',
  given: ReadonlyMap<FigureName, Range>,
): Range | undefined {
  const row: readonly (string | undefined)[] = FIGURES[name]
  const text = row[level === 'warning' ? 1 : 2]
  return given.get(name) ?? (text === undefined ? undefined : parseRange(text))
}

/** The figures of all parts that could be looked at. */
export function figuresOf({ nodes, addresses, handlers, hung }: Sight): Figure[] {
  return [
    ...(typeof nodes === 'string' ? [] : ofNodes(nodes)),
    ...(typeof addresses === 'string' ? [] : ofAddresses(addresses)),
    ...(typeof handlers === 'string' ? [] : ofHandlers(handlers)),
    ...(typeof hung === 'string' ? [] : [counted('scripts_hung', hung)]),
  ]
}

const counted = (name: FigureName, names: string[]): Figure => ({ name, value: names.length, names })

/** A disconnected or unknown node counts only as that: its other flags are old. */
function ofNodes(nodes: readonly BelievedNode[]): Figure[] {
  const lost = (flags: readonly Flag[]) => flags.find((flag) => flag === 'Disconnected' || flag === 'Unknown')
  const having = (flag: Flag) =>
    nodes
      .filter(({ flags }) => (lost(flags) ?? flag) === flag && flags.includes(flag))
      .map(({ node }) => String(node))
  return [
    { name: 'nodes', value: nodes.length, names: [] },
    counted('nodes_disconnected', having('Disconnected')),
    counted('nodes_unknown', having('Unknown')),
    counted('nodes_banned', having('Banned')),
    counted('nodes_unhealthy', having('Unhealthy')),
    counted('nodes_stopped', having('Stopped')),
    counted('nodes_disabled', having('Disabled')),
    counted('nodes_partially_online', having('PartiallyOnline')),
  ]
}

function ofAddresses(rows: readonly AddressRow[]): Figure[] {
  const known = rows.filter(({ believed }) => believed)
  const named = (wanted: (row: AddressRow) => boolean) => known.filter(wanted).map(({ address }) => address)
  // the kernel may have addresses that the daemon has not read yet
  const misplaced = rows.filter(({ state }) => isMisplaced(state))
  return [
    { name: 'addresses', value: known.length, names: [] },
    counted(
      'addresses_unassigned',
      named(({ believed }) => (believed?.node ?? 0) < 0),
    ),
    counted(
      'addresses_misplaced',
      misplaced.map(({ address, state }) => `${address} (${state})`),
    ),
    counted(
      'addresses_parked',
      rows.filter(({ parked }) => parked).map(({ address }) => address),
    ),
    counted(
      'addresses_on_port',
      rows.flatMap(({ address, port }) => (port === undefined ? [] : [`${address} (${port})`])),
    ),
    counted(
      'routes_of_addresses',
      rows.flatMap(({ address, routes = [] }) => routes.map((route) => `${route} src ${address}`)),
    ),
  ]
}

function ofHandlers(ends: readonly HandlerEnd[]): Figure[] {
  const ran = ends.filter(({ outcome }) => outcome !== 'disabled')
  const failing = ran.filter(({ outcome }) => outcome !== 'ok')
  const slowest = ran.toSorted((a, b) => b.seconds - a.seconds)[0]
  return [
    { name: 'handlers', value: ran.length, names: [] },
    counted(
      'handlers_failing',
      failing.map(({ name, outcome }) => `${name} (${outcome})`),
    ),
    { name: 'handlers_slowest', value: slowest?.seconds ?? 0, names: slowest ? [slowest.name] : [] },
  ]
}
