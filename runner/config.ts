import { readFileSync } from 'node:fs'
import type { Door } from './system/door.ts'
import { refuse } from './refusal.ts'

/** The environment variables that CTDB and this program define; no other reaches a decision. */
const ENVIRONMENT = [
  'CTDB_BASE',
  'CTDB_SCRIPT_VARDIR',
  'CTDB',
  'CTDB_SYS_ETCDIR',
  'CTDB_HELPER_BINDIR',
  'EVENTSCRIPT_ANNOUNCE',
  'CTDB_PARTIALLY_ONLINE_INTERFACES',
  'CTDB_KILLTCP_USE_SS_KILL',
  'CTDB_PER_IP_ROUTING_CONF',
  'CTDB_PER_IP_ROUTING_RULE_PREF',
  'CTDB_PER_IP_ROUTING_TABLE_ID_LOW',
  'CTDB_PER_IP_ROUTING_TABLE_ID_HIGH',
  'CTDB_LVS_NODES',
  'CTDB_LVS_PUBLIC_IP',
  'CTDB_LVS_PUBLIC_IFACE',
] as const

/** The variables of script.options and NN.name.options that our handlers look at; the first value is the default. */
const OPTIONS = {
  CTDB_PARTIALLY_ONLINE_INTERFACES: ['no', 'yes'],
  CTDB_KILLTCP_USE_SS_KILL: ['try', 'yes', 'no'],
  EVENTSCRIPT_ANNOUNCE: ['yes', 'no'],
} as const

export type Option = keyof typeof OPTIONS

/**
 * Variables that hold a name or a number, by the handler that looks at them (without its NN). They have no default:
 * unset is empty, and the handler that needs one checks it.
 */
const TEXTS = {
  per_ip_routing: [
    'CTDB_PER_IP_ROUTING_CONF',
    'CTDB_PER_IP_ROUTING_RULE_PREF',
    'CTDB_PER_IP_ROUTING_TABLE_ID_LOW',
    'CTDB_PER_IP_ROUTING_TABLE_ID_HIGH',
  ],
  lvs: ['CTDB_LVS_NODES', 'CTDB_LVS_PUBLIC_IP', 'CTDB_LVS_PUBLIC_IFACE'],
} as const

export type TextOption = (typeof TEXTS)[keyof typeof TEXTS][number]

/** What is known before anything is looked at: the same facts, replayed, give the same decisions. */
export interface Facts {
  env: Readonly<Record<string, string>>
  /** May this process change addresses and firewall rules (CAP_NET_ADMIN)? */
  privileged: boolean
  /** The program that goes on announcing an address when the event has ended. */
  announcer: string
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
  announcer: string
  privileged: boolean
  /** One of the values that the option can have. */
  option: <N extends Option>(name: N) => (typeof OPTIONS)[N][number]
  /** A name or a number as it stands in the options; empty when it is not set. */
  text: (name: TextOption) => string
  /** What is wrong with the options, a sentence each; their defaults are used. */
  warnings: readonly string[]
}

/** The facts about this process; `optionsFolder` defaults to where CTDB keeps its event scripts. */
export function factsHere(announcer: string, optionsFolder?: string): Facts {
  const env: Record<string, string> = {}
  for (const name of ENVIRONMENT) {
    const value = process.env[name]
    if (value) env[name] = value
  }
  const folder = optionsFolder ?? `${env['CTDB_BASE'] ?? '/etc/ctdb'}/events/legacy`
  return { env, privileged: mayChangeNetwork(), announcer, optionsFolder: folder }
}

/** Bit 12 of the effective capabilities is CAP_NET_ADMIN (capability.h); asking costs no program. */
function mayChangeNetwork(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> 12n) & 1n) === 1n
}

/**
 * Read the settings of a handler: script.options, then its own options, which win; the environment serves as
 * default, as it does for CTDB's scripts. Throws a Refusal when an options file does not parse.
 */
export async function loadSettings(door: Door, facts: Facts, handler: string): Promise<Settings> {
  const { env } = facts
  const base = env['CTDB_BASE'] ?? '/etc/ctdb'
  const texts = textsOf(handler)
  const values = await readOptions(
    door,
    [`${base}/script.options`, `${facts.optionsFolder}/${handler}.options`],
    [...Object.keys(OPTIONS), ...texts],
    env,
  )
  const chosen: Record<string, string> = {}
  const warnings: string[] = []
  for (const [name, choices] of Object.entries(OPTIONS)) {
    const value = (values[name] ?? '').toLowerCase()
    const known = (choices as readonly string[]).includes(value)
    chosen[name] = known ? value : choices[0]
    if (!known && value !== '')
      warnings.push(
        `WARNING: ${name}="${value}": expected ${choices.join(', ')}: using ${choices[0]}: mend script.options`,
      )
  }
  return {
    base,
    vardir: env['CTDB_SCRIPT_VARDIR'] ?? '/var/lib/ctdb/scripts',
    etcdir: env['CTDB_SYS_ETCDIR'] ?? '/etc',
    helpers: env['CTDB_HELPER_BINDIR'] ?? '/usr/libexec/ctdb',
    ctdb: (env['CTDB'] ?? 'ctdb').split(' ').filter(Boolean),
    announcer: facts.announcer,
    privileged: facts.privileged,
    option: (name) => chosen[name] as (typeof OPTIONS)[typeof name][number],
    text: (name) => (texts.includes(name) ? (values[name] ?? '').trim() : ''),
    warnings,
  }
}

/** By the name behind NN, so that a link of another number finds them too. */
function textsOf(handler: string): readonly string[] {
  const name = handler.replace(/^\d\d\./, '')
  return Object.hasOwn(TEXTS, name) ? TEXTS[name as keyof typeof TEXTS] : []
}

/**
 * Options files are shell: quotes, expansions, conditions and all. So the shell reads them, once for both,
 * and prints the variables we know. Files that hold only comments, as Debian ships them, cost no shell.
 */
async function readOptions(
  door: Door,
  files: readonly string[],
  names: readonly string[],
  env: Facts['env'],
): Promise<Record<string, string>> {
  const present: string[] = []
  for (const file of files) {
    const text = await door.read(file)
    if (text !== undefined && /^\s*[^#\s]/m.test(text)) present.push(file)
  }
  if (present.length === 0) return env
  const { status, out, err } = await door.ask`sh -c ${source(names)} sh ${present}`
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
 * Source each file (its own output goes to stderr), then print NAME=VALUE for each variable in one line. A last command
 * that fails, such as `[ -e more ] && . more`, is none of our business, as for CTDB; one that does not parse ends the
 * shell by itself.
 */
const source = (names: readonly string[]) =>
  `for f; do . "$f" >&2; done; ` +
  `for n in ${names.join(' ')}; do eval "v=\\$$n"; printf "%s=%s\\n" "$n" "$v"; done`
