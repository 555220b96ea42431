/** No program that we start in an event is missing in the list of those that go wrong. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../tap.ts'
import { REPOSITORY } from '../lab/paths.ts'
import { WRAPPED } from './faults.ts'

/** Commands that an admin starts by hand. */
const BY_HAND = /^runner\/(cli|inspect|install)\//

/** A program that is named where it is started or looked for. */
const STARTS = [
  /\b(?:ask|change)(?:\([^`)]*\))?`([a-z][\w-]*) /g,
  /\.find\('([\w-]+)'\)/g,
  /\bfindProgram\('([\w-]+)'\)/g,
  /\bexeca(?:Sync)?\('([\w-]+)'/g,
]

t.test('every program that an event starts goes wrong in the suite', (t) => {
  const files = ['runner', 'events.d'].flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' }).map(
      (name) => `${folder}/${name}`,
    ),
  )
  const sources = files.filter((file) => file.endsWith('.ts') && !BY_HAND.test(file))
  const started = sources.flatMap((file) => {
    const text = readFileSync(join(REPOSITORY, file), 'utf8')
    return STARTS.flatMap((form) =>
      [...text.matchAll(form)].map(([, program = '']) => `${program} (${file})`),
    )
  })
  t.ok(started.length > 20, `${started.length} starts`)
  t.same(
    started.filter((each) => !WRAPPED.has(each.replace(/ .*/, ''))),
    [],
  )
  t.end()
})
