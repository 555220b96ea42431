import { helper } from './libexec.ts'

/** Programs of ours that answer one question and end: they are named in a command, and in a recording, as they are here. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  'wire-question.pl': helper('wire-question.pl'),
}

/** Is the command one of our own programs, which is in no folder of PATH? */
export function isOwnProgram([program = '']: readonly string[]): boolean {
  return OWN[program] !== undefined
}

/** The words by which the command is started. */
export function asProgram([program = '', ...words]: readonly string[]): readonly string[] {
  return [...(OWN[program] ?? [program]), ...words]
}
