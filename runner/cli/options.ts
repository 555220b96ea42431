/** Options that several commands have. */
import { Usage } from '../base/refusal.ts'

/** The options of every command that lists something, beside the common `--json`. */
export const LISTING = {
  X: { type: 'boolean', describe: 'for programs: fields between "|", as ctdb -X' },
  Y: { type: 'boolean', describe: 'the same as -X, as in the ctdb tool' },
  x: { type: 'string', requiresArg: true, describe: 'for programs: fields between this character' },
} as const

/** The whole time of a command that asks CTDB, in seconds. */
export const TIMEOUT = {
  type: 'string',
  alias: 't',
  requiresArg: true,
  default: '10',
  describe: 'seconds that the whole may take',
} as const

/** Of commands that can ask the whole cluster. */
export const ALL_NODES = {
  type: 'boolean',
  describe: 'ask every node, by onnode; a silent node is named',
} as const

/** Of the commands that use handlers, or the options beside these. */
export const EVENTS = {
  type: 'string',
  requiresArg: true,
  describe: 'folder of handlers (default: our own)',
} as const

export const DRY_RUN = {
  type: 'boolean',
  describe: 'look, change nothing, print the commands',
} as const

export function timeoutOf({ timeout }: { timeout: string }): number {
  return secondsOf(timeout, 3600, 'such as 10')
}

export function secondsOf(text: string, most: number, example: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > most)
    throw new Usage(`--timeout ${text}: expected seconds, ${example}`)
  return value
}
