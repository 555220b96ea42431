/** A file in a folder of another user: their link is never followed. */
import { closeSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../tap.ts'
import { newFile } from '../../runner/machine/files/new-file.ts'
import { writeMetrics } from '../../runner/inspect/check/metrics.ts'

void t.test('a planted link is refused or replaced, and its target stays as it was', (test) => {
  const folder = test.testdir({ kept: 'kept' })
  const [kept, link] = [join(folder, 'kept'), join(folder, 'x.prom')]
  symlinkSync(kept, link)
  test.throws(() => newFile(link, 0o600), { code: 'EEXIST' })
  test.throws(() => newFile(link, 0o600, true), { code: 'EEXIST' }, 'only an ordinary file is replaced')
  writeMetrics(link, 'figures\n')
  test.equal(readFileSync(link, 'utf8'), 'figures\n')
  test.equal(readFileSync(kept, 'utf8'), 'kept')
  test.end()
})

void t.test('the mode does not depend on the umask', (test) => {
  const folder = test.testdir({ old: 'old' })
  const before = process.umask(0)
  try {
    closeSync(newFile(join(folder, 'new'), 0o600))
    writeFileSync(join(folder, 'old'), 'old')
    closeSync(newFile(join(folder, 'old'), 0o600, true))
  } finally {
    process.umask(before)
  }
  test.equal(statSync(join(folder, 'new')).mode & 0o777, 0o600)
  test.equal(statSync(join(folder, 'old')).mode & 0o777, 0o600)
  test.equal(readFileSync(join(folder, 'old'), 'utf8'), '')
  test.end()
})
