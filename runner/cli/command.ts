import type { Output } from './output.ts'

/** An option or word as yargs describes it. */
export interface Described {
  type: 'string' | 'boolean'
  describe: string
  alias?: string
  requiresArg?: boolean
  demandOption?: boolean
  array?: boolean
  default?: string | string[]
}

/**
 * A command of `eventscript`, which a file of show/, judge/, act/ or setup/ exports as its default. In the terms of yargs, but
 * without yargs: only bin/eventscript.ts loads that library.
 */
export interface Command {
  /** The command's name and words: `run <event> [words..]`. */
  usage: string
  describe: string
  /** The words that have a name in `usage`. */
  positionals?: Record<string, Described>
  options: Record<string, Described>
  /** Goes on until somebody ends it, or has a limit for each of its parts. */
  endless?: true
  /** Does the work; gives back the exit status, where that is not 0. Throws Usage for status 2, Refusal for status 1. */
  handler: (args: never, output: Output) => Promise<number | void> | number | void
}

/** The options that every command has. */
export interface CommonArgs {
  events?: string
  json?: boolean
}
