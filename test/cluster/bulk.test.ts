/**
 * A real cluster of three nodes with 60 addresses, all started at once, then one node disabled: what bans nodes with
 * CTDB's own daemon. How long it takes is printed, and belongs to `npm run bench -- --only cluster`. Needs root.
 */
import t from '../tap.ts'
import {
  clusterIn,
  eventually,
  failback,
  failover,
  hasShare,
  held,
  options,
  OUR_DAEMON,
  troubleIn,
  whyNoCluster,
} from '../lab/ctdb/nodes.ts'

const NODES = 3
const ADDRESSES = 60
const DIR = '/tmp/eventscript-bulk'
const QUIET = { timeouts: 0, bans: 0 }

const why = whyNoCluster()

if (why) t.plan(0, why)
else
  for (const [family, policies] of [
    ['6', ['default', 'fast']],
    ['4', ['default']],
  ] as const)
    t.test(`IPv${family}, ${ADDRESSES} addresses: nothing times out and nobody is banned`, async (t) => {
      const cluster = clusterIn('esbk', DIR, OUR_DAEMON)
      t.teardown(() => cluster('down'))
      t.comment(await cluster('up', `${NODES}`, `${ADDRESSES}`, family))
      t.same(troubleIn(DIR, NODES), QUIET, 'a plain start of all nodes at once')
      t.ok(await hasShare(cluster, '2', ADDRESSES / NODES), 'each node has its share')

      for (const policy of policies) {
        options(DIR, NODES, `EVENTSCRIPT_DAD=${policy}\n`)
        const { seconds, moved, hosted } = await failover(cluster, '2')
        t.comment(`EVENTSCRIPT_DAD=${policy}: ${moved} of ${ADDRESSES} addresses moved in ${seconds} s`)
        t.equal(moved, ADDRESSES / NODES, 'a third of the addresses has to move')
        t.equal(hosted, ADDRESSES, 'every address of a disabled node is up elsewhere')
        t.ok(await eventually(async () => (await held(cluster, '2')).length === 0), 'and it holds none')
        t.ok(await failback(cluster, '2', ADDRESSES / NODES), 'when it is back, it has its share again')
        t.same(troubleIn(DIR, NODES), QUIET, 'nothing timed out, nobody was banned')
      }
    })
