import type { System } from '../machine.ts'
import { CannotRun, FileError, LockBusy } from '../errors.ts'
import { asSleep } from '../wait.ts'
import { writeHead, writeNote, writeTail } from './write-transcript.ts'
import { type Note, type Step, type Trouble } from './transcript.ts'

/** Hears of all that passes through the door, and of what a handler says beside it. */
export interface Witness {
  /** Before the step is done: an event that is killed in a step still shows that step. */
  begins: (step: Step) => void
  /** The same step with its result. */
  ended: (step: Step) => void
  notes: (note: Note) => void
}

/** A witness that writes a recording. */
export function writing(sink: (text: string) => void): Witness {
  return {
    begins: (step) => sink(writeHead(step)),
    ended: (step) => sink(writeTail(step)),
    notes: (note) => sink(writeNote(note)),
  }
}

/** The same machine, with a witness. */
export function witnessed(system: System, witness: Witness): System {
  async function step<T>(head: Step, act: () => Promise<T>, ended: (result: T) => object): Promise<T> {
    witness.begins(head)
    const began = performance.now()
    const tail = (more: object) => witness.ended({ ...head, ...more, ms: performance.now() - began })
    try {
      const result = await act()
      tail(ended(result))
      return result
    } catch (error) {
      const trouble = troubleOf(error)
      if (trouble) tail({ trouble })
      throw error
    }
  }
  return {
    run(verb, argv, options) {
      const how = options.announcement ? 'start' : options.combined ? 'script' : 'run'
      return step(
        { verb, argv, how, input: options.input, removes: options.removes },
        () => system.run(verb, argv, options),
        (answer) => ({ answer }),
      )
    },
    read: (path, how) =>
      step(
        { verb: 'read', path },
        () => system.read(path, how),
        (text) => (text === undefined ? { absent: true } : { text }),
      ),
    write: (path, text, how) =>
      step(
        { verb: 'write', path, text, removes: how?.removes },
        () => system.write(path, text, how),
        () => ({}),
      ),
    find: (program) =>
      step(
        { verb: 'find', program },
        () => system.find(program),
        (path) => (path === undefined ? {} : { path }),
      ),
    wait: (ms) =>
      step(
        { verb: 'ask', argv: asSleep(ms), how: 'run' },
        () => system.wait(ms),
        () => ({ answer: { status: 0, out: '', err: '' } }),
      ),
    async hold(lock, seconds, how) {
      const release = await step(
        { verb: 'lock', path: lock, seconds, ...(how?.shared ? { shared: true } : {}) },
        () => system.hold(lock, seconds, how),
        () => ({}),
      )
      return () => step({ verb: 'unlock', path: lock }, release, () => ({}))
    },
  }
}

function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof FileError) return { kind: 'file', code: error.code }
  if (error instanceof CannotRun) return { kind: 'program', code: error.code }
  if (error instanceof LockBusy) return { kind: 'busy', code: error.message }
  return undefined
}
