/** What a recording holds: the steps of handlers through the door, and what they said. */
import type { Answer, Verb } from '../machine.ts'
import type { Removed } from '../options.ts'

/** How a step went wrong: what the live machine threw, in a form that can be written down. */
export interface Trouble {
  kind: 'file' | 'program' | 'busy'
  /** errno's name; for a busy lock the whole sentence. */
  code: string
}

/** One passage through the door, with what came back. `ms` is how long it took; `removes` is never written. */
export type Step = { line?: number; ms?: number; trouble?: Trouble; removes?: Removed } & (
  | { verb: Verb; argv: readonly string[]; how: How; input?: string; answer?: Answer }
  | { verb: 'read'; path: string; text?: string; absent?: boolean }
  | { verb: 'write'; path: string; text: string }
  | { verb: 'lock'; path: string; seconds: number; shared?: boolean }
  | { verb: 'unlock'; path: string }
  | { verb: 'find'; program: string; path?: string }
)

/** `run` waits for it; `start` leaves it in the background; `script` is an executable handler. */
export type How = 'run' | 'start' | 'script'

/** A line of a recording that is no step. */
export type Note =
  | { verb: 'handler'; name: string }
  | { verb: 'say'; text: string }
  | { verb: 'because'; text: string }
  | { verb: 'end'; outcome: string; why?: string }
  | { verb: 'result'; outcome: string }

/** What the recording was made of: replaying needs it before the first step. */
export interface Header {
  event: string
  words: readonly string[]
  /** The variables of the environment that CTDB and this program define. */
  env: Readonly<Record<string, string>>
  /** What else the program knew about its surroundings. */
  facts: Readonly<Record<string, string>>
}

export interface Transcript {
  header: Header
  entries: (Step | (Note & { line?: number }))[]
  /** True when the recording ends in the middle: the event was killed, or the disk was full. */
  cut: boolean
}

/** The first line of every recording. */
export const TITLE = 'eventscript recording 1'

/** A recording that cannot be read: `line` counts from 1. */
export class BadTranscript extends Error {
  override name = 'BadTranscript'
  readonly line: number
  constructor(line: number, seen: string, expected: string) {
    super(`line ${line}: ${JSON.stringify(seen.slice(0, 80))}: expected ${expected}`)
    this.line = line
  }
}

export function isNote(entry: { verb: string }): entry is Note {
  return ['handler', 'say', 'because', 'end', 'result'].includes(entry.verb)
}
