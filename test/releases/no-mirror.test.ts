/** Where no mirror of Debian answers, what needs a chroot that is not there is skipped with that reason. */
import { execaSync } from 'execa'
import t from '../tap.ts'
import { RELEASE_ROOT } from '../lab/ctdb/root.ts'
import { programPath } from '../lab/needs.ts'

const why = programPath('unshare') ? execaSync(RELEASE_ROOT, ['--why']).stdout : 'needs unshare'

t.test('without a network no chroot can be had', why === '' ? {} : { skip: why }, (t) => {
  const env = { RELEASE_ROOTS: t.testdir() }
  const { exitCode, stderr } = execaSync('unshare', ['-n', RELEASE_ROOT, 'sid'], { env, reject: false })
  t.equal(exitCode, 4, stderr)
  t.match(stderr, /^release-root: the mirror of Debian that \/etc\/apt names does not answer, or has no sid$/)
  t.end()
})
