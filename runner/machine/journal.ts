/**
 * systemd's journal. What a service prints is filed under the name of its program, `main.js` for us, and all with one
 * priority; a stream of our own has its own name, and takes `<3>` before a line as its priority (sd-daemon(3)).
 */
import { fstatSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'

/** Priorities as syslog(3) numbers them. */
export const PRIORITY = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const
export type Priority = keyof typeof PRIORITY

export function withPriority(priority: Priority, text: string): string {
  return text
    .split('\n')
    .map((line) => `<${PRIORITY[priority]}>${line}\n`)
    .join('')
}

/** Is this descriptor the stream into the journal that systemd gave us? It says which one is ($JOURNAL_STREAM, systemd.exec(5)). */
export function leadsToJournal(fd: number): boolean {
  try {
    const { dev, ino } = fstatSync(fd)
    return process.env['JOURNAL_STREAM'] === `${dev}:${ino}`
  } catch {
    return false
  }
}

const SOCKET = '/run/systemd/journal/stdout'

/** A stream of our own, under that name, as systemd-cat(1) opens one; undefined when the journal takes none. */
export async function journalStream(name: string): Promise<Socket | undefined> {
  // the journal never writes, and says so at once: that must not end our side
  const stream = createConnection({ path: SOCKET, allowHalfOpen: true })
  const isOpen = await new Promise<boolean>((resolve) => {
    stream.once('connect', () => resolve(true))
    stream.on('error', () => resolve(false))
  })
  if (!isOpen) return undefined
  stream.resume()
  // name, unit, priority of lines without one, "<3>" is looked at, copies to syslog, to the kernel's log, to the console
  stream.write([name, '', PRIORITY.info, 1, 0, 0, 0, ''].join('\n'))
  return stream
}
