/**
 * Where CTDB's files are. Each build of CTDB chooses its folders, so outside of events CTDB's own `ctdb-path` is asked.
 * During an event ctdbd names the folders in the environment, and no program is started.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { refuse } from '../base/refusal.ts'
import { live } from '../machine/live/live.ts'

/** A question, in the words of ctdb-path. */
export type CtdbFile = 'config' | 'vardir' | `${'socket' | 'pidfile'} ${'ctdbd' | 'eventd'}`

type Env = Readonly<Record<string, string | undefined>>

/** CTDB's libexec folder in most distributions, and in older SUSE. */
const HELPERS = ['/usr/libexec/ctdb', '/usr/lib/ctdb'] as const

/** Milliseconds. ctdb-path takes two, and prints one line. */
const LIMIT_MS = 5000

/** The folder of CTDB's helper programs. */
export function helpersOf(env: Env): string {
  return env['CTDB_HELPER_BINDIR'] || HELPERS[0]
}

function helpersHere(): string {
  return process.env['CTDB_HELPER_BINDIR'] || (HELPERS.find((folder) => existsSync(folder)) ?? HELPERS[0])
}

/** The folder of ctdb.conf, nodes, public_addresses and events. */
export function baseOf(env: Env): string {
  return env['CTDB_BASE'] || '/etc/ctdb'
}

/** The folder in which CTDB's scripts keep their state. */
export function vardirOf(env: Env): string {
  return env['CTDB_SCRIPT_VARDIR'] ?? '/var/lib/ctdb/scripts'
}

/** The folder of our own state, beside that folder, which CTDB empties at each start. */
export function keepdirOf(vardir: string): string {
  return `${dirname(vardir)}/eventscript`
}

/**
 * The full path of a file or folder of CTDB; that of 4.17 where there is no ctdb-path. Throws a Refusal when ctdb-path gives
 * no path.
 */
export async function ctdbPath(file: CtdbFile): Promise<string> {
  const program = join(helpersHere(), 'ctdb-path')
  if (!existsSync(program)) return assumed(file, process.env)
  const machine = live({ signal: AbortSignal.timeout(LIMIT_MS), atOnce: () => true })
  const { status, out, err } = await machine.run('ask', [program, ...file.split(' ')], {})
  const path = out.trim()
  if (status === 0 && /^\/[^\n]*$/.test(path)) return path
  const seen = status === 0 ? `printed "${path}"` : `failed: ${err.trim() || `exit status ${status}`}`
  return refuse(
    `"${program} ${file}" ${seen}: expected a full path: reinstall ctdb, or set CTDB_HELPER_BINDIR`,
  )
}

/** The paths of 4.17; in CTDB's test mode all of them are below CTDB_BASE. */
function assumed(file: CtdbFile, env: Env): string {
  const test = env['CTDB_TEST_MODE'] ? env['CTDB_BASE'] : undefined
  const [what, daemon] = file.split(' ')
  if (what === 'config') return join(test ?? '/etc/ctdb', 'ctdb.conf')
  if (what === 'vardir') return test === undefined ? '/var/lib/ctdb' : join(test, 'var')
  const run = test === undefined ? '/run/ctdb' : join(test, 'run')
  return join(run, `${daemon}.${what === 'socket' ? 'socket' : 'pid'}`)
}

/** The folders when the environment names none: those of Debian's 4.17. */
const USUAL: Readonly<Record<string, string>> = {
  CTDB_BASE: '/etc/ctdb',
  CTDB_SCRIPT_VARDIR: '/var/lib/ctdb/scripts',
  CTDB_HELPER_BINDIR: HELPERS[0],
}

/**
 * Complete the environment of a process that ctdbd has not started, as ctdbd does for its events. Set variables stay. A usual
 * folder is not set, so that recordings are the same on most nodes.
 */
export async function completeEnvironment(): Promise<void> {
  const { env } = process
  const places: Record<string, () => Promise<string>> = {
    CTDB_BASE: async () => dirname(await ctdbPath('config')),
    CTDB_SCRIPT_VARDIR: async () => join(await ctdbPath('vardir'), 'scripts'),
    CTDB_HELPER_BINDIR: () => Promise.resolve(helpersHere()),
  }
  for (const [name, find] of Object.entries(places)) {
    if (env[name]) continue
    const path = await find()
    if (path === USUAL[name]) continue
    env[name] = path
    // CTDB is not relocated by this: the system's own files, such as systemd's, are in their usual places
    if (name === 'CTDB_BASE') env['CTDB_SYS_ETCDIR'] ||= '/etc'
  }
}
