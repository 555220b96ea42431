import type { System } from './door.ts'
import { CannotRun, FileError, LockBusy } from './errors.ts'
import { writeHead, writeTail, type Step, type Trouble } from './transcript.ts'

/**
 * Write every passage through the door down. The line that names a step is written before it is done, so that
 * the recording of an event that is killed still shows what it was at.
 */
export function recorded(system: System, sink: (text: string) => void): System {
  async function step<T>(head: Step, act: () => Promise<T>, ended: (result: T) => object): Promise<T> {
    sink(writeHead(head))
    const began = performance.now()
    const tail = (more: object) => sink(writeTail({ ...head, ...more, ms: performance.now() - began }))
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
      const how = options.background ? 'start' : options.combined ? 'script' : 'run'
      return step(
        { verb, argv, how, input: options.input },
        () => system.run(verb, argv, options),
        (answer) => ({ answer }),
      )
    },
    read: (path, until) =>
      step(
        { verb: 'read', path },
        () => system.read(path, until),
        (text) => (text === undefined ? { absent: true } : { text }),
      ),
    write: (path, text) =>
      step(
        { verb: 'write', path, text },
        () => system.write(path, text),
        () => ({}),
      ),
    find: (program) =>
      step(
        { verb: 'find', program },
        () => system.find(program),
        (path) => (path === undefined ? {} : { path }),
      ),
    async hold(lock, seconds) {
      const release = await step(
        { verb: 'lock', path: lock, seconds },
        () => system.hold(lock, seconds),
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
