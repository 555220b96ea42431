/**
 * A real cluster of three nodes in namespaces, with CTDB's own daemon: our script in its event daemon, and our event
 * daemon in place of it. Needs root and Debian's ctdb.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { DIST, SCRIPT } from '../lab/lab.ts'

const CLUSTER = fileURLToPath(new URL('../../../test/lab/cluster', import.meta.url))
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : existsSync('/usr/sbin/ctdbd')
      ? undefined
      : 'needs ctdbd: apt-get install ctdb'

const WAYS: readonly { who: string; more: Record<string, string> }[] = [
  { who: "our script in CTDB's event daemon", more: {} },
  { who: 'our event daemon', more: { EVENTD: join(DIST, 'ctdb-eventd') } },
]

function clusterWith(more: Record<string, string>) {
  const env = {
    LAB_NAME: 'escl',
    LAB_DIR: '/tmp/eventscript-cluster',
    SCRIPTS: `00.ctdb ${SCRIPT}`,
    ...more,
  }
  return async (...words: string[]): Promise<string> => {
    // tap puts its loaders into NODE_OPTIONS of whatever is started: they must not come along into every event
    const argv = ['-u', 'NODE_OPTIONS', CLUSTER, ...words]
    const { stdout, stderr, exitCode } = await execa('env', argv, { env, reject: false })
    if (exitCode !== 0) throw new Error(`cluster ${words.join(' ')}: ${stderr || stdout}`)
    return stdout
  }
}

/** The public addresses of the lab that the kernel of that node has. */
async function held(cluster: (...words: string[]) => Promise<string>, node: string): Promise<string[]> {
  const real = JSON.parse(await cluster('exec', node, 'ip', '-json', 'addr', 'show', 'dev', 'eth0')) as {
    addr_info: { local?: string }[]
  }[]
  const all = real.flatMap((link) => link.addr_info.map(({ local = '' }) => local))
  return all.filter((address) => /^(?:fd02::1:|10\.9\.[1-9])/.test(address)).toSorted()
}

/** Does it come true within 20 s? */
async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  for (let i = 0; i < 200; i += 1) {
    if (await holds().catch(() => false)) return true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}

if (why) t.plan(0, why)
else
  for (const { who, more } of WAYS)
    for (const family of ['6', '4'])
      t.test(`IPv${family}, ${who}: start, monitor, addresses taken and released, shutdown`, async (t) => {
        const cluster = clusterWith(more)
        t.teardown(() => cluster('down'))
        await cluster('up', '3', '6', family)
        const moved = await cluster('failover', '2')
        t.match(moved, /hosted=6 .*takeip_timeouts=0/, 'every address of a disabled node is up elsewhere')
        t.same(await held(cluster, '2'), [], 'and it holds none')
        const rows = (await cluster('ctdb', '0', '-X', 'ip', 'all')).split('\n').slice(1)
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
