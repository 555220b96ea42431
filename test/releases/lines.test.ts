/** The recorded verdicts of ctdb 4.25 on the lines of fixtures/ctdb-files, asked of the ctdbd of Debian sid again. */
import t from '../tap.ts'
import { sameVerdicts } from '../lab/ctdb/same-verdicts.ts'
import { chosen, have } from './release.ts'

for (const release of chosen().filter(({ ctdb }) => ctdb === '4.25')) {
  const had = await have(release)
  t.test(release.release, { skip: 'why' in had && had.why }, async (t) => {
    if (!('why' in had)) await sameVerdicts(t, '4.25', had.env['RELEASE_ROOT'])
  })
}
