/**
 * `eventscript audit` on a real cluster: nothing is wrong while it is well; what somebody has done by hand is found, and
 * repaired so that CTDB has nothing to say about it. Needs root and Debian's ctdb.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../tap.ts'
import { clusterIn, eventually, OUR_DAEMON, troubleIn, whyNoCluster } from '../lab/ctdb/nodes.ts'
import { sshIn } from '../lab/ctdb/onnode.ts'
import { MAIN } from '../lab/paths.ts'

const DIR = '/tmp/eventscript-audit'
const PUBLIC = '/tmp/esau.public'
const NODES = 2
const IPV6 = [1, 2, 3, 4].map((i) => `fd02::1:${i}`)
const IPV4 = [1, 2, 3, 4].map((i) => `10.9.1.${i}`)

const why = whyNoCluster()

interface Row {
  address: string
  node: number
  state: string
}

interface Audited {
  status: number
  addresses: Row[]
  faults: { state: string; kind: string; subject: string; repair: string | null }[]
  repairs: { command: string; outcome: string; said: string[] }[]
  trouble: string[]
}

/** The recovery daemon of a node, which repairs some of it by itself: it looks every second. */
function recoveryDaemon(node: string): number {
  const parent = readFileSync(join(DIR, node, 'run/ctdbd.pid'), 'utf8').trim()
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const [, name = '', ppid] =
        /^\d+ \((.*)\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? []
      return ppid === parent && name.includes('recover')
    } catch {
      return false // it has ended meanwhile
    }
  })
  if (found === undefined) throw new Error(`ctdbd ${parent} has no recovery daemon`)
  return Number(found)
}

if (why) t.plan(0, why)
else
  t.test('a cluster that is well, and what is done to it by hand', async (t) => {
    const cluster = clusterIn('esau', DIR, { ...OUR_DAEMON, PUBLIC })
    writeFileSync(
      PUBLIC,
      [...IPV6.map((ip) => `${ip}/64 eth0\n`), ...IPV4.map((ip) => `${ip}/16 eth0\n`)].join(''),
    )
    t.teardown(async () => {
      await cluster('down')
      rmSync(PUBLIC, { force: true })
    })
    const on = (node: string, ...words: string[]) => cluster('exec', node, ...words)
    const audit = async (node: string, ...words: string[]): Promise<Audited> => {
      const both = [
        'sh',
        '-c',
        '"$@"; echo "status $?"',
        'sh',
        process.execPath,
        MAIN,
        'audit',
        '--json',
        ...words,
      ]
      const [out = '', status] = (await on(node, ...both)).split(/\nstatus /)
      return { status: Number(status), ...(JSON.parse(out) as Omit<Audited, 'status'>) }
    }
    const isWell = async (node: string) => {
      const { status, faults } = await audit(node)
      return status === 0 && faults.length === 0
    }
    /** In one and the same audit: nothing is wrong, and no address is on the move. */
    const isSettled = async (node: string) => {
      const { status, faults, addresses } = await audit(node)
      const inPlace = ({ node: host, state }: Row) => state === (String(host) === node ? 'here' : 'elsewhere')
      const all = addresses.length === IPV6.length + IPV4.length
      return status === 0 && faults.length === 0 && all && addresses.every(inPlace)
    }
    await cluster('up', `${NODES}`, `${IPV6.length}`, '6')
    for (const node of ['0', '1'])
      await on(node, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/conf/all/promote_secondaries')
    const served = async () => (await cluster('ctdb', '0', '-X', 'ip', 'all')).split('\n').slice(1)
    // the first healthy node has all addresses, until the other one is healthy and gets its share
    const isShared = async () => {
      const hosts = (await served()).map((row) => /\|([01])\|$/.exec(row)?.[1])
      return !hosts.includes(undefined) && hosts.includes('0') && hosts.includes('1')
    }
    t.ok(await eventually(isShared, 60), 'both nodes serve addresses')

    await t.test('a healthy node: nothing is wrong', async (t) => {
      for (const node of ['0', '1']) t.ok(await eventually(() => isSettled(node), 60), node)
    })

    const { program: ssh, unreachable } = sshIn(DIR)
    /** The status and what is printed of a command that asks all nodes. */
    const allNodes = async (node: string, ...words: string[]) => {
      const shell = `ONNODE_SSH=${ssh} "$@" --all-nodes 2>&1; echo "status $?"`
      return await on(node, 'sh', '-c', shell, 'sh', process.execPath, MAIN, ...words)
    }

    await t.test('all nodes are asked: they agree, differ, or are silent', async (t) => {
      const out = await allNodes('0', 'ip', '-X')
      t.equal(out.match(/^\|\S+\|([01])\|\1:eth0\/\d+\|\|held\|$/gm)?.length, IPV6.length + IPV4.length, out)
      t.match(
        await allNodes('1', 'audit'),
        /^nothing is wrong: 8 public addresses, 2 of 2 nodes have answered\nstatus 0$/m,
      )
      t.match(await allNodes('0', 'nodes', '-X'), /^\|1\|fd01::2\|0\|2\|\|\nstatus 0$/m)
      writeFileSync(join(DIR, '1/etc/script.options'), 'EVENTSCRIPT_IPV4_DAD=yes\n')
      t.match(
        await allNodes('0', 'doctor'),
        /^WARNING {2}option EVENTSCRIPT_IPV4_DAD: not set on node 0, yes on node 1: expected the same everywhere$/m,
      )
      rmSync(join(DIR, '1/etc/script.options'))
      writeFileSync(unreachable, 'fd01::2\n')
      const silent =
        'eventscript: node 1 (fd01::2) is silent: ssh: connect to host fd01::2 port 22: No route to host: what only it knows is not known from here'
      for (const command of ['ip', 'audit', 'doctor', 'nodes']) {
        const said = (await allNodes('0', command)).split('\n')
        t.ok(said.includes(silent), command)
        t.equal(said.at(-1), 'status 1')
        t.notMatch(said.join('\n'), 'nothing is wrong')
      }
      rmSync(unreachable)
    })

    await t.test('a change by hand is found, and repaired', async (t) => {
      const leader = (
        await cluster('ctdb', '0', 'leader').catch(() => cluster('ctdb', '0', 'recmaster'))
      ).trim()
      const node = leader === '0' ? '1' : '0'
      const { addresses } = await audit(node)
      const hereOf = (family: readonly string[]) =>
        addresses.filter(({ address, state }) => state === 'here' && family.includes(address))
      const [masked, blocked] = hereOf(IPV6).map(({ address }) => address)
      const [masked4] = hereOf(IPV4).map(({ address }) => address)
      const stray = addresses.find(
        ({ address, state }) => state === 'elsewhere' && IPV6.includes(address),
      )?.address
      if (!masked || !blocked || !masked4 || !stray) throw new Error(JSON.stringify(addresses))
      const view = await served()
      const recoverd = recoveryDaemon(node)
      process.kill(recoverd, 'SIGSTOP')
      try {
        const ip = (...words: string[]) => on(node, 'ip', 'addr', ...words)
        await ip('del', `${masked}/64`, 'dev', 'eth0')
        await ip('add', `${masked}/80`, 'dev', 'eth0', 'nodad')
        await ip('del', `${masked4}/16`, 'dev', 'eth0')
        await ip('add', `${masked4}/24`, 'dev', 'eth0')
        await ip('add', `${stray}/64`, 'dev', 'eth0', 'nodad')
        await on(node, 'ip6tables', '-I', 'INPUT', '-i', 'eth0', '-d', blocked, '-j', 'DROP')
        const expected = [
          `drop-rule ${blocked}`,
          `stray ${stray}`,
          `wrong-netmask ${masked}`,
          `wrong-netmask ${masked4}`,
        ].toSorted()
        const found = await audit(node)
        t.equal(found.status, 1)
        t.same(found.faults.map(({ kind, subject }) => `${kind} ${subject}`).toSorted(), expected)
        const other = node === '0' ? '1' : '0'
        const whole = JSON.parse(
          (await allNodes(other, 'audit', '--json')).replace(/\nstatus .*/, ''),
        ) as Audited
        t.match(
          whole.faults.filter(({ kind }) => kind === 'two-owners'),
          [
            {
              subject: stray,
              seen: 'on nodes 0 and 1 at once',
              repair: `onnode ${node} eventscript audit --fix`,
            },
          ],
        )
        t.match(await allNodes(other, 'ip'), new RegExp(`^${stray} .* two-owners$`, 'm'))
        const fixed = await audit(node, '--fix')
        t.equal(fixed.status, 0)
        t.same(fixed.faults, [])
        t.same(
          fixed.repairs.map(({ command, outcome }) => [command, outcome]),
          found.faults.map(({ repair }) => [repair, 'ok']),
        )
      } finally {
        process.kill(recoverd, 'SIGCONT')
      }
      // long enough for the recovery daemon to look, and not to like it
      await new Promise((resolve) => setTimeout(resolve, 4000))
      t.same(await served(), view, 'the daemon has moved nothing')
      t.ok(await isWell(node), 'and nothing is wrong')
      const out = await on(node, process.execPath, MAIN, 'check')
      t.match(out, /^CTDB OK - 2 nodes, 8 addresses, /)
      t.same(troubleIn(DIR, NODES), { timeouts: 0, bans: 0 })
    })
  })
