/** The commands of a dry run. */
import { toPrinting, toShell } from '../machine/argv.ts'
import type { Witness } from '../machine/recording/record.ts'
import type { Step } from '../machine/recording/transcript.ts'
import { indented } from './handler-report.ts'
import type { Output } from './output.ts'

/** Prints each command ready to be pasted; all other lines are comments. */
export function commandPrinter({ print, paints }: Pick<Output, 'print' | 'paints'>): Witness {
  const comment = (text: string) => print(paints.dim(`# ${indented(text, '#   ')}`))
  return {
    begins: () => {},
    ended: (step) => shellLines(step).forEach((line) => print(line)),
    notes: (note) => {
      if (note.verb === 'handler') comment(note.name)
      if (note.verb === 'say') comment(`says: ${note.text}`)
      if (note.verb === 'end' && note.outcome === 'not-run') comment(`not run: ${note.why}`)
      else if (note.verb === 'end')
        comment(`would end: ${[note.outcome, note.why].filter(Boolean).join(': ')}`)
    },
  }
}

/** A step that changes something, as lines for a shell; none for a step that only looks, or that failed. */
export function shellLines(step: Step): string[] {
  if (step.trouble) return []
  if (step.verb === 'write') return [`${toPrinting(step.text)} >${toShell([step.path])}`]
  if (step.verb !== 'change') return []
  const command = toShell(step.argv)
  if (step.how === 'start') return [`${command} &`]
  return [step.input === undefined ? command : `${toPrinting(step.input)} | ${command}`]
}
