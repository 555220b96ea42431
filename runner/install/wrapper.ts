/**
 * A file of ours in place of a link, where CTDB would find no node: it starts node by its full path. The mark in its second
 * line is how `install`, `uninstall`, `doctor` and our event daemon know it.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { fromShell, toShell } from '../machine/argv.ts'
import { MARK } from './unit-text.ts'

const HEAD = `#!/bin/sh\n${MARK}\n`

/** What our file comes to as a command: node with its options, and the program that node runs. */
export interface Wrapped {
  node: string
  program: string
}

/** `words`: what node is started with; the last is the program. */
export function wrapperFor(node: string, words: readonly string[]): string {
  return `${HEAD}# ctdbd has no node in its PATH that is new enough. This one has to stay where it is.
exec ${toShell([node, ...words])} "$@"
`
}

/** Undefined when this is no file of ours. */
export function wrappedIn(text: string): Wrapped | undefined {
  if (!text.startsWith(HEAD)) return undefined
  const [exec, node, ...words] = fromShell(text.trimEnd().split('\n').at(-1) ?? '') ?? []
  const program = words.at(-2)
  return exec === 'exec' && node !== undefined && program !== undefined ? { node, program } : undefined
}

/** Ours are shorter; whatever else lies in an event folder is not read for this. */
const LONGEST = 4096

/** The text of such a file; undefined when something else is there, or this user may not read it. */
export function wrapperAt(path: string): string | undefined {
  try {
    const status = statSync(path)
    if (!status.isFile() || status.size > LONGEST) return undefined
    const text = readFileSync(path, 'utf8')
    return wrappedIn(text) && text
  } catch {
    return undefined
  }
}

/** Where a link leads, or a file of ours: which program runs in the end, and by which node. Throws when nothing is there. */
export function leadsTo(path: string): { program: string; node?: string } {
  const { node, program = path } = wrappedIn(wrapperAt(path) ?? '') ?? {}
  return { program: realpathSync(program), ...(node !== undefined && { node }) }
}
