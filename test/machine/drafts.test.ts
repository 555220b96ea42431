import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { live } from '../../runner/machine/live/live.ts'
import t from '../tap.ts'

/** Beyond the highest pid that Linux gives out. */
const NOBODY = 4_194_305

t.test('only drafts of ours whose writer is gone are removed', async (t) => {
  const dir = t.testdir()
  const theirs = [
    'rt_tables.new.20240101',
    `rt_tables.new.${NOBODY}`,
    'rt_tables.eventscript.new.20240101',
    `rt_tables.eventscript.new.${NOBODY}.bak`,
    `.eventscript.new.${NOBODY}`,
  ]
  const ours = `rt_tables.eventscript.new.${NOBODY}`
  const folder = `folder.eventscript.new.${NOBODY - 1}`
  const beingWritten = `other.eventscript.new.${process.pid}`
  for (const name of [...theirs, ours, beingWritten]) writeFileSync(join(dir, name), '')
  mkdirSync(join(dir, folder))
  await live().write(join(dir, 'rt_tables'), 'text\n')
  for (const name of [...theirs, beingWritten, folder]) t.ok(existsSync(join(dir, name)), name)
  t.notOk(existsSync(join(dir, ours)), ours)
})
