import type { Announcement } from './announcement.ts'
import { toArgv, type Word } from './argv.ts'

/** What a program said. The exit status is data: 128 + N when signal N ended it, as a shell has it. */
export interface Answer {
  status: number
  /** The signal that ended it, by name. */
  signal?: string
  out: string
  err: string
}

export interface RunOptions {
  /** Text for standard input, which is closed otherwise. */
  input?: string
  /** The command does this in the background: it is started, outlives the event, and nothing of its output is kept. */
  announcement?: Announcement
  /** Takes back what the handler did: also when its time is up, as what stays behind would harm. Ends soon by itself. */
  undo?: boolean
  /** An executable handler: both outputs in one, in order, and its environment is left as it is. */
  combined?: boolean
  /** For a rehearsal, where the change before this look was not made: what the look would have shown. */
  assume?: (out: string) => string
}

export interface HoldOptions {
  /** Others may hold it too who say so (LOCK_SH). */
  shared?: boolean
  /** Other processes are kept out; events that run at the same time in this one are not. */
  together?: boolean
}

/** Read again and again until the text is as wanted. */
export interface Until {
  wanted: (text: string) => boolean
  /** Milliseconds between two looks. */
  every: number
  /** Milliseconds after which the last text is given back as it is. */
  limit: number
  /** For a rehearsal, which waits for nothing: what it would have come to. */
  assume: (text: string) => string
}

/** `ask` only looks, `change` alters the machine. */
export type Verb = 'ask' | 'change'

/** What stands behind the door: the live machine, a rehearsal, or a recording. */
export interface System {
  /** Rejects with a Refusal when the program could not be started. */
  run(verb: Verb, argv: readonly string[], options: RunOptions): Promise<Answer>
  /**
   * Undefined when there is no such file; rejects with a FileError when it cannot be read. Of a path that ends in `/`, the
   * names in that folder, a line each.
   */
  read(path: string, until?: Until): Promise<string | undefined>
  /** Replaces a file as a whole (an entry of /proc is written to); rejects with a FileError. */
  write(path: string, text: string): Promise<void>
  /** Takes a flock(2) on that file, the one that CTDB's scripts take; rejects with LockBusy after so many seconds. */
  hold(lock: string, seconds: number, how?: HoldOptions): Promise<() => Promise<void>>
  /** The full path of a program, or undefined when PATH has none of that name. */
  find(program: string): Promise<string | undefined>
  /** Go on after so many milliseconds. A rehearsal and a replay go on at once. */
  wait(ms: number): Promise<void>
}

/** A command typed as one would type it: ``ask`ip -json addr show to ${address}` ``. Never seen by a shell. */
export interface Run {
  (words: TemplateStringsArray, ...values: Word[]): Promise<Answer>
  (options: RunOptions): (words: TemplateStringsArray, ...values: Word[]) => Promise<Answer>
}

/** The only way from a handler to the machine. */
export interface Door {
  ask: Run
  change: Run
  read: System['read']
  write: System['write']
  /** Run `work` while holding a flock(2). */
  hold<T>(lock: string, seconds: number, work: () => Promise<T>, how?: HoldOptions): Promise<T>
  find: System['find']
  wait: System['wait']
}

export function doorTo(system: System): Door {
  return {
    ask: runner(system, 'ask'),
    change: runner(system, 'change'),
    read: (path, until) => system.read(path, until),
    write: (path, text) => system.write(path, text),
    find: (program) => system.find(program),
    wait: (ms) => system.wait(ms),
    async hold(lock, seconds, work, how) {
      const release = await system.hold(lock, seconds, how)
      try {
        return await work()
      } finally {
        await release()
      }
    },
  }
}

function runner(system: System, verb: Verb): Run {
  const typed =
    (options: RunOptions) =>
    (words: TemplateStringsArray, ...values: Word[]) =>
      system.run(verb, toArgv(words, values), options)
  return ((first: TemplateStringsArray | RunOptions, ...values: Word[]) =>
    'raw' in first ? typed({})(first, ...values) : typed(first)) as Run
}
