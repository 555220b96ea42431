import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parseIni, readIni } from '../../base/ini.ts'
import { Refusal } from '../../base/refusal.ts'
import { live } from '../../machine/live/live.ts'

/** The log levels of CTDB, the most important first (common/logging.c of 4.17). */
export const LEVELS = ['ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG'] as const
export type Level = (typeof LEVELS)[number]

/** The part of ctdb.conf that the event daemon obeys. */
export interface Conf {
  /** The full path of the debug script. */
  debugScript: string | undefined
  /** The place of the log. */
  location: { kind: 'stderr' } | { kind: 'file'; path: string } | { kind: 'syslog' }
  level: Level
  /** The name of this host, without its domain. */
  host: string
  /** CTDB does not move the public addresses: another program does. */
  failoverDisabled: boolean
}

/** The place of the log when ctdb.conf names none, in the folder of 4.17. */
const DEFAULT_LOCATION = 'file:/var/log/ctdb/log.ctdb'

/** Milliseconds for a file whose file system does not answer. */
const CONF_MS = 2000

/**
 * The values of ctdb.conf, by `section/key`. A file that cannot be read, or a dangling link, counts as empty, as for CTDB; `unread`
 * hears why, as another text may have counted when ctdbd was started.
 */
export async function confValues(file: string, unread: Unread = () => {}): Promise<Map<string, string>> {
  return parseIni(await readIfThere(file, unread))
}

/** Hears a sentence that names the file. */
type Unread = (why: string) => void

/**
 * The keys of ctdb.conf that the event daemon knows (event/event_conf.c and common/logging_conf.c of CTDB 4.17).
 * Throws a Refusal for a value that cannot be used: the daemon exits with 22.
 */
export async function readConf(
  file: string,
  env: NodeJS.ProcessEnv,
  unread: Unread = () => {},
): Promise<Conf> {
  const values = await confValues(file, unread)
  const conf: Conf = {
    debugScript: debugScriptOf(dirname(file), values.get('event/debug script')),
    location: locationOf(file, values.get('logging/location')),
    level: levelOf(file, values.get('logging/log level')),
    host: hostname().replace(/\..*/, ''),
    failoverDisabled: failoverOf(file, values.get('failover/disabled')),
  }
  // ctdbd -i logs on standard error, and so do we
  return env['CTDB_INTERACTIVE'] ? { ...conf, location: { kind: 'stderr' }, level: 'NOTICE' } : conf
}

/** `[failover] disabled`, for which CTDB accepts these two words (failover/failover_conf.c of 4.17). */
export async function isFailoverDisabled(file: string, unread: Unread = () => {}): Promise<boolean> {
  return isYes((await confValues(file, unread)).get('failover/disabled') ?? '')
}

const isYes = (value: string) => /^(?:true|yes)$/i.test(value)

/** Why CTDB drops the whole file and takes its defaults, without a word; undefined when the file is obeyed. */
export async function whyDropped(file: string): Promise<string | undefined> {
  return readIni(await readIfThere(file, () => {})).problem
}

function failoverOf(file: string, text = 'false'): boolean {
  if (/^(?:true|yes|false|no)$/i.test(text)) return isYes(text)
  throw new Refusal(`${file}: [failover] disabled = ${text}: expected true or false`)
}

async function readIfThere(file: string, unread: Unread): Promise<string> {
  try {
    return (await live({ within: CONF_MS }).read(file)) ?? ''
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    unread(error.message)
    return ''
  }
}

function debugScriptOf(etc: string, name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  if (name === '')
    throw new Refusal('[event] debug script is empty: expected the name of a script, or no such line')
  // CTDB checks the base name, then uses the whole: a script in a subfolder passes, and is never run
  const path = join(etc, basename(name))
  try {
    const status = statSync(path)
    if (status.isFile() && (status.mode & 0o100) !== 0) return name.includes('/') ? undefined : path
  } catch {
    // refused below
  }
  throw new Refusal(
    `[event] debug script = ${name}: ${path} is no executable file: fix ctdb.conf, or chmod u+x`,
  )
}

function locationOf(file: string, text = DEFAULT_LOCATION): Conf['location'] {
  if (/^syslog(:|$)/.test(text)) return { kind: 'syslog' }
  const path = /^file:(.*)$/.exec(text)?.[1]
  if (path === '' || path === '-') return { kind: 'stderr' }
  if (path !== undefined) return { kind: 'file', path }
  throw new Refusal(`${file}: [logging] location = ${text}: expected file:PATH, file:- or syslog`)
}

/** The levels are 0, 1, 3, 5 and 10; a number between two counts as the lower one. */
const BY_NUMBER: readonly Level[] = [
  'ERROR',
  'WARNING',
  'WARNING',
  'NOTICE',
  'NOTICE',
  ...Array.from({ length: 5 }, () => 'INFO' as const),
  'DEBUG',
]

/** A level by its name, the beginning of its name, or its number, as in CTDB. */
function levelOf(file: string, text = 'NOTICE'): Level {
  const level = /^\d/.test(text)
    ? BY_NUMBER[parseInt(text, 10)]
    : LEVELS.find((each) => each.startsWith(text.toUpperCase()))
  if (level && text !== '') return level
  throw new Refusal(`${file}: [logging] log level = ${text}: expected ${LEVELS.join(', ')}`)
}
