import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { baseOf, helpersOf } from './ctdb-path.ts'
import { toolOf } from './ctdb-version.ts'
import { asWritten, choice, number, perAddress, type OptionKind } from './option-kinds.ts'
import { plainAssignments } from './plain-options.ts'
import { memoizeLast } from '../base/memoize.ts'
import type { Door } from '../machine/machine.ts'
import { readerHere, type Reader } from '../machine/remedy/remedy.ts'
import { refuse } from '../base/refusal.ts'

/** The environment variables of CTDB and this program beside the options; no other variable influences a decision. */
const ENVIRONMENT = [
  'CTDB_BASE',
  'CTDB_SCRIPT_VARDIR',
  'CTDB',
  'CTDB_SYS_ETCDIR',
  'CTDB_HELPER_BINDIR',
] as const

/** The variables of script.options and NN.name.options that our handlers use; the first word is the default. */
const OPTIONS = {
  CTDB_PARTIALLY_ONLINE_INTERFACES: choice('no', 'yes'),
  CTDB_KILLTCP_USE_SS_KILL: choice('try', 'yes', 'no'),
  EVENTSCRIPT_EVENTS_AT_ONCE: number(1000, 1, 10_000),
  EVENTSCRIPT_ANNOUNCE: choice('yes', 'no'),
  EVENTSCRIPT_DAD: perAddress('default', 'fast', 'optimistic', 'off'),
  EVENTSCRIPT_DAD_CONFLICT: perAddress('fail', 'park', 'seize'),
  EVENTSCRIPT_IPV4_DAD: choice('no', 'yes'),
  EVENTSCRIPT_DAD_PROBES: number(3, 1, 10),
  EVENTSCRIPT_DAD_INTERVAL_MS: number(100, 10, 1000),
  CTDB_PER_IP_ROUTING_CONF: asWritten(),
  CTDB_PER_IP_ROUTING_RULE_PREF: asWritten(),
  CTDB_PER_IP_ROUTING_TABLE_ID_LOW: asWritten(),
  CTDB_PER_IP_ROUTING_TABLE_ID_HIGH: asWritten(),
} as const

/** Variables that hold a name. They have no default; the handler that needs one checks it. */
const TEXTS = [
  'CTDB_LVS_NODES',
  'CTDB_LVS_PUBLIC_IP',
  'CTDB_LVS_PUBLIC_IFACE',
  'CTDB_NATGW_PUBLIC_IP',
] as const

export type TextOption = (typeof TEXTS)[number]

export type Option = keyof typeof OPTIONS
/** The value of an option: a word, a number, or a word for each address. */
export type OptionValue<N extends Option> = (typeof OPTIONS)[N] extends OptionKind<infer T> ? T : never

/** What is known before any look: the same facts give the same decisions in a replay. */
export interface Facts {
  env: Readonly<Record<string, string>>
  /** May this process change addresses and firewall rules (CAP_NET_ADMIN)? */
  privileged: boolean
  /** The program that announces an address after the event, or the words that start it. */
  announcer: string | readonly string[]
  /** The reader of remedies, and the privileges that this process lacks. */
  reader: Reader
  /** The folder of `NN.name.options`. */
  optionsFolder: string
}

/** Settings of one handler, read once and checked. */
export interface Settings {
  base: string
  vardir: string
  etcdir: string
  helpers: string
  /** The ctdb tool as words of a command. */
  ctdb: readonly string[]
  announcer: Facts['announcer']
  privileged: boolean
  /** May the programs that we start send packets of their own (CAP_NET_RAW)? */
  sendsPackets: boolean
  /** Our folder beside `vardir`, which CTDB empties at each start. */
  keepdir: string
  /** The value of an option, or its default. */
  option: <N extends Option>(name: N) => OptionValue<N>
  /** The text of an option that holds a name; empty when it is not set. */
  text: (name: TextOption) => string
  /** A sentence for each bad option, whose default is used. */
  warnings: readonly string[]
}

/** The folder in which CTDB's scripts keep their state. */
export function vardirOf(env: Facts['env']): string {
  return env['CTDB_SCRIPT_VARDIR'] ?? '/var/lib/ctdb/scripts'
}

/** The folder of our own state, beside that folder, which CTDB empties at each start. */
export function keepdirOf(vardir: string): string {
  return `${dirname(vardir)}/eventscript`
}

/** The facts about this process; `optionsFolder` is CTDB's folder of event scripts by default. */
export function factsHere(announcer: Facts['announcer'], optionsFolder?: string): Facts {
  const env: Record<string, string> = {}
  for (const name of [...ENVIRONMENT, ...Object.keys(OPTIONS), ...TEXTS]) {
    const value = process.env[name]
    if (value) env[name] = value
  }
  const folder = optionsFolder ?? `${baseOf(env)}/events/legacy`
  mustHaveProc()
  const reader = readerHere()
  const privileged = !reader.lacks.includes('CAP_NET_ADMIN')
  return { env, privileged, announcer, reader, optionsFolder: folder }
}

/** Refuse a machine without /proc: sysctls, capabilities and processes are read there. */
export function mustHaveProc(): void {
  if (!existsSync('/proc/self/status'))
    refuse(
      '/proc: the files of the kernel are not there: expected it to be mounted: mount -t proc proc /proc',
    )
}

/**
 * Read the settings of a handler: script.options, then the handler's own options, which win. The environment is the default,
 * as with CTDB's scripts. Throws a Refusal when an options file does not parse.
 */
export async function loadSettings(door: Door, facts: Facts, handler: string): Promise<Settings> {
  const { env } = facts
  const base = baseOf(env)
  const values = await readOptions(
    door,
    [`${base}/script.options`, `${facts.optionsFolder}/${handler}.options`],
    env,
  )
  const { chosen, warnings } = readAll(JSON.stringify(values))
  const vardir = vardirOf(env)
  return {
    base,
    vardir,
    keepdir: keepdirOf(vardir),
    etcdir: env['CTDB_SYS_ETCDIR'] ?? '/etc',
    helpers: helpersOf(env),
    ctdb: toolOf(env),
    announcer: facts.announcer,
    privileged: facts.privileged,
    sendsPackets: !facts.reader.lacks.includes('CAP_NET_RAW'),
    option: (name) => chosen[name] as OptionValue<typeof name>,
    text: (name) => (values[name] ?? '').trim(),
    warnings,
  }
}

/** Memoized: many events that come together have the same options. */
const readAll = memoizeLast((json) => {
  const values = JSON.parse(json) as Readonly<Record<string, string>>
  const chosen: Record<string, unknown> = {}
  const warnings: string[] = []
  for (const [name, kind] of Object.entries(OPTIONS)) {
    const said = values[name] ?? ''
    const { value, wrong } = kind.read(said)
    chosen[name] = value
    for (const { expected, using } of wrong)
      warnings.push(`WARNING: ${name}="${said}": expected ${expected}: using ${using}: mend script.options`)
  }
  return { chosen, warnings }
})

/**
 * Options files are shell, with quotes, expansions and conditions. So one shell reads both, and prints the variables of
 * CTDB and ours. Files with nothing but comments, as Debian ships them, and plain assignments need no shell.
 */
async function readOptions(
  door: Door,
  files: readonly string[],
  env: Facts['env'],
): Promise<Record<string, string>> {
  const present: string[] = []
  let plain: Record<string, string> | undefined = {}
  for (const file of files) {
    const content = await door.read(file)
    if (content === undefined || !/^\s*[^#\s]/m.test(content)) continue
    present.push(file)
    const values = plainAssignments(content)
    plain = plain && values && { ...plain, ...values }
  }
  if (plain) return { ...env, ...plain }
  const { status, out, err } = await door.ask`sh -c ${SOURCE} sh ${present}`
  if (status !== 0)
    refuse(`${present.join(', ')}: the shell cannot read it: ${err.trim() || `exit status ${status}`}`)
  const values: Record<string, string> = {}
  for (const line of out.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0 && at < line.length - 1) values[line.slice(0, at)] = line.slice(at + 1)
  }
  return values
}

/**
 * Source each file (its own output goes to stderr), then print NAME=VALUE in one line for each variable of CTDB or ours: all
 * of them, so that a recording stays valid when an option is added. A last command that fails, such as
 * `[ -e more ] && . more`, does not matter, as with CTDB. A file that does not parse ends the shell. Recordings hold this
 * text, so it is no file of runner/libexec.
 */
const SOURCE =
  `for f; do . "$f" >&2; done; set -f; unset IFS; ` +
  `set | while IFS== read -r n v; do case $n in *[!A-Z0-9_]*) ;; ` +
  `CTDB_*|EVENTSCRIPT_*) eval "set -- \\$$n"; printf "%s=%s\\n" "$n" "$*" ;; esac; done`
