/** Every recording in fixtures/NN.name is replayed: each file there is a test. No root, no `ip`, no PATH. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from '../tap.ts'
import { replayFile } from '../../runner/engine/replay-event.ts'
import { findHandlers } from '../../runner/engine/find-handlers.ts'
import { readTranscript } from '../../runner/machine/recording/read-transcript.ts'
import { writing } from '../../runner/machine/recording/record.ts'
import { redacted } from '../../runner/machine/recording/redact/redacted.ts'
import { redactor } from '../../runner/machine/recording/redact/redact.ts'
import { isNote } from '../../runner/machine/recording/transcript.ts'
import { writeHeader } from '../../runner/machine/recording/write-transcript.ts'
import { OPTION_RULES } from '../../runner/node/option-rules.ts'

const DIST = fileURLToPath(new URL('../..', import.meta.url))
const FIXTURES = join(DIST, '../fixtures')
const entries = findHandlers(join(DIST, 'events.d'))

process.env['PATH'] = ''

/** The recording as `--redact` would have written it. */
function whollyRedacted(recording: string): string {
  const { header, entries: all } = readTranscript(recording)
  const hide = redactor()
  let text = hide(writeHeader(header))
  const witness = redacted(
    writing((more) => (text += more)),
    hide,
    OPTION_RULES,
  )
  for (const entry of all) {
    if (isNote(entry)) witness.notes(entry)
    else {
      witness.begins(entry)
      witness.ended(entry)
    }
  }
  return text
}

for (const folder of readdirSync(FIXTURES).filter((name) => /^\d\d\./.test(name)))
  for (const file of readdirSync(join(FIXTURES, folder)).filter((name) => name.endsWith('.txt')))
    void t.test(`${folder}/${file} replays as recorded`, async (test) => {
      const recording = readFileSync(join(FIXTURES, folder, file), 'utf8')
      const { problems } = await replayFile(recording, entries)
      test.equal(problems.join('\n\n'), '')
      const again = await replayFile(whollyRedacted(recording), entries)
      test.equal(again.problems.join('\n\n'), '', 'and so it does with --redact')
    })
