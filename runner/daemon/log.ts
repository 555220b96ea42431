import { createWriteStream, type WriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { LEVELS, type Conf, type Level } from './conf.ts'
import { startLogger } from '../system/live.ts'

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

/**
 * CTDB's log, one line each: `2026-11-22T15:08:45.194185+00:00 HOST ctdb-eventd[PID]: TEXT` in a file, the bare text
 * where ctdbd or a terminal reads standard error. A log that cannot be written never stops the daemon.
 */
export function openLog({ location, level, host }: Conf): Log {
  const least = LEVELS.indexOf(level)
  let sink = openSink(location)
  let opened = performance.now()
  let dropped = 0
  const isStuck = () => sink.destroyed || sink.writableLength > MOST_WAITING
  const put = (text: string) => {
    if (isStuck()) dropped += 1
    else
      sink.write(
        location.kind === 'file' ? `${stamp()} ${host} ctdb-eventd[${process.pid}]: ${text}\n` : `${text}\n`,
      )
  }
  return {
    write(of, text) {
      if (LEVELS.indexOf(of) > least) return
      // an error ends a stream for good; the disk may have room again
      if (sink.destroyed && performance.now() - opened > RETRY_MS) {
        sink = openSink(location)
        opened = performance.now()
      }
      if (dropped > 0 && !isStuck()) {
        const lost = dropped
        dropped = 0
        put(`${lost} lines of the log were lost: it could not be written`)
      }
      for (const line of text.split('\n')) put(line)
    },
    close: () =>
      location.kind === 'stderr'
        ? Promise.resolve()
        : new Promise((resolve) => {
            sink.once('close', resolve)
            sink.once('error', () => resolve())
            sink.end()
          }),
    reopen() {
      if (location.kind !== 'file') return
      sink.end()
      sink = openSink(location)
    },
  }
}

function openSink(location: Conf['location']): Writable {
  if (location.kind === 'stderr') return process.stderr
  const sink: WriteStream | ReturnType<typeof startLogger> =
    location.kind === 'file'
      ? createWriteStream(location.path, { flags: 'a', mode: 0o644 })
      : startLogger('ctdb-eventd')
  // a full disk, a folder that is not there: the lines are lost, the daemon goes on
  sink.on('error', () => {})
  return sink
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
