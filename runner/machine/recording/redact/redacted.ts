import { LeftOut, LEFT_OUT } from './left-out.ts'
import type { Witness } from '../record.ts'
import { withoutOthersOptions, type OptionRules } from './redact-options.ts'
import { withoutOthersWords } from './redact-outside.ts'
import { hiddenIn } from './redact-step.ts'
import type { Note, Step } from '../transcript.ts'

/**
 * A witness for a recording that others may read. It hears nothing of what others have written, such as passwords in options,
 * comments, and the output of executables that are not ours; and all else through `hide`. A replay goes the same way.
 */
export function redacted(witness: Witness, hide: (text: string) => string, rules: OptionRules): Witness {
  const leftOut = new LeftOut()
  let isExecutable = false
  const bare = (step: Step): Step => {
    isExecutable ||= isScript(step)
    const known = withoutOthersWords(withoutOthersOptions(withoutOutput(step), rules, leftOut), leftOut)
    return hiddenIn(known, hide)
  }
  const noteWithout = (note: Note): Note => {
    if (note.verb === 'handler') isExecutable = false
    if (note.verb === 'say' && isExecutable) return { ...note, text: LEFT_OUT }
    if ('text' in note) return { ...note, text: leftOut.in(note.text) }
    return 'why' in note && note.why !== undefined ? { ...note, why: leftOut.in(note.why) } : note
  }
  return {
    begins: (step) => witness.begins(bare(step)),
    ended: (step) => witness.ended(bare(step)),
    notes: (note) => witness.notes(hiddenIn(noteWithout(note), hide)),
  }
}

const isScript = (step: Step) => step.verb === 'change' && step.how === 'script'

/** As many lines as there were: each is said. */
function withoutOutput(step: Step): Step {
  if (step.verb !== 'change' || step.how !== 'script' || !step.answer) return step
  const out = step.answer.out.replaceAll(/[^\n]+/g, LEFT_OUT)
  return { ...step, answer: { ...step.answer, out, err: '' } }
}
