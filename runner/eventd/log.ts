import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { LEVELS, type Conf, type Level } from './conf.ts'
import { leadsToJournal, withPriority } from '../machine/journal.ts'
import { startLogger } from '../machine/live.ts'

export interface Log {
  write: (level: Level, text: string) => void
  /** The file may have been moved away: open it again. */
  reopen: () => void
  /** Resolves when all is written that can be. */
  close: () => Promise<void>
}

/** Bytes that may wait for a slow disk; what comes then is dropped, and counted. */
const MOST_WAITING = 4 * 1024 * 1024
const RETRY_MS = 1000

/** A place for lines, each as it is to be written there. */
interface Sink {
  stream: Writable
  line: (of: Level, text: string) => string
  /** Resolves when all that was written has arrived. */
  ended: Promise<unknown>
}

/**
 * CTDB's log, one line each: `2026-11-22T15:08:45.194185+00:00 HOST ctdb-eventd[PID]: TEXT` in a file, the text with its
 * priority for syslog and the journal, the bare text where ctdbd or a terminal reads standard error. A log that cannot
 * be written never stops the daemon.
 */
export function openLog({ location, level, host }: Conf): Log {
  const least = LEVELS.indexOf(level)
  let sink = openSink(location, host)
  let opened = performance.now()
  let dropped = 0
  const isStuck = () => sink.stream.destroyed || sink.stream.writableLength > MOST_WAITING
  const put = (of: Level, text: string) => {
    if (isStuck()) dropped += 1
    else sink.stream.write(sink.line(of, text))
  }
  return {
    write(of, text) {
      if (LEVELS.indexOf(of) > least) return
      // an error ends a stream for good; the disk may have room again
      if (sink.stream.destroyed && performance.now() - opened > RETRY_MS) {
        sink = openSink(location, host)
        opened = performance.now()
      }
      if (dropped > 0 && !isStuck()) {
        const lost = dropped
        dropped = 0
        put('WARNING', `${lost} lines of the log were lost: it could not be written`)
      }
      for (const line of text.split('\n')) put(of, line)
    },
    async close() {
      if (location.kind === 'stderr') return
      sink.stream.end()
      await sink.ended
    },
    reopen() {
      if (location.kind !== 'file') return
      sink.stream.end()
      sink = openSink(location, host)
    },
  }
}

const WITH_PRIORITY = (of: Level, text: string) => withPriority(PRIORITIES[of], text)
const BARE = (_of: Level, text: string) => `${text}\n`
const PRIORITIES = {
  ERROR: 'error',
  WARNING: 'warning',
  NOTICE: 'notice',
  INFO: 'info',
  DEBUG: 'debug',
} as const

function openSink(location: Conf['location'], host: string): Sink {
  if (location.kind === 'stderr')
    return {
      stream: process.stderr,
      line: leadsToJournal(2) ? WITH_PRIORITY : BARE,
      ended: Promise.resolve(),
    }
  const sink = location.kind === 'file' ? fileSink(location.path, host) : syslogSink()
  // a full disk, a folder that is not there: the lines are lost, the daemon goes on
  sink.stream.on('error', () => {})
  return sink
}

function fileSink(path: string, host: string): Sink {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o644 })
  return {
    stream,
    ended: new Promise<void>((resolve) => stream.once('close', resolve)),
    line: (_of, text) => `${stamp()} ${host} ctdb-eventd[${process.pid}]: ${text}\n`,
  }
}

function syslogSink(): Sink {
  const { lines, hasPriorities, ended } = startLogger('ctdb-eventd')
  return { stream: lines, line: hasPriorities ? WITH_PRIORITY : BARE, ended }
}

/** Local time with microseconds and offset, as CTDB writes it. */
function stamp(): string {
  const now = new Date()
  const micros = String(
    Math.floor(((performance.timeOrigin + performance.now()) * 1000) % 1_000_000),
  ).padStart(6, '0')
  const minutes = -now.getTimezoneOffset()
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  const local = new Date(now.getTime() + minutes * 60_000).toISOString().slice(0, 19)
  return `${local}.${micros}${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`
}
