import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parseIni } from '../base/ini.ts'
import { Refusal } from '../base/refusal.ts'

/** CTDB's levels, the most important first. */
export const LEVELS = ['ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG'] as const
export type Level = (typeof LEVELS)[number]

export interface Conf {
  /** The full path of the debug script. */
  debugScript: string | undefined
  location: { kind: 'stderr' } | { kind: 'file'; path: string } | { kind: 'syslog' }
  level: Level
  host: string
  /** The public addresses are somebody else's business. */
  failoverDisabled: boolean
}

/** Where CTDB logs when ctdb.conf does not say; 4.17's folder. */
const DEFAULT_LOCATION = 'file:/var/log/ctdb/log.ctdb'

/** The values of ctdb.conf, by `section/key`; none when the file cannot be read, as for CTDB. */
export function confValues(file: string): Map<string, string> {
  return parseIni(readIfThere(file))
}

/** The keys of ctdb.conf that the event daemon knows. Throws a Refusal for a value that cannot be used (exit 22). */
export function readConf(file: string, env: NodeJS.ProcessEnv): Conf {
  const values = confValues(file)
  const conf: Conf = {
    debugScript: debugScriptOf(dirname(file), values.get('event/debug script')),
    location: locationOf(file, values.get('logging/location')),
    level: levelOf(file, values.get('logging/log level')),
    host: hostname().replace(/\..*/, ''),
    failoverDisabled: isFailoverDisabled(file),
  }
  // a daemon in the foreground logs there too
  return env['CTDB_INTERACTIVE'] ? { ...conf, location: { kind: 'stderr' }, level: 'NOTICE' } : conf
}

/** `[failover] disabled`, for which CTDB takes these two words. */
export function isFailoverDisabled(file: string): boolean {
  const value = confValues(file).get('failover/disabled') ?? ''
  return /^(?:true|yes)$/i.test(value)
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function debugScriptOf(etc: string, name: string | undefined): string | undefined {
  if (!name) return undefined
  // CTDB looks at the base name, then uses the whole: a script in a folder below passes, and is never run
  const path = join(etc, basename(name))
  try {
    const status = statSync(path)
    if (status.isFile() && (status.mode & 0o100) !== 0) return name.includes('/') ? undefined : path
  } catch {
    // said below
  }
  throw new Refusal(
    `[event] debug script = ${name}: ${path} is no executable file: mend ctdb.conf, or chmod u+x`,
  )
}

function locationOf(file: string, text = DEFAULT_LOCATION): Conf['location'] {
  if (/^syslog(:|$)/.test(text)) return { kind: 'syslog' }
  const path = /^file:(.*)$/.exec(text)?.[1]
  if (path === '' || path === '-') return { kind: 'stderr' }
  if (path !== undefined) return { kind: 'file', path }
  throw new Refusal(`${file}: [logging] location = ${text}: expected file:PATH, file:- or syslog`)
}

/** 0, 1, 3, 5 and 10, and what lies between is as the next lower one. */
const BY_NUMBER: readonly Level[] = [
  'ERROR',
  'WARNING',
  'WARNING',
  'NOTICE',
  'NOTICE',
  ...Array.from({ length: 5 }, () => 'INFO' as const),
  'DEBUG',
]

/** Also the beginning of its name, or its number, as CTDB takes it. */
function levelOf(file: string, text = 'NOTICE'): Level {
  const level = /^\d/.test(text)
    ? BY_NUMBER[parseInt(text, 10)]
    : LEVELS.find((each) => each.startsWith(text.toUpperCase()))
  if (level && text !== '') return level
  throw new Refusal(`${file}: [logging] log level = ${text}: expected ${LEVELS.join(', ')}`)
}
