import type { Facts } from '../node/facts.ts'
import type { Note } from '../machine/recording/transcript.ts'
import type { System } from '../machine/machine.ts'
import type { Stop } from '../machine/stop.ts'
import type { Entry } from './find-handlers.ts'

/** What an event needs beside its handlers: the same event runs on this machine, in a rehearsal and in a replay. */
export interface World {
  facts: Facts
  /** The machine for one handler: `signal` fires at the handler's deadline. */
  system: (signal: Stop, entry: Entry) => System
  /** Hears at once what does not pass the door: for a recording, or a terminal. */
  note?: (note: Note) => void
  /** Fires at the admin's Ctrl-C: the running program is ended, and the event fails. */
  interrupt?: Stop
  /** Called at a handler's deadline, before anything is ended. */
  late?: (handler: string, began: Date) => void
  /**
   * Executables of concurrent events may have to wait for their turn. Resolves with a function to call at the end of the
   * turn, or with undefined when `stop` came first.
   */
  turn?: (stop: Stop) => Promise<(() => void) | undefined>
  /** Milliseconds after the deadline in which the running program must end. */
  grace?: number
}
