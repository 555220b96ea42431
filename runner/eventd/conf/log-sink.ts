import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { leadsToJournal, withPriority } from '../../machine/journal.ts'
import { Logger } from '../../machine/live/logger.ts'
import type { Conf, Level } from './conf.ts'

/** A place for lines, and their form in that place. */
export interface Sink {
  stream: Writable
  line: (level: Level, text: string) => string
  /** Resolves when every line has arrived, after the end of the stream. */
  ended: Promise<unknown>
  /** To be called from time to time, where a program of ours takes the lines. */
  lookAfter?: () => void
}

const PRIORITIES = {
  ERROR: 'error',
  WARNING: 'warning',
  NOTICE: 'notice',
  INFO: 'info',
  DEBUG: 'debug',
} as const

const prioritized = (level: Level, text: string) => withPriority(PRIORITIES[level], text)
const bare = (_level: Level, text: string) => `${text}\n`

/**
 * Open the place of CTDB's log. A file has lines as CTDB writes them (common/logging.c of 4.17):
 * `2026-11-22T15:08:45.194185+00:00 HOST ctdb-eventd[PID]: TEXT`. Syslog and the journal have the text with its
 * priority; ctdbd or a terminal reads the bare text from standard error.
 */
export function openSink(location: Conf['location'], host: string): Sink {
  if (location.kind === 'stderr') return stderrSink()
  const sink = location.kind === 'file' ? fileSink(location.path, host) : syslogSink()
  // a full disk, a missing folder: the lines are lost, the daemon goes on
  sink.stream.on('error', () => {})
  return sink
}

function stderrSink(): Sink {
  const line = leadsToJournal(2) ? prioritized : bare
  return { stream: process.stderr, line, ended: Promise.resolve() }
}

function fileSink(path: string, host: string): Sink {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o644 })
  return {
    stream,
    ended: new Promise<void>((resolve) => stream.once('close', resolve)),
    line: (_level, text) => `${timestamp()} ${host} ctdb-eventd[${process.pid}]: ${text}\n`,
  }
}

function syslogSink(): Sink {
  const logger = new Logger('ctdb-eventd')
  const { lines, hasPriorities, ended } = logger
  return {
    stream: lines,
    line: hasPriorities ? prioritized : bare,
    ended,
    lookAfter: () => logger.lookAfter(),
  }
}

/** The local time with microseconds and offset, as in CTDB's log. */
function timestamp(): string {
  const now = new Date()
  const micros = Math.floor(((performance.timeOrigin + performance.now()) * 1000) % 1_000_000)
  const minutes = -now.getTimezoneOffset()
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  const local = new Date(now.getTime() + minutes * 60_000).toISOString().slice(0, 19)
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`
  return `${local}.${String(micros).padStart(6, '0')}${offset}`
}
