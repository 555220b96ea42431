import { readFileSync } from 'node:fs'

/** In a program of one file the build puts the texts of the helpers that it needs. */
declare const EMBEDDED: Readonly<Record<string, string>> | undefined

/**
 * The text of a helper in `runner/libexec`, which the build copies beside the compiled files. Read when the daemon starts: a
 * running daemon outlives its package, and its helpers are never those of another version.
 */
export function helperText(name: string): string {
  if (typeof EMBEDDED !== 'undefined') return EMBEDDED[name] ?? ''
  return readFileSync(new URL(`../../libexec/${name}`, import.meta.url), 'utf8')
}

/** The words of a command that runs a helper; more words are the helper's own. */
export function helper(name: string): readonly string[] {
  const text = helperText(name)
  return name.endsWith('.pl') ? ['perl', '-e', text] : ['sh', '-c', text, name]
}

/** Programs of ours that answer one question and end: they are named in a command, and in a recording, as they are here. */
const OWN = new Map([['wire-question.pl', helper('wire-question.pl')]])

/** Is the command one of our own programs, which is in no folder of PATH? */
export function isOwnProgram([program = '']: readonly string[]): boolean {
  return OWN.has(program)
}

/** The words by which the command is started. */
export function asProgram([program = '', ...words]: readonly string[]): readonly string[] {
  return [...(OWN.get(program) ?? [program]), ...words]
}
