/** What a caller says beside a command, a write or a lock: never read out of its words, and in no recording. */
import type { Announcement } from './announcement.ts'

/**
 * What a machine that serves many events at once may do in one go for several of them.
 * `ip`, of a look: at addresses; the answer may show more of them than were asked for. Of a change: one line of
 * `ip -batch`; with an input, the batch that deletes the addresses it `removes` and puts others back.
 * `iptables`: one rule, in the form `PROGRAM -w SECONDS -I|-D CHAIN RULE…`.
 * `ss`: the connections of one address, which the last two words name: `src [ADDRESS]`.
 */
export type Batch = 'ip' | 'iptables' | 'ss'

/** What a step takes away or puts back, for those who count that or rehearse it. */
export interface Removed {
  addresses?: readonly { address: string; bits: number; iface: string; peer?: string }[]
  /** Firewall rules. */
  rules?: number
  /** Sysctls that are put back. */
  sysctls?: number
}

export interface CommandOptions {
  /** Text for standard input, which is closed otherwise. */
  input?: string
  /** The command does this in the background: it is started, outlives the event, and nothing of its output is kept. */
  announcement?: Announcement
  /** The socket of a process that may be doing such work already: that one does this as well. */
  inbox?: string
  /** Milliseconds for the answer: a program that has not ended by then is ended, and its answer is that of `endedLate`. */
  within?: number
  /** It takes back an act of the handler: also when the time is up, as the rest of that act would harm. Ends soon by itself. */
  undo?: boolean
  /** An executable handler: both outputs in one, in order, and its environment is left as it is. */
  combined?: boolean
  /** For a rehearsal, where the change before this look was not made: the answer that the look would have had. */
  assume?: (out: string) => string
  batch?: Batch
  removes?: Removed
}

/** Who may read a file: root alone, or all users. */
export type Readers = 'root' | 'all'

export interface WriteOptions {
  /** Root alone, if nothing is said. */
  readers?: Readers
  /**
   * The lock about this file, which the writer holds: the text may wait for the end of the lock, as others that take it
   * next write the same file. It is on disk before another process has the lock.
   */
  until?: string
  /** Only that the file is written counts: one write is enough for all who write at the same moment. */
  bell?: boolean
  removes?: Removed
}

export interface HoldOptions {
  /** Others may hold it too who say so (LOCK_SH). */
  shared?: boolean
  /** Other processes are kept out; events that run at the same time in this one are not. */
  together?: boolean
}

export interface ReadOptions {
  /** Read again and again until the text is as wanted: for entries of /proc. */
  until?: Until
  /** Milliseconds after which a file system that does not answer is a FileError; if nothing is said, the deadline ends the read. */
  within?: number
}

/** What a file that is read again and again should hold. */
export interface Until {
  wanted: (text: string) => boolean
  /** Milliseconds between two looks. */
  every: number
  /** Milliseconds after which the last text is given back as it is. */
  limit: number
  /** For a rehearsal, which waits for nothing: the text that it would have come to. */
  assume: (text: string) => string
}
