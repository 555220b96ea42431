/** Every recording in fixtures/NN.name is replayed: each file there is a test. No root, no `ip`, no PATH. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from '../tap.ts'
import { replayFile } from '../../runner/engine/replay-event.ts'
import { findHandlers } from '../../runner/engine/find-handlers.ts'
import { readTranscript } from '../../runner/machine/recording/read-transcript.ts'
import { redactor } from '../../runner/machine/recording/redact/redact.ts'
import { asRedacted } from '../machine/as-redacted.ts'
import { writeHeader } from '../../runner/machine/recording/write-transcript.ts'

const DIST = fileURLToPath(new URL('../..', import.meta.url))
const FIXTURES = join(DIST, '../fixtures')
const entries = findHandlers(join(DIST, 'events.d'))

process.env['PATH'] = ''

/** The recording as `--redact` would have written it. */
function whollyRedacted(recording: string): string {
  const { header, entries: all } = readTranscript(recording)
  const hide = redactor()
  return hide(writeHeader(header)) + asRedacted(all, hide)
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
