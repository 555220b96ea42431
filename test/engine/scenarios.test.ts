/** Every recording in fixtures/NN.name is replayed: each file there is a test. No root, no `ip`, no PATH. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from '../tap.ts'
import { replayFile } from '../../runner/engine/replay-event.ts'
import { findHandlers } from '../../runner/engine/find-handlers.ts'
import { redactor } from '../../runner/machine/recording/redact.ts'

const DIST = fileURLToPath(new URL('../..', import.meta.url))
const FIXTURES = join(DIST, '../fixtures')
const entries = findHandlers(join(DIST, 'events.d'))

process.env['PATH'] = ''

for (const folder of readdirSync(FIXTURES).filter((name) => /^\d\d\./.test(name)))
  for (const file of readdirSync(join(FIXTURES, folder)).filter((name) => name.endsWith('.txt')))
    void t.test(`${folder}/${file} replays as recorded`, async (test) => {
      const recording = readFileSync(join(FIXTURES, folder, file), 'utf8')
      const { problems } = await replayFile(recording, entries)
      test.equal(problems.join('\n\n'), '')
      const redacted = await replayFile(redactor()(recording), entries)
      test.equal(redacted.problems.join('\n\n'), '', 'and so it does with --redact')
    })
