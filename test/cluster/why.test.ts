/**
 * The drill: ten troubles are planted on a real cluster, and `eventscript why` names the cause of each in its first line. Needs root and
 * Debian's ctdb.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../tap.ts'
import { clusterIn, eventually, hasShare, held, hostIn, OUR_DAEMON, whyNoCluster } from '../lab/ctdb/nodes.ts'
import { sshIn } from '../lab/ctdb/onnode.ts'
import { MAIN } from '../lab/paths.ts'

const [NAME, DIR, OURS] = ['eswy', '/tmp/eventscript-why', '/tmp/eventscript-why.scripts']
const PUBLIC = join(OURS, 'public')
const [IPV6, IPV4] = [
  ['fd02::1:1', 'fd02::1:2'],
  ['10.9.1.1', '10.9.1.2'],
]

/** Fails or hangs at monitor while that file is there, on the node that has it. */
const DRILL = `#!/bin/sh
[ "$1" = monitor ] || exit 0
[ ! -e /etc/ctdb/drill-hang ] || exec sleep 1000
[ ! -e /etc/ctdb/drill-fail ] || { echo "smbd is not listening on port 445"; exit 1; }
`

/** Seconds for CTDB to see a change at its next monitor events. */
const SEEN = 90

const why = whyNoCluster()
if (why) t.plan(0, why)
else
  t.test('ten troubles, and their causes', async (t) => {
    mkdirSync(OURS, { recursive: true })
    const script = join(OURS, '60.drill.script')
    writeFileSync(script, DRILL)
    chmodSync(script, 0o755)
    writeFileSync(
      PUBLIC,
      [...IPV6.map((ip) => `${ip}/64 eth0\n`), ...IPV4.map((ip) => `${ip}/16 eth0\n`)].join(''),
    )
    const SCRIPTS = `${OUR_DAEMON['SCRIPTS']} ${script}`
    const cluster = clusterIn(NAME, DIR, { ...OUR_DAEMON, SCRIPTS, PUBLIC })
    t.teardown(async () => {
      await cluster('down')
      rmSync(OURS, { recursive: true, force: true })
    })
    await cluster('up', '2', '2', '6')
    for (const node of ['0', '1']) {
      await cluster('ctdb', node, 'setvar', 'MonitorInterval', '2')
      t.ok(await hasShare(cluster, node, 2), `node ${node} has its share`)
    }
    const { program: ssh } = sshIn(DIR)
    const etc = (node: string, file: string) => join(DIR, node, 'etc', file)

    /** The lines of `eventscript why WORDS` on node 0; the first is the answer. */
    const ask = async (...words: string[]) => {
      const shell = `ONNODE_SSH=${ssh} "$@" 2>&1; :`
      const out = await cluster('exec', '0', 'sh', '-c', shell, 'sh', process.execPath, MAIN, 'why', ...words)
      return out.split('\n')
    }
    /** The first line comes to say that. */
    const says = async (t: Test, words: string[], expected: RegExp) => {
      let lines: string[] = []
      const isSaid = await eventually(async () => expected.test((lines = await ask(...words))[0] ?? ''), SEEN)
      t.ok(isSaid, `${words.join(' ')}: ${lines[0]}`)
      return lines.join('\n')
    }
    const isWell = (t: Test, node: string) =>
      says(t, [node], new RegExp(`^node ${node} is OK: it hosts \\d public addresses$`))
    await isWell(t, '1')

    await t.test('a script fails', async (t) => {
      writeFileSync(etc('1', 'drill-fail'), '')
      const all = await says(
        t,
        ['1'],
        /^node 1 is UNHEALTHY: 60\.drill failed: smbd is not listening on port 445$/,
      )
      t.match(all, /^ {2}since +monitor has failed since 20/m)
      rmSync(etc('1', 'drill-fail'))
      await isWell(t, '1')
    })

    await t.test('a script hangs', async (t) => {
      await cluster('ctdb', '1', 'setvar', 'EventScriptTimeout', '5')
      writeFileSync(etc('1', 'drill-hang'), '')
      await says(t, ['1'], /^node 1 is UNHEALTHY: 60\.drill timed out/)
      rmSync(etc('1', 'drill-hang'))
      await isWell(t, '1')
    })

    await t.test(
      'an interface has no link: the node, and the address that nobody else may host',
      async (t) => {
        const switches = hostIn(NAME, 'sw')
        await switches.must('ip', 'link', 'set', 'e1', 'down')
        await says(t, ['1'], /^node 1 is UNHEALTHY: 10\.interface failed: .*eth0/)
        await switches.must('ip', 'link', 'set', 'e1', 'up')
        await isWell(t, '1')
      },
    )

    await t.test('a node is banned', async (t) => {
      await cluster('ctdb', '1', 'ban', '600')
      await says(t, ['1'], /^node 1 is BANNED: /)
      await cluster('ctdb', '1', 'unban')
      await isWell(t, '1')
    })

    const [address = ''] = IPV6
    await t.test('an address is on no node', async (t) => {
      for (const node of ['0', '1']) await cluster('ctdb', node, 'disable')
      await says(t, [address], new RegExp(`^${address} is on no node: node 0: DISABLED.*; node 1: DISABLED`))
      for (const node of ['0', '1']) await cluster('ctdb', node, 'enable')
      await isWell(t, '1')
    })

    const hostOf = async (ip: string) => ((await held(cluster, '0')).includes(ip) ? '0' : '1')
    for (const ip of [IPV4[0] ?? '', address])
      await t.test(`another host has ${ip}`, async (t) => {
        await says(t, [ip], new RegExp(`^${ip} is on node \\d: eth0/\\d+, as CTDB says$`))
        await cluster('rogue', ip)
        await says(
          t,
          [ip],
          new RegExp(
            `^${ip} is on node \\d, and a host outside the cluster has it too: [0-9a-f:]{17} answers on eth0 of node \\d$`,
          ),
        )
        await cluster('rogue')
        await says(t, [ip], new RegExp(`^${ip} is on node \\d: eth0/\\d+, as CTDB says$`))
      })

    await t.test('a rule that blocks the address was left', async (t) => {
      const host = await hostOf(address)
      const rule = ['INPUT', '-i', 'eth0', '-d', address, '-j', 'DROP']
      await cluster('exec', host, 'ip6tables', '-I', ...rule)
      const all = await says(
        t,
        [address],
        new RegExp(`^${address} is on node ${host}, but .*(DROP|rule|block)`),
      )
      t.match(all, new RegExp(`-> +on node ${host}: .*ip6tables`))
      await cluster('exec', host, 'ip6tables', '-D', ...rule)
    })

    await t.test('the interface of the address has become a port of a bridge', async (t) => {
      const host = await hostOf(address)
      const ip = (...words: string[]) => cluster('exec', host, 'ip', 'link', ...words)
      await ip('add', 'drill', 'type', 'bridge')
      await ip('set', 'eth0', 'master', 'drill')
      await says(t, [address], new RegExp(`^${address} is on node ${host}, but .*bridge`))
      await ip('set', 'eth0', 'nomaster')
      await ip('del', 'drill')
      await says(t, [address], new RegExp(`^${address} is on node \\d: eth0/64, as CTDB says$`))
    })

    await t.test('public_addresses is a link that dangles', async (t) => {
      const file = etc('0', 'public_addresses')
      renameSync(file, `${file}.kept`)
      symlinkSync('/nowhere/public_addresses', file)
      await says(
        t,
        ['0'],
        /^node 0 is (OK|UNHEALTHY): .*cannot read .*public_addresses: a link whose target does not exist/,
      )
      rmSync(file)
      renameSync(`${file}.kept`, file)
      t.match(readFileSync(file, 'utf8'), IPV4[0])
      await isWell(t, '0')
    })

    await t.test('what is neither is refused; what is not known from here is said', async (t) => {
      t.match(await ask('10.9.9.9'), [
        /^10\.9\.9\.9 is no public address: it is not in public_addresses of nodes 0 and 1$/,
        /./,
        /./,
        /./,
        /./,
        /./,
        /./,
        /./,
      ])
      t.match((await ask('7'))[0], /^eventscript: 7: expected a public address, or one of the nodes 0, 1$/)
      writeFileSync(join(DIR, 'unreachable'), 'fd01::2\n')
      t.match(
        (await ask('1'))[0],
        /^node 1 is OK: not known from here: run "eventscript why" on node 1 \(ssh: /,
      )
      rmSync(join(DIR, 'unreachable'))
    })
  })
