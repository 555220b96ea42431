import { writing } from '../../runner/machine/recording/record.ts'
import { redacted } from '../../runner/machine/recording/redact/redacted.ts'
import { isNote, type Note, type Step } from '../../runner/machine/recording/transcript.ts'
import { OPTION_RULES } from '../../runner/node/option-rules.ts'

/** These steps and notes as `run --record FILE --redact` writes them; `hide` is a `redactor()`. */
export function asRedacted(entries: readonly (Step | Note)[], hide: (text: string) => string): string {
  let text = ''
  const witness = redacted(
    writing((more) => (text += more)),
    hide,
    OPTION_RULES,
  )
  for (const entry of entries) {
    if (isNote(entry)) witness.notes(entry)
    else {
      witness.begins(entry)
      witness.ended(entry)
    }
  }
  return text
}
