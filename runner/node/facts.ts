import { existsSync } from 'node:fs'
import { refuse } from '../base/refusal.ts'
import { readerAsText, readerFromText, readerHere, type Reader } from '../machine/remedy/remedy.ts'
import { baseOf } from './ctdb-path.ts'
import { OPTION_NAMES } from './options.ts'

/** The environment variables of CTDB and this program beside the options; no other variable influences a decision. */
const ENVIRONMENT = [
  'CTDB_BASE',
  'CTDB_SCRIPT_VARDIR',
  'CTDB',
  'CTDB_SYS_ETCDIR',
  'CTDB_HELPER_BINDIR',
] as const

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

/** The facts about this process; `optionsFolder` is CTDB's folder of event scripts by default. */
export function factsHere(announcer: Facts['announcer'], optionsFolder?: string): Facts {
  const env: Record<string, string> = {}
  for (const name of [...ENVIRONMENT, ...OPTION_NAMES]) {
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

/** The facts that a replay needs, in the form of a recording. */
export function factsAsText(facts: Facts): Record<string, string> {
  return {
    privileged: facts.privileged ? 'yes' : 'no',
    announcer: [facts.announcer].flat().join(' '),
    options: facts.optionsFolder,
    ...readerAsText(facts.reader),
  }
}

/** The facts in a recording. */
export function factsFromText(env: Facts['env'], facts: Readonly<Record<string, string>>): Facts {
  return {
    env,
    privileged: facts['privileged'] !== 'no',
    announcer: facts['announcer'] ?? 'announce',
    reader: readerFromText(facts),
    optionsFolder: facts['options'] ?? '/etc/ctdb/events/legacy',
  }
}
