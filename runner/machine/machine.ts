import { toArgv, type Word } from './argv.ts'
import type { CommandOptions, HoldOptions, ReadOptions, WriteOptions } from './options.ts'

/** What a program said. The exit status is data: 128 + N when signal N ended it, as for a shell. */
export interface Answer {
  status: number
  /** The signal that ended it, by name. */
  signal?: string
  out: string
  err: string
}

/** The status of a program that was ended at its limit (`within`), as timeout(1) has it. */
export const ENDED_LATE = 124

/** The answer in place of one that did not come within so many milliseconds. */
export function endedLate(ms: number): Answer {
  return { status: ENDED_LATE, out: '', err: `no answer within ${(ms / 1000).toFixed(1)} s: it was ended` }
}

/** `ask` only looks, `change` alters the machine. */
export type Verb = 'ask' | 'change'

/** The machine after the door: the live one, a rehearsal, or a recording. */
export interface System {
  /** Rejects with a Refusal when the program could not be started. */
  run(verb: Verb, argv: readonly string[], options: CommandOptions): Promise<Answer>
  /**
   * Undefined when there is no such file; rejects with a FileError when the file cannot be read, also for a link whose target
   * is missing. Of a path that ends in `/`, the names in that folder, a line each.
   */
  read(path: string, how?: ReadOptions): Promise<string | undefined>
  /** Replaces a file as a whole (an entry of /proc is written to); rejects with a FileError. */
  write(path: string, text: string, how?: WriteOptions): Promise<void>
  /** Takes a flock(2) on that file, the one that CTDB's scripts take; rejects with LockBusy after so many seconds. */
  hold(lock: string, seconds: number, how?: HoldOptions): Promise<() => Promise<void>>
  /** The full path of a program, or undefined when PATH has none of that name. */
  find(program: string): Promise<string | undefined>
  /** Go on after so many milliseconds. A rehearsal and a replay go on at once. */
  wait(ms: number): Promise<void>
}

/** The same machine with other passages. A spread would lose those of an object of a class. */
export function altered(system: System, own: Partial<System>): System {
  return {
    run: (verb, argv, options) => system.run(verb, argv, options),
    read: (path, how) => system.read(path, how),
    write: (path, text, how) => system.write(path, text, how),
    hold: (lock, seconds, how) => system.hold(lock, seconds, how),
    find: (program) => system.find(program),
    wait: (ms) => system.wait(ms),
    ...own,
  }
}

/** A command typed as one would type it: ``ask`ip -json addr show to ${address}` ``. Never seen by a shell. */
export interface Run {
  (words: TemplateStringsArray, ...values: Word[]): Promise<Answer>
  (options: CommandOptions): (words: TemplateStringsArray, ...values: Word[]) => Promise<Answer>
}

/** The only way from a handler to the machine. */
export interface Door extends Omit<System, 'run' | 'hold'> {
  ask: Run
  change: Run
  /** Run `work` while holding a flock(2). */
  hold<T>(lock: string, seconds: number, work: () => Promise<T>, how?: HoldOptions): Promise<T>
}

export function doorTo(system: System): Door {
  return {
    ask: runner(system, 'ask'),
    change: runner(system, 'change'),
    read: (path, how) => system.read(path, how),
    write: (path, text, how) => system.write(path, text, how),
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
    (options: CommandOptions) =>
    (words: TemplateStringsArray, ...values: Word[]) =>
      system.run(verb, toArgv(words, values), options)
  return ((first: TemplateStringsArray | CommandOptions, ...values: Word[]) =>
    'raw' in first ? typed({})(first, ...values) : typed(first)) as Run
}
