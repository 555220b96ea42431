/**
 * A real cluster of three nodes in namespaces, with CTDB's own daemon: our script in its event daemon, and our event
 * daemon in place of it. Needs root and Debian's ctdb.
 */
import { execa } from 'execa'
import t from '../tap.ts'
import {
  clusterIn,
  eventually,
  hasShare,
  held,
  OUR_DAEMON,
  OUR_SCRIPT,
  whyNoCluster,
} from '../lab/ctdb/nodes.ts'

const why = whyNoCluster()

const WAYS: readonly { who: string; more: Record<string, string> }[] = [
  { who: "our script in CTDB's event daemon", more: OUR_SCRIPT },
  { who: 'our event daemon', more: OUR_DAEMON },
]

if (why) t.plan(0, why)
else
  for (const { who, more } of WAYS)
    for (const family of ['6', '4'])
      t.test(`IPv${family}, ${who}: start, monitor, addresses taken and released, shutdown`, async (t) => {
        const cluster = clusterIn('escl', '/tmp/eventscript-cluster', more)
        t.teardown(() => cluster('down'))
        await cluster('up', '3', '6', family)
        t.ok(await hasShare(cluster, '2', 2), 'each node has its share')
        const moved = await cluster('failover', '2')
        t.match(
          moved,
          /moved=2 hosted=6 .*takeip_timeouts=0/,
          'every address of a disabled node is up elsewhere',
        )
        t.same(await held(cluster, '2'), [], 'and it holds none')
        // the address is in the kernel before the event that brings it has ended: only then does the daemon say so
        let rows: string[] = []
        await eventually(async () => {
          rows = (await cluster('ctdb', '0', '-X', 'ip', 'all')).split('\n').slice(1)
          return rows.every((row) => /\|[01]\|$/.test(row))
        })
        t.equal(rows.length, 6)
        for (const row of rows) t.match(row, /\|[01]\|$/, `${row}: on one of the healthy nodes`)
        for (const node of ['0', '1']) {
          const status = await cluster('ctdb', node, 'event', 'status', 'legacy', 'monitor')
          t.match(status, /^10\.interface +OK/m)
          t.match(await cluster('ctdb', node, '-X', 'nodestatus'), /\|0\|0\|0\|0\|0\|0\|0\|/, 'healthy')
          const believed = rows
            .filter((row) => row.endsWith(`|${node}|`))
            .map((row) => row.split('|')[1] ?? '')
          t.same(await held(cluster, node), believed.toSorted(), 'the kernel has what the daemon believes')
          // the address is there before the event that brought it has ended
          t.ok(
            await eventually(async () => {
              const list = await cluster('exec', node, 'cat', '/var/lib/ctdb/scripts/my-public-ip-addresses')
              return list.split('\n').toSorted().join() === believed.toSorted().join()
            }),
            'and so has the list of hosted addresses',
          )
        }
        await cluster('ctdb', '2', 'enable')
        await cluster('ctdb', '1', 'shutdown').catch(() => '') // the tool loses its connection
        t.ok(
          await eventually(async () => {
            const { stdout } = await execa('ip', [
              'netns',
              'exec',
              'escl1',
              'ip',
              '-br',
              'addr',
              'show',
              'dev',
              'eth0',
            ])
            return !/fd02::1:|10\.9\.[1-9]/.test(stdout)
          }),
          'a node that was shut down holds none',
        )
      })
