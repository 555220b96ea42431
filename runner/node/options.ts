import { memoizeLast } from '../base/memoize.ts'
import { asWritten, choice, number, perAddress, type OptionKind } from './option-kinds.ts'

/** The variables of script.options and NN.name.options that our handlers use; the first word is the default. */
const OPTIONS = {
  CTDB_PARTIALLY_ONLINE_INTERFACES: choice('no', 'yes'),
  CTDB_KILLTCP_USE_SS_KILL: choice('try', 'yes', 'no'),
  EVENTSCRIPT_EVENTS_AT_ONCE: number(1000, 1, 10_000),
  EVENTSCRIPT_ANNOUNCE: choice('yes', 'no'),
  EVENTSCRIPT_DAD: perAddress('default', 'fast', 'optimistic', 'off'),
  EVENTSCRIPT_DAD_CONFLICT: perAddress('fail', 'park', 'seize'),
  EVENTSCRIPT_IPV4_DAD: choice('no', 'yes'),
  EVENTSCRIPT_IPV6_SOURCE: perAddress('yes', 'no'),
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

/** Each variable of the options files that we read. */
export const OPTION_NAMES: readonly string[] = [...Object.keys(OPTIONS), ...TEXTS]

interface Choices {
  chosen: Readonly<Record<string, unknown>>
  /** A sentence for each bad option, whose default is used. */
  warnings: readonly string[]
}

/** The value of each option, from the variables of the options files. */
export function choicesIn(values: Readonly<Record<string, string>>): Choices {
  return readChoices(JSON.stringify(values))
}

/** Memoized: many events that come together have the same options. */
const readChoices = memoizeLast((json): Choices => {
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
