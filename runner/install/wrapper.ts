/**
 * A file of ours in place of a link, where CTDB would find no node: the file starts node by its full path. Its second line
 * is the mark by which `install`, `uninstall`, `doctor` and our event daemon recognise it.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { fromShell, toShell } from '../machine/argv.ts'
import { MARK } from './unit-text.ts'

const HEAD = `#!/bin/sh\n${MARK}\n`

/** The command of our file: node, and the program that node runs. */
export interface Wrapped {
  node: string
  program: string
}

/** `words` are node's arguments; the last of them is the program. */
export function wrapperFor(node: string, words: readonly string[]): string {
  return `${HEAD}# ctdbd has no node in its PATH that is new enough. This one has to stay where it is.
exec ${toShell([node, ...words])} "$@"
`
}

/** Undefined when the text is not that of our file. */
export function wrappedIn(text: string): Wrapped | undefined {
  if (!text.startsWith(HEAD)) return undefined
  const [exec, node, ...words] = fromShell(text.trimEnd().split('\n').at(-1) ?? '') ?? []
  const program = words.at(-2)
  return exec === 'exec' && node !== undefined && program !== undefined ? { node, program } : undefined
}

/** In bytes. Our files are shorter; a longer file in an event folder is not read. */
const LONGEST = 4096

/** The text of our file; undefined when the path holds something else, or this user may not read it. */
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

/** The program that runs in the end, through a link or a file of ours, and its node. Throws when the path leads nowhere. */
export function leadsTo(path: string): { program: string; node?: string } {
  const { node, program = path } = wrappedIn(wrapperAt(path) ?? '') ?? {}
  return { program: realpathSync(program), ...(node !== undefined && { node }) }
}
