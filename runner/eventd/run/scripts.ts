import { PUBLIC_ADDRESSES } from '../../node/handler-names.ts'
import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findHandlers, loadModule, type Entry } from '../../engine/find-handlers.ts'
import { leadsTo } from '../../install/wrapper.ts'
import { isFar } from '../../machine/files/may-hang.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import { codeOf, FileError } from '../../machine/errors.ts'
import { ERRNO } from '../protocol/messages.ts'

/** The folder of a component cannot be listed; the client reads `errno` (common/run_event.c of CTDB 4.17). */
export class NoComponent extends Error {
  override name = 'NoComponent'
  readonly errno: number
  constructor(folder: string, errno: number) {
    super(`${folder}: cannot list the scripts`)
    this.errno = errno
  }
}

/** The scripts of one component, read again for each event: the folder may change, or go, at any time. */
export class ScriptFolder {
  readonly #folder: string
  readonly #own: string
  #found: Entry[] | number | undefined
  #hasOurs = false
  /** What was there when the folder could be listed last. */
  #last: Entry[] = []

  /** `own`: the folder with our own handlers. */
  constructor(folder: string, own: string) {
    this.#folder = folder
    this.#own = own
  }

  /** Our handler of public addresses was among the scripts that were read last. */
  get hasOurs(): boolean {
    return this.#hasOurs
  }

  /**
   * The scripts, or the errno of a folder that cannot be listed. While its file system does not answer, the scripts of the
   * last time count: an address must go all the same. `say` hears the reason.
   */
  async look(say: (line: string) => void): Promise<Entry[] | number> {
    try {
      await mustAnswer(this.#folder)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      say(`${error.message}: going by the scripts that were there last`)
      return this.#last.length > 0 ? this.#last : ERRNO.ETIMEDOUT
    }
    return this.#read()
  }

  /** Events that begin at the same moment look once. */
  #read(): Entry[] | number {
    if (this.#found !== undefined) return this.#found
    setImmediate(() => (this.#found = undefined))
    try {
      const found = findScripts(this.#folder, this.#own)
      this.#hasOurs = found.some(isPublicAddresses)
      return (this.#found = this.#last = found)
    } catch (error) {
      if (error instanceof NoComponent) return (this.#found = error.errno)
      throw error
    }
  }
}

/** Our handler of public addresses, which prefetching helps. */
export function isPublicAddresses({ name, kind }: Entry): boolean {
  return kind === 'module' && name === PUBLIC_ADDRESSES
}

/**
 * The scripts in the folder of a component. A link to one of our own `NN.name.script` files, or the wrapper that
 * `install` writes there, becomes the module beside it, to be run inside this process; every other file stays an
 * executable. Throws NoComponent when the folder cannot be listed.
 */
export function findScripts(folder: string, own: string): Entry[] {
  mustBeFolder(folder)
  // a folder on a file system that may hang has answered a moment ago
  const mayLook = ({ path }: Entry) => isFar(folder) || !isFar(path)
  return findHandlers(folder)
    .filter(({ path }) => path.endsWith('.script'))
    .map((entry) => (entry.kind === 'script' && mayLook(entry) ? (asModule(entry, own) ?? entry) : entry))
}

/** Throws NoComponent when the folder cannot be listed. */
export function mustBeFolder(folder: string): void {
  try {
    readdirSync(folder)
  } catch (error) {
    throw new NoComponent(folder, errnoOf(codeOf(error)))
  }
}

/** EIO stands for any other trouble, such as too many open files. */
function errnoOf(code: string): number {
  return { ENOENT: ERRNO.ENOENT, ENOTDIR: ERRNO.ENOTDIR }[code] ?? ERRNO.EIO
}

function asModule({ name, path }: Entry, own: string): Entry | undefined {
  try {
    const { program: target } = leadsTo(path)
    if (dirname(target) !== realpathSync(own)) return undefined
    const module = target.replace(/\.script$/, '.mjs')
    statSync(module)
    let loaded: ReturnType<typeof loadModule> | undefined
    return { name, path, kind: 'module', load: () => (loaded ??= loadModule(module)) }
  } catch {
    return undefined // the file has just gone: the engine reports that
  }
}

/** The folder of a component; undefined for a name that is a path. */
export function componentFolder(etc: string, component: string): string | undefined {
  return /^[\w-][\w.-]*$/.test(component) ? join(etc, 'events', component) : undefined
}
