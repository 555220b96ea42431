import { closeSync, existsSync, readFileSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { keepdirOf, vardirOf } from '../node/ctdb-path.ts'
import type { Facts } from '../node/facts.ts'
import { parkedFile, parseParked, type Parked } from '../net/dad/parked.ts'
import type { Report } from './report.ts'
import { doorTo } from '../machine/machine.ts'
import { FileError } from '../machine/errors.ts'
import { mustAnswer } from '../machine/files/must-answer.ts'
import { openOurs, replaceFile } from '../machine/files/new-file.ts'
import { keepStatePrivate, PRIVATE } from '../machine/files/readers.ts'
import { live } from '../machine/live/live.ts'

/** At least so many runs are kept; at this size the file is cut back to them. */
const KEEP = 200
const MOST_BYTES = 512 * 1024
/** Lines of each handler's output that are kept. */
const KEEP_LINES = 40

/**
 * The file of this node's runs: one run a line, as JSON, the newest last. The file lies beside CTDB's state for scripts,
 * because that folder is emptied at each start of the daemon.
 */
export function historyFile(env: Facts['env']): string {
  return join(keepdirOf(vardirOf(env)), 'history.jsonl')
}

/**
 * Add a run to the history, under a lock: events may run side by side. Gives a sentence when the run could not be kept. A
 * user without the right to write there keeps no history, without a complaint.
 */
export async function keepRun(file: string, report: Report): Promise<string | undefined> {
  const handlers = report.handlers.map((each) => ({ ...each, output: each.output.slice(-KEEP_LINES) }))
  try {
    await mustAnswer(dirname(file))
    keepStatePrivate(dirname(file))
    await doorTo(live()).hold(`${file}.lock`, 5, () => {
      // a full disk may have cut the last line short
      const start = endsWell(file) ? '' : '\n'
      append(file, `${start}${JSON.stringify({ ...report, handlers })}\n`)
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

/** The parked addresses of this node, whose file is in the same folder; none where it cannot be read. */
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

function append(file: string, text: string): void {
  const fd = openOurs(file)
  try {
    writeSync(fd, text)
  } finally {
    closeSync(fd)
  }
}

function cutBack(file: string): void {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-KEEP)
  replaceFile(file, `${lines.join('\n')}\n`, PRIVATE)
}

/** The kept runs, the oldest first. A line that a full disk has cut short is skipped. */
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
