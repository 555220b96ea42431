import { join } from 'node:path'
import { keepdirOf, vardirOf } from '../../node/ctdb-path.ts'
import type { Facts } from '../../node/facts.ts'
import type { HandlerReport, Report } from '../report.ts'

/** Who ran an event: our event daemon, one of our scripts (CTDB's own event daemon runs those), or an admin. */
export type Via = 'daemon' | 'script' | 'hand'

/** A run in the history. */
export interface KeptRun extends Report {
  via: Via
  /** So many runs that ended alike, of which this is the last; absent for a single run. */
  count?: number
  /** The ISO time of the first of them. */
  first?: string
  /** The pid of a script that had not ended when this was written. */
  unended?: number
}

/** Lines of each handler's output that are kept, and characters of each. */
const MOST_LINES = 40
const MOST_CHARACTERS = 2000

/**
 * The file of this node's newest runs: one run a line, as JSON, the newest last. The file lies beside CTDB's state for scripts,
 * because that folder is emptied at each start of the daemon.
 */
export function historyFile(env: Facts['env']): string {
  return join(keepdirOf(vardirOf(env)), 'history.jsonl')
}

/** The files of a history, in the order in which a run moves through them. The second is there while a run moves. */
export function filesOf(file: string): { newest: string; moving: string; older: string } {
  const name = file.replace(/\.jsonl$/, '')
  return { newest: file, moving: `${name}.moving.jsonl`, older: `${name}.older.jsonl` }
}

/** A run as it is kept: long outputs are cut. */
export function asRun(report: Report, via: Via): KeptRun {
  return { ...report, handlers: report.handlers.map(shortened), via }
}

function shortened(handler: HandlerReport): HandlerReport {
  const output = handler.output.slice(-MOST_LINES).map(cut)
  return handler.why === undefined ? { ...handler, output } : { ...handler, output, why: cut(handler.why) }
}

function cut(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

/** Runs as lines of a file. */
export function asLines(runs: readonly KeptRun[]): string {
  return runs.map((run) => `${JSON.stringify(run)}\n`).join('')
}

/** The runs in such a text. A line that a full disk has cut short is skipped; a run of an older version was one by hand. */
export function parseRuns(text: string): KeptRun[] {
  return text.split('\n').flatMap((line) => {
    try {
      const run: unknown = JSON.parse(line)
      return isRun(run) ? { ...run, via: run.via ?? 'hand' } : []
    } catch {
      return []
    }
  })
}

function isRun(value: unknown): value is Report & { via?: Via } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'event' in value &&
    'handlers' in value &&
    Array.isArray(value.handlers)
  )
}
