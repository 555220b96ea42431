/**
 * What is printed of a real cluster: `eventscript ip` beside `ctdb ip`, the four states of the plugin, the metrics, and
 * doctor on a healthy node. Its public addresses, of both families, are written in ten spellings.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { MAIN, SCRIPT, type Result } from '../lab/lab.ts'

const CLUSTER = fileURLToPath(new URL('../../../test/lab/cluster', import.meta.url))
const DIR = '/tmp/eventscript-out'
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : existsSync('/usr/sbin/ctdbd')
      ? undefined
      : 'needs ctdbd: apt-get install ctdb'
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

/** tap puts its loaders into NODE_OPTIONS of whatever is started: they must not come along into every event. */
async function run(argv: readonly string[]): Promise<Result> {
  const env = {
    LAB_NAME: 'esout',
    LAB_DIR: DIR,
    SCRIPTS: `00.ctdb ${SCRIPT}`,
    PUBLIC: join(DIR, '../esout.public'),
  }
  const { stdout, stderr, exitCode } = await execa('env', ['-u', 'NODE_OPTIONS', ...argv], {
    env,
    reject: false,
  })
  return { status: exitCode ?? 255, out: stdout, err: stderr }
}
const cluster = (...words: string[]) => run([CLUSTER, ...words])
const ctdb = async (node: string, ...words: string[]) => (await cluster('ctdb', node, ...words)).out
const on = (node: string, ...words: string[]) => cluster('exec', node, process.execPath, MAIN, ...words)

/** The rows of a table, each by its headings. */
function table(text: string): Record<string, string>[] {
  const [header = [], ...rows] = text.split('\n').map((line) => line.split('|').slice(1, -1))
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])))
}

async function eventually(holds: () => Promise<boolean>, seconds = 30): Promise<boolean> {
  const last = performance.now() + seconds * 1000
  while (performance.now() < last) {
    if (await holds()) return true
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  return false
}

/** A cluster that has just started still moves addresses about: every node says the same, five times in as many seconds. */
async function settled(): Promise<boolean> {
  let [last, same] = ['', 0]
  return await eventually(async () => {
    const views = await Promise.all(['0', '1', '2'].map((node) => ctdb(node, '-X', 'ip')))
    const all = views.join('\n')
    same = all === last && new Set(views).size === 1 && !all.includes('|-1|') ? same + 1 : 0
    last = all
    await new Promise((resolve) => setTimeout(resolve, 700))
    return same === 5
  }, 60)
}

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
    t.ok(await settled(), 'all addresses are served, and none moves any more')

    await t.test('"eventscript ip -X" and "ctdb -X ip" agree field by field', async (t) => {
      for (const node of ['0', '1', '2']) {
        const ours = await on(node, 'ip', '-X')
        t.match(ours, { status: 0, err: '' })
        for (const words of [['ip'], ['-v', 'ip']]) {
          const theirs = table(await ctdb(node, '-X', ...words))
          t.equal(theirs.length, ADDRESSES.length)
          const columns = Object.keys(theirs[0] ?? {})
          t.same(
            table(ours.out).map((row) => Object.fromEntries(columns.map((name) => [name, row[name]]))),
            theirs,
            columns.join(),
          )
        }
        for (const row of table(ours.out)) {
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
      const [theirs] = table(await ctdb('0', '-X', 'ifaces'))
      t.match(table((await on('0', 'ifaces', '-X')).out), [{ ...theirs, KernelLink: '1', State: 'ok' }])
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
      t.match(out, /^CTDB WARNING - 1 disabled nodes \(1\) \| .* nodes_disabled=1;0;;0 /)
      t.match(await on('0', 'check', '-w', 'nodes_disabled=1'), { status: 0 }, 'one may be')
      t.match(await on('0', 'check', '-c', 'nodes_disabled=0'), {
        status: 2,
        out: /^CTDB CRITICAL - 1 disabled/,
      })
      await ctdb('0', 'enable', '-n', '1')
      t.ok(await settled())
    })

    await t.test('check: an address that no node hosts is CRITICAL', async (t) => {
      await Promise.all(['0', '1', '2'].map((node) => ctdb(node, 'disable', '-n', node)))
      t.ok(await eventually(async () => /\|-1\|$/m.test(await ctdb('0', '-X', 'ip', 'all'))))
      const { status, out } = await on('0', 'check')
      t.equal(status, 2, out)
      t.match(out, /^CTDB CRITICAL - \d+ public addresses that no node hosts \(/)
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
      t.match(out, /^CTDB UNKNOWN - "ctdb -X nodestatus all" did not answer within \d s: is ctdbd hanging\?/)
      t.ok(performance.now() - began < 15_000)
    })

    await t.test('check: a ctdbd that was stopped is UNKNOWN; ip shows what the kernel has', async (t) => {
      // the namespaces of a node go with its last process
      const anchor = execa(
        'env',
        ['-u', 'NODE_OPTIONS', CLUSTER, 'exec', '0', 'sh', '-c', 'echo $$; exec sleep 120'],
        {
          env: { LAB_NAME: 'esout', LAB_DIR: DIR },
          reject: false,
        },
      )
      const pid = await new Promise<string>((resolve) => {
        anchor.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))
      })
      await ctdb('0', 'shutdown')
      const inside = (...words: string[]) =>
        run(['nsenter', '-t', pid, '-m', '-n', process.execPath, MAIN, ...words])
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
      process.kill(Number(pid), 'SIGKILL')
      await anchor
    })
  })
