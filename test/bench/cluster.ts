/**
 * A real cluster of three nodes with 60 addresses, of which a node is disabled. Needs root, and minutes: CTDB's own
 * scripts take a minute.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import chalk from 'chalk'
import {
  clusterIn,
  failback,
  failover,
  hasShare,
  options,
  OUR_DAEMON,
  troubleIn,
  whyNoCluster,
  type Cluster,
  type Trouble,
} from '../lab/ctdb/nodes.ts'
import type { Options, Part } from './part.ts'
import { median } from './table.ts'

const NODES = 3
const ADDRESSES = 60
const STOCK = "CTDB's daemon"

interface Way {
  who: string
  family: '4' | '6'
  more: Record<string, string>
  options: string
  /** The seconds that issue 5 allows. */
  most?: number
}

const WAYS: readonly Way[] = [
  { who: 'ours, resident', family: '6', more: OUR_DAEMON, options: '', most: 3 },
  { who: 'ours, DAD fast', family: '6', more: OUR_DAEMON, options: 'EVENTSCRIPT_DAD=fast\n', most: 1.5 },
  { who: STOCK, family: '6', more: {}, options: '' },
  { who: 'ours, resident', family: '4', more: OUR_DAEMON, options: '', most: 1.5 },
  { who: STOCK, family: '4', more: {}, options: '' },
]

/** The result of a configuration. `start` and `moved` are in seconds. A start that did not finish has no time. */
export interface Move extends Trouble {
  family: string
  who: string
  start?: number
  moved: number[]
  /** The part of that time until the first address has left: CTDB decides. */
  began: number[]
  hosted?: number
  most?: number
}

export async function measureCluster({ runs, also }: Options): Promise<Part> {
  const why = whyNoCluster()
  if (why) return { lines: [], missing: [`the cluster is left out: it ${why}`], notes: '', figures: {} }
  const moves: Move[] = []
  for (const way of WAYS) {
    process.stderr.write(`cluster, IPv${way.family}, ${way.who} …\n`)
    // The stock scripts take a minute or more, so they run once.
    moves.push(await measure(way, way.who === STOCK ? 1 : Math.ceil(runs / 3)))
  }
  const missing = also === undefined ? [] : ['the cluster is measured with this build only']
  return { lines: [table(moves)], missing, notes: NOTES, figures: { cluster: moves } }
}

async function measure(way: Way, times: number): Promise<Move> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-cluster-'))
  const cluster = clusterIn('esbe', dir, way.more)
  const { family, who, most } = way
  const move: Move = { family, who, most, moved: [], began: [], timeouts: 0, bans: 0 }
  try {
    move.start = await start(cluster, way)
    if (move.start !== undefined && (await hasShare(cluster, '2', ADDRESSES / NODES))) {
      options(dir, NODES, way.options)
      for (let i = 0; i < times; i += 1) {
        const { seconds, began, hosted } = await failover(cluster, '2')
        move.moved.push(seconds)
        move.began.push(began)
        move.hosted = Math.min(hosted, move.hosted ?? hosted)
        const isBack = i + 1 === times || (await failback(cluster, '2', ADDRESSES / NODES))
        if (!isBack) break
      }
    }
    return { ...move, ...troubleIn(dir, NODES) }
  } finally {
    await cluster('down')
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Seconds until all nodes are healthy and all addresses up. Undefined when that takes more than three minutes. */
async function start(cluster: Cluster, { family }: Way): Promise<number | undefined> {
  try {
    const said = await cluster('up', `${NODES}`, `${ADDRESSES}`, family)
    return Number(/up after (\d+) s/.exec(said)?.[1])
  } catch (error) {
    if (error instanceof Error && error.message.includes('not healthy after')) return undefined
    throw error
  }
}

const NOTES = `start: seconds until all nodes, started at once, are healthy and all ${ADDRESSES} addresses are up, in whole seconds.
moved: from "ctdb disable" of one node until the last address is up elsewhere and not tentative, by the times of
  "ip monitor"; medians, CTDB's daemon once; a third of the addresses moves. of it CTDB: until the first address has
  left the disabled node: CTDB's recovery daemon, which looks once a second, asks for nothing before that.
hosted: addresses up at the end. timeouts, bans: lines of all nodes' logs.`

function table(moves: readonly Move[]): string {
  const head = line([
    'cluster',
    'who',
    'start',
    'moved',
    'of it CTDB',
    'hosted',
    'timeouts',
    'bans',
    'target',
  ])
  let last = ''
  const lines = moves.map((move) => {
    const family = move.family === last ? '' : `IPv${move.family}`
    last = move.family
    const seconds = (all: readonly number[]) => (all.length === 0 ? '–' : median(all).toFixed(2))
    const numbers = [
      move.start ?? '✗',
      seconds(move.moved),
      seconds(move.began),
      move.hosted ?? '–',
      move.timeouts,
      move.bans,
    ].map(String)
    return line([family, move.who, ...numbers, target(move)])
  })
  return [chalk.bold(head), ...lines].join('\n')
}

function target({ most, moved, timeouts, bans, hosted }: Move): string {
  if (most === undefined) return ''
  const inTime = moved.length > 0 && median(moved) <= most
  const quiet = timeouts + bans === 0 && hosted === ADDRESSES
  const marks = [mark(inTime, `≤ ${most} s`), mark(quiet, 'all, no timeout, no ban')]
  return marks.join(', ')
}

function mark(met: boolean, text: string): string {
  return met ? chalk.green(`${text} ✓`) : chalk.red(`${text} ✗`)
}

const WIDTHS = [9, 16, 7, 8, 12, 8, 10, 6, 0]

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const width = WIDTHS[i] ?? 0
    return i < 2 ? cell.padEnd(width) : i === WIDTHS.length - 1 ? ` ${cell}` : cell.padStart(width)
  })
  return padded.join('').trimEnd()
}
