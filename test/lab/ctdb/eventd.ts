/** Debian's own event daemon (or another in its place) and its client, in a folder of their own: nothing of the machine's CTDB is touched. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { execa } from 'execa'

export const EVENTD = '/usr/libexec/ctdb/ctdb-eventd'
export const CLIENT = '/usr/libexec/ctdb/ctdb-event'

export interface Eventd {
  /** Its CTDB_BASE; component C's scripts are in `events/C`. */
  dir: string
  socket: string
  pid: number
  script: (path: string, text: string, mode?: number) => void
  /** End it and remove its folder. */
  close: () => Promise<void>
}

/** What CTDB's programs need in order to look for everything below this folder. */
export function relocated(dir: string): Record<string, string> {
  return { CTDB_TEST_MODE: 'yes', CTDB_BASE: dir }
}

export function whyNoEventd(): string | undefined {
  const missing = [EVENTD, CLIENT].find((path) => !existsSync(path))
  return missing && `${missing} is not here: install ctdb`
}

export interface StartOptions {
  program?: string
  /** The process whose end it ends with; 0 is none. */
  parent?: number
  level?: string
}

/** Throws when it does not say that it is ready. */
export async function startEventd(options: StartOptions = {}): Promise<Eventd> {
  const { program = EVENTD, parent = 0, level = 'DEBUG' } = options
  const dir = mkdtempSync(join(tmpdir(), 'eventd-'))
  for (const name of ['run', 'var', 'share/events/legacy', 'events/legacy'])
    mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(join(dir, 'ctdb.conf'), `[logging]\n  location = file:${dir}/log\n  log level = ${level}\n`)
  const running = execa(program, ['-P', String(parent), '-S', '3'], {
    env: relocated(dir),
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    reject: false,
  })
  const close = async () => {
    running.kill('SIGTERM')
    await running
    rmSync(dir, { recursive: true, force: true })
  }
  const [, , , ready] = running.stdio
  const isReady = ready ? once(ready, 'data').then(() => undefined) : undefined
  const failure = await Promise.race([isReady, running.then(({ stderr }) => stderr || 'it ended at once')])
  if (failure !== undefined || running.pid === undefined) {
    await close()
    throw new Error(`${program} did not start: ${failure}`)
  }
  const script = (path: string, text: string, mode = 0o755) => {
    const file = join(dir, 'events', path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
    chmodSync(file, mode)
  }
  return { dir, socket: join(dir, 'run/eventd.socket'), pid: running.pid, script, close }
}

/** Ask as an admin does, with Debian's client. An exit status other than 0 is data. */
export async function ctdbEvent(dir: string, ...words: string[]): Promise<{ status: number; out: string }> {
  const { exitCode, stdout, stderr } = await execa(CLIENT, words, { env: relocated(dir), reject: false })
  return { status: exitCode ?? -1, out: stdout + stderr }
}
