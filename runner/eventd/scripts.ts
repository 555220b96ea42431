import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findHandlers, loadModule, type Entry } from '../engine/find-handlers.ts'
import { leadsTo } from '../install/wrapper.ts'

/** Such as having too many files open. */
const IO_ERROR = 5

/** ENOENT or ENOTDIR, as CTDB's client gets it for a component whose folder cannot be listed. */
export class NoComponent extends Error {
  override name = 'NoComponent'
  readonly errno: number
  constructor(folder: string, errno: number) {
    super(`${folder}: cannot list the scripts`)
    this.errno = errno
  }
}

/**
 * The scripts of a component, read afresh for each event. A link to one of our own `NN.name.script` files, or the file
 * that `install` puts there instead, becomes the module beside it, to be run inside this process; everything else is an executable as ever.
 */
export function findScripts(folder: string, own: string): Entry[] {
  mustBeFolder(folder)
  return findHandlers(folder)
    .filter(({ path }) => path.endsWith('.script'))
    .map((entry) => (entry.kind === 'script' ? (asModule(entry, own) ?? entry) : entry))
}

/** Throws NoComponent when it cannot be listed. */
export function mustBeFolder(folder: string): void {
  try {
    readdirSync(folder)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new NoComponent(folder, { ENOENT: 2, ENOTDIR: 20 }[code] ?? IO_ERROR)
  }
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
    return undefined // it has just gone: the engine will say so
  }
}

/** The folder of a component: its name is no path. */
export function componentFolder(etc: string, component: string): string | undefined {
  return /^[\w-][\w.-]*$/.test(component) ? join(etc, 'events', component) : undefined
}
