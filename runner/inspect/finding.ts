import type { Facts } from '../node/facts.ts'
import type { Settings } from '../node/settings.ts'
import type { Link } from '../net/ip-json.ts'
import type { NodesList } from '../net/ctdb/nodes-list.ts'
import type { Door } from '../machine/machine.ts'
import type { Column } from '../format/table.ts'

/** The result of one look at the machine. An error must be repaired; a warning is a weakness, or something odd. */
export interface Finding {
  state: 'ok' | 'warning' | 'error'
  /** What was looked at: `ip`, `sysctl`, `event folder` … */
  check: string
  /** The file, program or address in question. */
  subject: string
  text: string
  /** A command where there is one. */
  remedy?: string
}

/** What the examinations share; looked at once. */
export interface Patient {
  door: Door
  facts: Facts
  /** Undefined when the options cannot be read, which is a finding of its own. */
  settings: Settings | undefined
  base: string
  vardir: string
  /** Where ctdb-eventd looks for scripts. */
  folder: string
  /** The folder of our own handlers. */
  own: string
  /** The text of public_addresses; undefined when there is no such file. */
  publicAddresses: string | undefined
  /** The text could not be read, and a finding says so. */
  isListUnread: boolean
  nodes: NodesList
  /** Whether public addresses of each family are configured. */
  uses: { inet: boolean; inet6: boolean }
  /** Interfaces with their addresses; none when `ip` does not work, which is a finding of its own. */
  links: readonly Link[]
}

export type Examination = (patient: Patient) => Finding[] | Promise<Finding[]>

export const FINDING_COLUMNS: readonly Column<Finding>[] = [
  { name: 'State', field: 'state', value: ({ state }) => state },
  { name: 'Check', field: 'check', value: ({ check }) => check },
  { name: 'Subject', field: 'subject', value: ({ subject }) => subject },
  { name: 'Text', field: 'text', value: ({ text }) => text },
  { name: 'Remedy', field: 'remedy', value: ({ remedy }) => remedy },
]

/** Makers of findings under the name of one examination. */
export function about(check: string) {
  const of = (state: Finding['state']) => (subject: string, text: string, remedy?: string) => [
    { state, check, subject, text, remedy },
  ]
  return { ok: of('ok'), warn: of('warning'), error: of('error') }
}
