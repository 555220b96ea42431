import { baseOf, helpersOf, keepdirOf, vardirOf } from './ctdb-path.ts'
import { toolOf } from './ctdb-version.ts'
import type { Facts } from './facts.ts'
import { choicesIn, type Option, type OptionValue, type TextOption } from './options.ts'
import { readOptions } from './options-files.ts'
import { FileError } from '../machine/errors.ts'
import type { Door } from '../machine/machine.ts'

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
  /** A sentence for each bad option, whose default is used, and for each line that was meant to be one. */
  warnings: readonly string[]
}

/**
 * Milliseconds for a file that its file system does not give, where addresses must go. The last act has less than 2 s for a
 * handler, which may read options and the list of addresses.
 */
export const RELEASE_MS = 700

/**
 * Read the settings of a handler: script.options, then the handler's own options, which win. The environment is the default,
 * as with CTDB's scripts. Throws a Refusal when an options file does not parse or cannot be read; with `release`, options that
 * cannot be read keep no address here: the environment's are used, and a warning says so.
 */
export async function loadSettings(
  door: Door,
  facts: Facts,
  handler: string,
  { release = false } = {},
): Promise<Settings> {
  const { env } = facts
  const base = baseOf(env)
  const files = [`${base}/script.options`, `${facts.optionsFolder}/${handler}.options`]
  const { values, warnings: misses } = await readOptions(
    door,
    files,
    env,
    release ? RELEASE_MS : undefined,
  ).catch((error: unknown) => {
    if (!release || !(error instanceof FileError)) throw error
    const unread = `WARNING: ${error.message}: its options are not known, going on without`
    return { values: env, warnings: [unread] }
  })
  const { chosen, warnings } = choicesIn(values)
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
    warnings: [...misses, ...warnings],
  }
}
