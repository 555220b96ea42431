/** Every release with our script, in CTDB's event daemon. Needs root and mmdebstrap. */
import t from '../tap.ts'
import { chosen, have } from './release.ts'
import { whole } from './whole.ts'

for (const release of chosen()) {
  const had = await have(release)
  const name = `CTDB ${release.ctdb} of ${release.release}, node ${release.node}: our script, in CTDB's event daemon`
  if ('why' in had) t.test(name, { skip: had.why }, () => undefined)
  else t.test(name, (t) => whole(t, release, had.env, { name: 'esrs', install: 'install', daemon: false }))
}
