/**
 * What is printed of a real cluster: `eventscript ip` beside `ctdb ip`, the four states of the plugin, the metrics, and
 * doctor on a healthy node. Its public addresses, of both families, are written in ten spellings.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t from '../tap.ts'
import { ifacesAsCtdb, ipAsCtdb, settled, table, type OnNode } from '../lab/ctdb/as-ctdb.ts'
import { MAIN, SCRIPT } from '../lab/paths.ts'
import { askIn, eventually, whyNoCluster } from '../lab/ctdb/nodes.ts'

const DIR = '/tmp/eventscript-out'
const why = whyNoCluster()
const noPromtool = existsSync('/usr/bin/promtool') ? false : 'needs promtool: apt-get install prometheus'

/** Each address in a spelling of its own; ctdbd reads them all. */
const PUBLIC = `FD02::1:1/64 eth0
fd02:0:0:0:0:0:1:2/64 eth0
fd02:0000:0000:0000:0000:0000:0001:0003/64 eth0
[fd02::1:4]/64 eth0
[FD02:0::0:1:5]/64 eth0
fd02::0001:0006/64 eth0
10.9.1.1/16 eth0
::ffff:10.9.1.2/16 eth0
::FFFF:10.9.1.3/16 eth0
[0:0:0:0:0:ffff:10.9.1.4]/16 eth0
`
const ADDRESSES = [
  ...[1, 2, 3, 4].map((i) => `10.9.1.${i}`),
  ...[1, 2, 3, 4, 5, 6].map((i) => `fd02::1:${i}`),
]

const cluster = askIn('esout', DIR, {
  SCRIPTS: `00.ctdb ${SCRIPT}`,
  PUBLIC: join(DIR, '../esout.public'),
})
const ctdb = async (node: string, ...words: string[]) => (await cluster('ctdb', node, ...words)).out
const on = (node: string, ...words: string[]) => cluster('exec', node, process.execPath, MAIN, ...words)
const onNode = (node: string): OnNode => ({
  ours: (...words) => on(node, ...words),
  ctdb: (...words) => ctdb(node, ...words),
})

const views = () => Promise.all(['0', '1', '2'].map((node) => ctdb(node, '-X', 'ip')))

if (why) t.plan(0, why)
else
  t.test('a cluster is shown as it is', async (t) => {
    writeFileSync('/tmp/esout.public', PUBLIC)
    const prom = join(tmpdir(), `esout-${process.pid}.prom`)
    t.teardown(async () => {
      await cluster('down')
      for (const file of ['/tmp/esout.public', prom]) rmSync(file, { force: true })
    })
    t.match(await cluster('up', '3', '6', '6'), { status: 0 }, 'ctdbd reads all ten spellings')
    t.ok(await settled(views), 'all addresses are served, and none moves any more')

    await t.test('"eventscript ip -X" and "ctdb -X ip" agree field by field', async (t) => {
      for (const node of ['0', '1', '2']) {
        for (const row of await ipAsCtdb(t, onNode(node), ADDRESSES.length)) {
          t.ok(ADDRESSES.includes(row['Public IP'] ?? ''), `${row['Public IP']} is canonical`)
          const here = row['Node'] === node
          t.equal(row['State'], here ? 'here' : 'elsewhere')
          const bits = row['Public IP']?.includes(':') ? 64 : 16
          t.equal(row['Kernel'], here ? `eth0/${bits}` : '')
          t.match(row, { ListedBits: String(bits), ListedInterfaces: 'eth0', Parked: '0' })
        }
      }
      t.equal(
        (await on('0', 'ip', '-Y', '-x', ';')).out,
        (await on('0', 'ip', '-X')).out.replaceAll('|', ';'),
      )
      t.match(await on('0', 'ip', '-x', ':'), { status: 2, out: '' })
    })

    await t.test('"eventscript ifaces -X" and "ctdb -X ifaces" agree', async (t) => {
      await ifacesAsCtdb(t, onNode('0'))
    })

    await t.test('the nodes file of two nodes is alike, and doctor finds nothing', async (t) => {
      t.match(await on('0', 'nodes', '--compare', join(DIR, '1/etc/nodes')), { status: 0, err: '' })
      const { status, out } = await on('0', 'doctor', '--json', '--events', '/etc/ctdb/events/legacy')
      t.equal(status, 0)
      t.same(
        // these nodes are no service of systemd, which could have our drop-in
        (JSON.parse(out) as { state: string; check: string }[]).filter(
          ({ state, check }) => state !== 'ok' && check !== 'systemd',
        ),
        [],
      )
    })

    await t.test('check: a healthy cluster is OK', async (t) => {
      const { status, out } = await on('0', 'check')
      t.equal(status, 0, out)
      t.match(out, /^CTDB OK - 3 nodes, 10 addresses, 2 scripts are well \| nodes=3;;;0 /)
      t.match(
        out,
        / nodes_disabled=0;0;;0 .* addresses_unassigned=0;;0;0 .* handlers_slowest=[\d.]+s;10;25;0 scripts_hung=0;;0;0$/,
      )
    })

    await t.test(
      'metrics: the same figures, and promtool has nothing to say',
      { skip: noPromtool },
      async (t) => {
        t.match(await on('0', 'metrics', prom), { status: 0, out: '', err: '' })
        const text = readFileSync(prom, 'utf8')
        t.match(text, /^eventscript_up 1$/m)
        t.match(text, /^eventscript_nodes 3$/m)
        t.match(text, /^eventscript_addresses 10$/m)
        t.match(text, /^eventscript_handler_ok\{handler="10\.interface",event="monitor"\} 1$/m)
        const { exitCode, stdout, stderr } = await execa('promtool', ['check', 'metrics'], {
          input: text,
          reject: false,
        })
        t.same({ exitCode, stdout, stderr }, { exitCode: 0, stdout: '', stderr: '' })
      },
    )

    await t.test('check: a disabled node is a WARNING', async (t) => {
      await ctdb('0', 'disable', '-n', '1')
      t.ok(await eventually(async () => !/\|(1|-1)\|$/m.test(await ctdb('0', '-X', 'ip', 'all'))))
      const { status, out } = await on('0', 'check')
      t.equal(status, 1, out)
      t.match(out, /^CTDB WARNING - 1 disabled node \(node 1\) \| .* nodes_disabled=1;0;;0 /)
      t.match(await on('0', 'check', '-w', 'nodes_disabled=1'), { status: 0 }, 'one may be')
      t.match(await on('0', 'check', '-c', 'nodes_disabled=0'), {
        status: 2,
        out: /^CTDB CRITICAL - 1 disabled/,
      })
      await ctdb('0', 'enable', '-n', '1')
      t.ok(await settled(views))
    })

    await t.test('check: an address that no node hosts is CRITICAL', async (t) => {
      await Promise.all(['0', '1', '2'].map((node) => ctdb(node, 'disable', '-n', node)))
      t.ok(await eventually(async () => /\|-1\|$/m.test(await ctdb('0', '-X', 'ip', 'all'))))
      const { status, out } = await on('0', 'check')
      t.equal(status, 2, out)
      t.match(out, /^CTDB CRITICAL - \d+ public addresses that no node hosts \(/)
      const audit = await on('0', 'audit')
      t.equal(audit.status, 1, audit.out)
      t.match(audit.out, /^ERROR +node 0: DISABLED: .*$/m)
      t.match(audit.out, /\n\d+ wrong, \d+ weak: 10 public addresses, \d+ of them here\n?$/)
      t.match(
        table((await on('0', 'ip', '-X')).out).map((row) => row['State']),
        /unassigned/,
      )
      await Promise.all(['0', '1', '2'].map((node) => ctdb(node, 'enable', '-n', node)))
    })

    await t.test('check: a ctdbd that hangs is UNKNOWN, within the limit', async (t) => {
      const pid = Number(readFileSync(join(DIR, '2/run/ctdbd.pid'), 'utf8'))
      process.kill(pid, 'SIGSTOP')
      const began = performance.now()
      const { status, out } = await on('2', 'check', '--timeout', '3')
      process.kill(pid, 'SIGCONT')
      t.equal(status, 3, out)
      t.match(out, /^CTDB UNKNOWN - ctdbd does not answer: "ctdb -X nodestatus all" was ended after \d/)
      t.ok(performance.now() - began < 15_000)
    })

    await t.test('check: a ctdbd that was stopped is UNKNOWN; ip shows what the kernel has', async (t) => {
      await ctdb('0', 'shutdown')
      const inside = (...words: string[]) => on('0', ...words)
      t.ok(await eventually(async () => (await inside('check')).status === 3))
      const { out } = await inside('check')
      t.match(out, /^CTDB UNKNOWN - "ctdb -X nodestatus all" failed: connect\(\) failed/)
      t.notMatch(out, '\n')
      const ip = await inside('ip', '-X')
      t.match(ip, { status: 1, err: /^eventscript: "ctdb pnn" failed: / })
      t.equal(table(ip.out).length, ADDRESSES.length)
      for (const row of table(ip.out)) t.match(row, { Node: '', State: 'unknown' })
      const metrics = await inside('metrics')
      t.match(metrics, { status: 1, err: /connect\(\) failed/, out: /^eventscript_up 0$/m })
      t.match(metrics.out, /^eventscript_state 3$/m)
    })
  })
