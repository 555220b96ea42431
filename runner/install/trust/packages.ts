/** The packages that a package of node needs, found as node finds them: in `node_modules` here and in the folders above. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { refuse } from '../../base/refusal.ts'

export interface Packages {
  /** The folder of each package, as the path by which it is found, which may be a link. */
  found: string[]
  /** Folders in which node looks first: who can add a name there decides what is loaded. */
  searched: string[]
}

/** Of the package in that folder, which is not among `found`, and of those that it needs, and so on. Refuses where one is missing. */
export function packagesFor(root: string): Packages {
  const [found, searched, done] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const visit = (folder: string) => {
    const real = realpathSync(folder)
    if (done.has(real)) return
    done.add(real)
    for (const [name, isNeeded] of neededBy(real)) {
      const { path, passed } = search(real, name)
      if (path === undefined && isNeeded)
        refuse(
          `${real}: no package ${name} here or in a folder above: expected one, as package.json names it: install the package again`,
        )
      if (path === undefined) continue
      for (const each of passed) searched.add(each)
      found.add(path)
      visit(path)
    }
  }
  visit(root)
  return { found: [...found], searched: [...searched] }
}

/** The names in package.json, and whether the package cannot do without. */
function neededBy(folder: string): [name: string, isNeeded: boolean][] {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return []
  const { dependencies, optionalDependencies, peerDependencies } = parsed(file)
  const optional = [optionalDependencies, peerDependencies].flatMap((names) => Object.keys(names ?? {}))
  const needed = Object.keys(dependencies ?? {}).filter((name) => !optional.includes(name))
  return [
    ...needed.map((name) => [name, true] as [string, boolean]),
    ...optional.map((name) => [name, false] as [string, boolean]),
  ]
}

type Names = Record<string, string> | undefined

function parsed(file: string): Record<'dependencies' | 'optionalDependencies' | 'peerDependencies', Names> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return refuse(`${file}: no JSON: ${error.message}: install the package again`)
  }
}

/** The nearest one, and all folders in which a nearer one could stand. */
function search(from: string, name: string): { path?: string; passed: string[] } {
  const passed: string[] = []
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules')
    // node looks for no node_modules/node_modules
    if (basename(folder) !== 'node_modules') {
      passed.push(existsSync(modules) ? modules : folder)
      if (existsSync(join(modules, name))) return { path: join(modules, name), passed }
    }
    if (folder === dirname(folder)) return { passed }
  }
}
