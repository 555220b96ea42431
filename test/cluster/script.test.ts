/** Our script in CTDB's own event daemon, on a real cluster of three nodes in namespaces. Needs root and ctdb. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { SCRIPT } from '../lab/lab.ts'

const CLUSTER = fileURLToPath(new URL('../../../test/lab/cluster', import.meta.url))
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : existsSync('/usr/sbin/ctdbd')
      ? undefined
      : 'needs ctdbd: apt-get install ctdb'

async function cluster(...words: string[]): Promise<string> {
  const env = { LAB_NAME: 'escl', LAB_DIR: '/tmp/eventscript-cluster', SCRIPTS: `00.ctdb ${SCRIPT}` }
  // tap puts its loaders into NODE_OPTIONS of whatever is started: they must not come along into every event
  const argv = ['-u', 'NODE_OPTIONS', CLUSTER, ...words]
  const { stdout, stderr, exitCode } = await execa('env', argv, { env, reject: false })
  if (exitCode !== 0) throw new Error(`cluster ${words.join(' ')}: ${stderr || stdout}`)
  return stdout
}

if (why) t.plan(0, why)
else
  for (const family of ['6', '4'])
    t.test(`IPv${family}: three nodes, six public addresses, one node disabled and back`, async (t) => {
      t.teardown(() => cluster('down'))
      await cluster('up', '3', '6', family)
      const moved = await cluster('failover', '2')
      t.match(moved, /hosted=6 .*takeip_timeouts=0/, 'every address is up elsewhere')
      const rows = (await cluster('ctdb', '0', '-X', 'ip', 'all')).split('\n').slice(1)
      t.equal(rows.length, 6)
      for (const row of rows) t.match(row, /\|[01]\|$/, `${row}: on one of the healthy nodes`)
      for (const node of ['0', '1']) {
        t.match(await cluster('ctdb', node, 'event', 'status', 'legacy', 'monitor'), /^10\.interface +OK/m)
        t.match(await cluster('ctdb', node, '-X', 'nodestatus'), /\|0\|0\|0\|0\|0\|0\|0\|/, 'healthy')
        const real = JSON.parse(
          await cluster('exec', node, 'ip', '-json', 'addr', 'show', 'dev', 'eth0'),
        ) as {
          addr_info: { local: string }[]
        }[]
        const kernel = real.flatMap((link) => link.addr_info.map(({ local }) => local))
        const daemon = rows.filter((row) => row.endsWith(`|${node}|`)).map((row) => row.split('|')[1] ?? '')
        t.ok(
          daemon.every((address) => kernel.includes(address)),
          'the kernel has what the daemon believes',
        )
        const cache = (
          await cluster('exec', node, 'cat', '/var/lib/ctdb/scripts/my-public-ip-addresses')
        ).split('\n')
        t.same(cache.toSorted(), daemon.toSorted(), 'and so has the list of hosted addresses')
      }
      t.match(
        await cluster('exec', '2', 'ip', '-br', 'addr'),
        family === '6' ? /^((?!fd02::1:).)*$/s : /^((?!10\.9\.1\.).)*$/s,
        'the disabled node holds none',
      )
    })
