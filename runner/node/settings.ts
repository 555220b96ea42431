import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { baseOf, helpersOf } from './ctdb-path.ts'
import { toolOf } from './ctdb-version.ts'
import { asWritten, choice, number, perAddress, type Kind } from './option-kinds.ts'
import { plainAssignments } from './plain-options.ts'
import { rememberingLast } from '../base/memoize.ts'
import type { Door } from '../machine/machine.ts'
import { readerHere, type Reader } from '../machine/remedy.ts'
import { refuse } from '../base/refusal.ts'

/** The environment variables that CTDB and this program define beside the options; no other reaches a decision. */
const ENVIRONMENT = [
  'CTDB_BASE',
  'CTDB_SCRIPT_VARDIR',
  'CTDB',
  'CTDB_SYS_ETCDIR',
  'CTDB_HELPER_BINDIR',
] as const

/** The variables of script.options and NN.name.options that our handlers look at; the first word is the default. */
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

/** Variables that hold a name: no default, unset is empty, and the handler that needs one checks it. */
const TEXTS = [
  'CTDB_LVS_NODES',
  'CTDB_LVS_PUBLIC_IP',
  'CTDB_LVS_PUBLIC_IFACE',
  'CTDB_NATGW_PUBLIC_IP',
] as const

export type TextOption = (typeof TEXTS)[number]

export type Option = keyof typeof OPTIONS
/** What an option comes to: a word, a number, or a word for each address. */
export type Value<N extends Option> = (typeof OPTIONS)[N] extends Kind<infer T> ? T : never

/** What is known before anything is looked at: the same facts, replayed, give the same decisions. */
export interface Facts {
  env: Readonly<Record<string, string>>
  /** May this process change addresses and firewall rules (CAP_NET_ADMIN)? */
  privileged: boolean
  /** The program that goes on announcing an address when the event has ended; or the words that start it. */
  announcer: string | readonly string[]
  /** Whom remedies are for; also what this process is without. */
  reader: Reader
  /** Where `NN.name.options` lies. */
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
  /** Ours, beside `vardir`: CTDB empties that one at each start. */
  keepdir: string
  /** What the option comes to, its default where it is not set. */
  option: <N extends Option>(name: N) => Value<N>
  /** A name as it stands in the options; empty when it is not set. */
  text: (name: TextOption) => string
  /** What is wrong with the options, a sentence each; their defaults are used. */
  warnings: readonly string[]
}

/** Where CTDB's scripts keep their state. */
export function vardirOf(env: Facts['env']): string {
  return env['CTDB_SCRIPT_VARDIR'] ?? '/var/lib/ctdb/scripts'
}

/** Where we keep ours: beside that folder, which CTDB empties at each start. */
export function keepdirOf(vardir: string): string {
  return `${dirname(vardir)}/eventscript`
}

/** The facts about this process; `optionsFolder` defaults to where CTDB keeps its event scripts. */
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

/** Sysctls, capabilities and processes are all seen there: without it nothing can be decided. */
export function mustHaveProc(): void {
  if (!existsSync('/proc/self/status'))
    refuse(
      '/proc: the files of the kernel are not there: expected it to be mounted: mount -t proc proc /proc',
    )
}

/**
 * Read the settings of a handler: script.options, then its own options, which win; the environment serves as
 * default, as it does for CTDB's scripts. Throws a Refusal when an options file does not parse.
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
    option: (name) => chosen[name] as Value<typeof name>,
    text: (name) => (values[name] ?? '').trim(),
    warnings,
  }
}

/** Of the same options each time, when many events come together. */
const readAll = rememberingLast((json) => {
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
 * Options files are shell: quotes, expansions, conditions and all. So the shell reads them, once for both,
 * and prints the variables we know. Files that hold only comments, as Debian ships them, and plain assignments cost no
 * shell.
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
 * Source each file (its own output goes to stderr), then print NAME=VALUE in one line for each variable of CTDB's or
 * ours: all of them, so that a recording stays good when an option is added. A last command that fails, such as
 * `[ -e more ] && . more`, is none of our business, as for CTDB; a file that does not parse ends the shell by itself.
 */
const SOURCE =
  `for f; do . "$f" >&2; done; set -f; unset IFS; ` +
  `set | while IFS== read -r n v; do case $n in *[!A-Z0-9_]*) ;; ` +
  `CTDB_*|EVENTSCRIPT_*) eval "set -- \\$$n"; printf "%s=%s\\n" "$n" "$*" ;; esac; done`
