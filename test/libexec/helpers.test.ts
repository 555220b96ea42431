/** The helpers in perl and sh are tested without node: test/libexec/helpers.sh prints TAP of its own. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from '../tap.ts'
import { DIST } from '../lab/paths.ts'

const BUILT = join(DIST, 'runner/libexec')

await t.spawn('sh', [join(DIST, '../test/libexec/helpers.sh'), BUILT], { name: 'each helper by itself' })

t.test('the build has every helper, executable by all and writable by root alone', (t) => {
  const names = readdirSync(join(DIST, '../runner/libexec'))
  t.ok(names.length >= 5, names.join(' '))
  t.same(readdirSync(BUILT).toSorted(), names.toSorted())
  for (const name of names) t.equal(statSync(join(BUILT, name)).mode & 0o7777, 0o755, name)
  t.end()
})
