/** The recorded verdicts of ctdb 4.17 on the lines of fixtures/ctdb-files, asked of the real ctdbd again. */
import t from '../tap.ts'
import { whyNoCluster } from '../lab/ctdb/nodes.ts'
import { whyNoVerdict } from '../lab/ctdb/lines.ts'
import { sameVerdicts } from '../lab/ctdb/same-verdicts.ts'

const why = whyNoCluster() ?? (await whyNoVerdict('4.17'))

if (why) t.plan(0, why)
else t.test('this ctdbd reads each line as recorded', (t) => sameVerdicts(t, '4.17'))
