import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { keepdirOf, vardirOf, type Facts } from '../node/settings.ts'
import { parkedFile, parseParked, type Parked } from '../net/dad/parked.ts'
import type { Report } from './report.ts'
import { doorTo } from '../machine/machine.ts'
import { FileError } from '../machine/errors.ts'
import { live } from '../machine/live.ts'

/** Runs that are kept, at least; and the size at which the file is cut back to them. */
const KEEP = 200
const MOST_BYTES = 512 * 1024
/** Lines of output that are kept of each handler. */
const KEEP_LINES = 40

/**
 * Where the runs of this node are remembered: beside CTDB's state for scripts, which itself is emptied at every start
 * of the daemon. One run a line, as JSON, the newest last.
 */
export function historyFile(env: Facts['env']): string {
  return join(keepdirOf(vardirOf(env)), 'history.jsonl')
}

/**
 * Add a run to the history, under a lock, as events may run side by side. Gives back a sentence when it could not be
 * kept; a user without the right to write there keeps none, which is no trouble.
 */
export async function remember(file: string, report: Report): Promise<string | undefined> {
  const handlers = report.handlers.map((each) => ({ ...each, output: each.output.slice(-KEEP_LINES) }))
  try {
    mkdirSync(dirname(file), { recursive: true })
    await doorTo(live()).hold(`${file}.lock`, 5, () => {
      // the line in front may be one that a full disk has cut short
      const start = endsWell(file) ? '' : '\n'
      appendFileSync(file, `${start}${JSON.stringify({ ...report, handlers })}\n`)
      if (statSync(file).size > MOST_BYTES) cutBack(file)
      return Promise.resolve()
    })
    return undefined
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return ['EACCES', 'EPERM', 'EROFS'].includes(code)
      ? undefined
      : `the run is not kept in the history: ${message}`
  }
}

/** What is parked on this node, which is kept in the same folder; nothing, where that cannot be read. */
export function parkedBeside(file: string): Parked[] {
  try {
    return parseParked(readFileSync(parkedFile(dirname(file)), 'utf8'))
  } catch {
    return []
  }
}

function endsWell(file: string): boolean {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text === '' || text.endsWith('\n')
}

function cutBack(file: string): void {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-KEEP)
  writeFileSync(`${file}.new`, `${lines.join('\n')}\n`)
  renameSync(`${file}.new`, file)
}

/** The runs that are kept, oldest first; a line that a full disk has cut short is passed over. */
export function recall(file: string): Report[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new FileError('read', file, code)
  }
  return text.split('\n').flatMap((line) => {
    try {
      const report: unknown = JSON.parse(line)
      return isReport(report) ? report : []
    } catch {
      return []
    }
  })
}

function isReport(value: unknown): value is Report {
  return (
    typeof value === 'object' &&
    value !== null &&
    'event' in value &&
    'handlers' in value &&
    Array.isArray(value.handlers)
  )
}
