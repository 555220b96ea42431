/** Another host has the address: EVENTSCRIPT_DAD_CONFLICT on the real kernel, by the script and by the event daemon. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAMILIES } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { questionsAndAnswers } from '../../lab/host/wire.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { parkedLines, rivalWith, WAYS, withoutPerl } from './conflict-lab.ts'

const ARP_IGNORE = '/proc/sys/net/ipv4/conf/all/arp_ignore'

/** The node has spoken with that host before, at each of these addresses. */
async function meets({ node }: Lab, ...addresses: string[]): Promise<void> {
  await node.must('ip', 'addr', 'add', 'fd00::77/64', 'dev', 'eth0', 'nodad')
  for (const address of addresses) await waitFor(`${address} to answer`, () => node.reaches(address))
}

const nothing = await prepareFile()
if (!nothing)
  for (const { family, ip, bits, other, observer } of FAMILIES)
    for (const { way, start } of WAYS) {
      const needs = family === 'IPv4' ? ['arping', 'perl'] : ['ndptool', 'perl']
      const options = (policy: string) => `EVENTSCRIPT_DAD_CONFLICT="${policy}"\nEVENTSCRIPT_IPV4_DAD=yes\n`
      const mark = family === 'IPv6' ? ' \\(dadfailed\\)' : ''
      const here = family === 'IPv6' ? `lo/128` : `lo/32`

      inLab(`${family}, ${way}: "fail" gives it up, and says which MAC has it`, { needs }, async (t, lab) => {
        const { mac } = await rivalWith(lab, ip, bits)
        const runner = await start(lab, options('fail'))
        const { ok, said } = await runner.run('takeip', 'eth0', ip, bits)
        t.notOk(ok)
        t.match(said, [
          new RegExp(
            `^Failed to add ${ip}/${bits} on dev eth0: another host has this address${mark}: ${mac} on eth0, ` +
              'which is no neighbour that is known by another address: take it away there$',
          ),
        ])
        t.equal(said.length, 1)
        t.same(await lab.node.places(ip), [])
        t.same(parkedLines(lab), [])
      })

      inLab(
        `${family}, ${way}: "park" keeps it on lo, bound and silent, until the rival is gone`,
        { needs },
        async (t, lab) => {
          const { host, mac } = await rivalWith(lab, ip, bits)
          const runner = await start(lab, options('park'))
          const wire = await lab.observer.watch('lan', ip)
          const { ok, said } = await runner.run('takeip', 'eth0', ip, bits)
          t.ok(ok, 'the event succeeds')
          t.match(said, [
            new RegExp(
              `^WARNING: ${ip}/${bits} is parked on lo: another host has this address${mark}: ${mac} on eth0`,
            ),
          ])
          t.equal(said.length, 1)
          t.match(parkedLines(lab), [new RegExp(`^${ip} ${bits} eth0 [0-]+ ${mac} on eth0`)])
          t.ok((await lab.node.places(ip)).includes(here))
          await lab.node.serve(ip, 445)
          t.match(
            await runner.run('takeip', 'eth0', other, bits),
            { ok: true, said: [] },
            'others are served',
          )
          t.match(await runner.run('monitor'), { ok: true, said: [] }, 'the node stays healthy')

          const mine = await lab.node.macOf('eth0')
          await lab.observer.must('ip', 'neigh', 'flush', 'dev', 'lan')
          t.ok(await lab.observer.reaches(ip))
          t.equal(await lab.observer.neighbour(ip), mac, 'the rival alone answers')
          // two more tries, and not a word
          await new Promise((resolve) => setTimeout(resolve, 11_000))
          t.equal(wire.seen().filter((each) => each.mac === mine).length, 0, 'this node says nothing')
          t.notMatch(runner.log().split('is parked on lo').slice(2).join(''), /parked/, 'nor in the log')

          await host.must('ip', 'addr', 'del', `${ip}/${bits}`, 'dev', 'eth0')
          await waitFor('it to be on eth0', async () => (await lab.node.places(ip)).join() === `eth0/${bits}`)
          await waitFor('it to be announced', () => wire.seen().some((each) => each.mac === mine))
          await waitFor('the last look', () => parkedLines(lab).length === 0)
          await waitFor('a line', () =>
            runner.log().includes(`${ip}/${bits} is no longer parked: no other host has it`),
          )
          if (family === 'IPv4') t.equal((await lab.node.must('cat', ARP_IGNORE)).trim(), '0')
          if (way === 'script') await waitFor('the announcer to end', () => lab.announcers().length === 0)
        },
      )

      inLab(
        `${family}, ${way}: with EVENTSCRIPT_ANNOUNCE=no what comes off lo is not announced either`,
        { needs },
        async (t, lab) => {
          const { host } = await rivalWith(lab, ip, bits)
          const runner = await start(lab, `${options('park')}EVENTSCRIPT_ANNOUNCE=no\n`)
          t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
          t.ok((await lab.node.places(ip)).includes(here))
          const mine = await lab.node.macOf('eth0')
          const wire = await lab.observer.watch('lan', ip)
          await host.must('ip', 'addr', 'del', `${ip}/${bits}`, 'dev', 'eth0')
          await waitFor('it to be on eth0', async () => (await lab.node.places(ip)).join() === `eth0/${bits}`)
          // two rounds would have been sent by then
          await new Promise((resolve) => setTimeout(resolve, 2500))
          const said = wire.seen().filter(({ mac, solicited }) => mac === mine && solicited !== true)
          t.same(said, [])
        },
      )

      inLab(
        `${family}, ${way}: what is parked is released, moved, dropped by init and shutdown`,
        { needs },
        async (t, lab) => {
          await rivalWith(lab, ip, bits)
          const runner = await start(lab, options(`fail ${ip}=park`))
          const takes = async () => {
            t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
            t.ok((await lab.node.places(ip)).includes(here))
          }
          for (const [event = '', ...words] of [['releaseip', 'eth0', ip, bits], ['init'], ['shutdown']]) {
            await takes()
            const { ok, said } = await runner.run(event, ...words)
            t.ok(ok)
            t.notMatch(said.join('\n'), /VNN says/, 'that it is on lo is no surprise')
            t.same(await lab.node.places(ip), [])
            t.same(parkedLines(lab), [])
          }
          await takes()
          const moved = await runner.run('updateip', 'eth0', 'eth1', ip, bits)
          t.ok(moved.ok)
          t.match(moved.said, [new RegExp(`^WARNING: ${ip}/${bits} is parked on lo: .* on eth1`)])
          t.match(parkedLines(lab), [new RegExp(`^${ip} ${bits} eth1 `)])
          const again = await runner.run('takeip', 'eth0', ip, bits)
          t.ok(again.ok, 'and taken again')
          t.match(parkedLines(lab), [new RegExp(`^${ip} ${bits} eth0 `)])
          t.ok((await lab.node.places(ip)).includes(here))
        },
      )

      inLab(
        `${family}, ${way}: "seize" takes it all the same, and announces it again and again`,
        { needs },
        async (t, lab) => {
          const { host, mac } = await rivalWith(lab, ip, bits)
          const runner = await start(lab, options('seize'))
          const wire = await lab.observer.watch('lan', ip)
          const { ok, said } = await runner.run('takeip', 'eth0', ip, bits)
          t.ok(ok)
          t.match(said, [
            new RegExp(
              `^WARNING: ${ip}/${bits} is seized on eth0: another host has this address${mark}: ${mac} on eth0`,
            ),
          ])
          t.equal(said.length, 1)
          t.same(await lab.node.places(ip), [`eth0/${bits}`])
          const mine = await lab.node.macOf('eth0')
          const rounds = () =>
            wire.seen().filter((each) => each.mac === mine && each.override !== false && !each.solicited)
              .length
          const usual = family === 'IPv4' ? 6 : 3
          await waitFor('more than the usual rounds', () => rounds() > usual + 2)
          // a rival that asks for a client's MAC draws this client to itself, until the next round
          await host.must('ip', 'neigh', 'flush', 'dev', 'eth0')
          const { frames } = await lab.observer.capture('lan')
          await host.reaches(observer)
          await waitFor('the rival to ask', () => questionsAndAnswers(frames(), observer).questions > 0)
          await waitFor('clients to come here', async () => (await lab.observer.neighbour(ip)) === mine)
          t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok, 'a takeip that finds it as wanted')
          const sofar = rounds()
          await waitFor('it to go on as before', () => rounds() > sofar + usual + 2)
          t.ok((await runner.run('releaseip', 'eth0', ip, bits)).ok)
          if (way === 'script') await waitFor('the announcer to end', () => lab.announcers().length === 0)
        },
      )
    }
if (!nothing) {
  const park = 'EVENTSCRIPT_DAD_CONFLICT=park\n'

  inLab(
    'without perl and ndisc6 the kernel asks, and its neighbour table tells who it is; a node of the cluster by its number',
    { needs: ['ndptool'] },
    async (t, lab) => {
      const { host, mac } = await rivalWith(lab, 'fd00::1', '64')
      await host.must('ip', 'addr', 'add', 'fd00::a2/64', 'dev', 'eth0', 'nodad')
      lab.configure('nodes', 'fd00::a1\nFD00:0::A2\n')
      lab.configure('script.options', park)
      await meets(lab, 'fd00::a2')
      await withoutPerl(lab)
      lab.standIn('ndisc6', 'exit 1')
      const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
      t.equal(result.status, 0)
      t.match(result.out + result.err, `${mac} on eth0, which is node 1 (fd00::a2): it goes to eth0`)
    },
  )

  for (const { way, start } of WAYS)
    inLab(`${way}: a node of a list that a command prints is named`, {}, async (t, lab) => {
      const { host, mac } = await rivalWith(lab, 'fd00::1', '64')
      await host.must('ip', 'addr', 'add', 'fd00::a2/64', 'dev', 'eth0', 'nodad')
      const program = join(lab.dir, 'list')
      writeFileSync(program, '#!/bin/sh\nprintf "$1\\n#fd00::a1\\n$2\\n"\n', { mode: 0o755 })
      lab.configure('ctdb.conf', `[cluster]\n  nodes list = !${program} fd00::a0 fd00::a2\n`)
      await meets(lab, 'fd00::a2')
      const runner = await start(lab, park)
      const { said } = await runner.run('takeip', 'eth0', 'fd00::1', '64')
      t.match(said, [`${mac} on eth0, which is node 2 (fd00::a2): it goes to eth0`])
    })

  inLab(
    'a list of nodes whose command hangs keeps neither the event nor the rest of the evidence',
    {},
    async (t, lab) => {
      const { host, mac } = await rivalWith(lab, 'fd00::1', '64')
      await host.must('ip', 'addr', 'add', 'fd00::a2/64', 'dev', 'eth0', 'nodad')
      const program = join(lab.dir, 'list')
      writeFileSync(program, '#!/bin/sh\necho fd00::a2\nsleep 300\n', { mode: 0o755 })
      lab.configure('ctdb.conf', `[cluster]\n  nodes list = !${program}\n`)
      lab.configure('script.options', park)
      await meets(lab, 'fd00::a2')
      const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
      t.equal(result.status, 0)
      t.match(result.out + result.err, `${mac} on eth0, which is the neighbour fd00::a2: it goes to eth0`)
    },
  )

  for (const [what, nodes, pnn, expected] of [
    ['a cluster node is known by another public address that it hosts', [2], '0', 'node 2 (it has fd00::2)'],
    [
      'a dead node that kept addresses, now ours, is not taken for this node',
      [0],
      '0',
      "a host that has fd00::2 too, now this node's: perhaps a node that died and kept its addresses",
    ],
    ['of two such addresses, that of another node counts', [0, 2], '0', 'node 2 (it has fd00::3)'],
    ['without our own number no node is named', [0], 'nonsense', 'the neighbour fd00::2'],
  ] as const)
    inLab(what, {}, async (t, lab) => {
      const { host, mac } = await rivalWith(lab, 'fd00::1', '64')
      const kept = nodes.map((number, i) => ({ number, address: `fd00::${i + 2}` }))
      for (const { address } of kept)
        await host.must('ip', 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad')
      const rows = kept.map(({ number, address }) => `|${address}|${number}|\n`).join('')
      lab.ctdbSays('ip', `|Public IP|Node|\n|fd00::1|0|\n${rows}`)
      lab.ctdbSays('pnn', `${pnn}\n`)
      lab.configure('script.options', park)
      await meets(lab, ...kept.map(({ address }) => address))
      const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
      t.match(result.out + result.err, `${mac} on eth0, which is ${expected}: it goes to eth0`)
    })

  inLab('an interface of our own on the same network is named as such', {}, async (t, lab) => {
    // who has no address yet cannot ask
    await lab.node.calm()
    lab.configure('script.options', park)
    // by hand, and without a check: the kernel lets one node have it twice
    await lab.node.must('ip', 'addr', 'add', 'fd00::1/80', 'dev', 'eth1', 'nodad')
    await lab.node.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth0')
    const mine = await lab.node.macOf('eth1')
    lab.standIn('ip', 'case "$*" in "addr del fd00::1/80 dev eth1") exit 0 ;; esac; exec $real "$@"')
    const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
    lab.noStandIn('ip')
    t.match(result.out + result.err, `${mine} on eth0, which is this node's own eth1`)
  })

  for (const { way, start } of WAYS)
    inLab(
      `${way}: a conflict that an optimistic address has after its event is parked too`,
      { slowDad: true },
      async (t, lab) => {
        const runner = await start(lab, `EVENTSCRIPT_DAD=optimistic\n${park}`)
        await lab.node.must('sh', '-c', 'echo 4 >/proc/sys/net/ipv6/conf/eth0/dad_transmits')
        t.match(await runner.run('takeip', 'eth0', 'fd00::1', '64'), { ok: true, said: [] })
        await lab.observer.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'lan', 'nodad')
        await waitFor('it to be parked', async () => (await lab.node.places('fd00::1')).includes('lo/128'))
        await waitFor('the log', () => /fd00::1\/64 is parked on lo: another host/.test(runner.log()))
        await lab.observer.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'lan')
        await waitFor('it to be on eth0', async () => (await lab.node.places('fd00::1')).join() === 'eth0/64')
      },
    )

  for (const { way, start } of WAYS)
    inLab(
      `${way}: an optimistic address that is seized after its event is not announced with EVENTSCRIPT_ANNOUNCE=no`,
      { slowDad: true },
      async (t, lab) => {
        const options = ['DAD=optimistic', 'DAD_CONFLICT=seize', 'ANNOUNCE=no']
        const runner = await start(lab, options.map((each) => `EVENTSCRIPT_${each}\n`).join(''))
        await lab.node.must('sh', '-c', 'echo 4 >/proc/sys/net/ipv6/conf/eth0/dad_transmits')
        const wire = await lab.observer.watch('lan', 'fd00::1')
        t.match(await runner.run('takeip', 'eth0', 'fd00::1', '64'), { ok: true, said: [] })
        await lab.observer.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'lan', 'nodad')
        await waitFor('the log', () => /fd00::1\/64 is seized on eth0: another host/.test(runner.log()))
        if (way === 'script') await waitFor('the announcer to end', () => lab.announcers().length === 0)
        // as long as the first round and the next would take
        await new Promise((resolve) => setTimeout(resolve, 1500))
        t.same(await lab.node.places('fd00::1'), ['eth0/64'])
        const mine = await lab.node.macOf('eth0')
        t.same(
          wire.seen().filter((each) => each.mac === mine && !each.solicited),
          [],
        )
      },
    )

  for (const { way, start } of WAYS)
    for (const policy of ['park', 'seize'])
      inLab(
        `${way}, ${policy}: an address that is released while its conflict is looked into does not come back`,
        { slowDad: true },
        async (t, lab) => {
          const asked = join(lab.dir, 'asked')
          // beside the kernel's check nobody is heard; afterwards, while the address is nowhere, somebody is
          const beside = '[ -z "$(ip -6 -o addr show to fd00::1)" ] || { echo nobody; exit 0; }'
          const after = `: >'${asked}'; sleep 3; echo 02:00:00:00:00:01 has it`
          lab.standIn('perl', `case "$*" in *" fd00::1 "*) ${beside}; ${after} ;; *) exec $real "$@" ;; esac`)
          const runner = await start(lab, `EVENTSCRIPT_DAD=optimistic\nEVENTSCRIPT_DAD_CONFLICT=${policy}\n`)
          await lab.node.must('sh', '-c', 'echo 4 >/proc/sys/net/ipv6/conf/eth0/dad_transmits')
          t.match(await runner.run('takeip', 'eth0', 'fd00::1', '64'), { ok: true, said: [] })
          await lab.observer.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'lan', 'nodad')
          await waitFor('somebody to ask who has it', () => existsSync(asked))
          t.ok((await runner.run('releaseip', 'eth0', 'fd00::1', '64')).ok)
          await waitFor('the end of it', () => runner.log().includes('fd00::1 was released meanwhile'))
          t.same(await lab.node.places('fd00::1'), [])
          t.same(parkedLines(lab), [])
        },
      )

  inLab(
    'IPv4 is asked for only where EVENTSCRIPT_IPV4_DAD says so; without arping it is a WARNING',
    {},
    async (t, lab) => {
      await rivalWith(lab, '10.0.0.1', '24')
      lab.configure('script.options', 'EVENTSCRIPT_DAD_CONFLICT=fail\n')
      t.equal((await lab.script('takeip', 'eth0', '10.0.0.1', '24')).status, 0)
      t.equal((await lab.script('releaseip', 'eth0', '10.0.0.1', '24')).status, 0)
      lab.configure('script.options', 'EVENTSCRIPT_IPV4_DAD=yes\n')
      lab.standIn('arping', '[ "$1" = -V ] && exec $real -V; echo "arping: broken" >&2; exit 2')
      const result = await lab.script('takeip', 'eth0', '10.0.0.1', '24')
      t.equal(result.status, 0)
      t.match(lines(result), [
        /^WARNING: 10\.0\.0\.1 is not checked for duplicates: arping cannot ask on eth0: arping: broken/,
      ])
    },
  )

  inLab('what a killed run has left parked is tried again at the next monitor', {}, async (t, lab) => {
    const { host } = await rivalWith(lab, 'fd00::1', '64')
    lab.configure('script.options', park)
    t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 0)
    await waitFor('the announcer', () => lab.announcers().length === 1)
    for (const pid of lab.announcers()) process.kill(pid, 'SIGKILL')
    await waitFor('its end', () => lab.announcers().length === 0)
    await host.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'eth0')
    t.equal((await lab.script('monitor')).status, 0)
    await waitFor('it to be on eth0', async () => (await lab.node.places('fd00::1')).join() === 'eth0/64')
  })

  inLab('a try that was killed leaves a failed check, which the next try clears', {}, async (t, lab) => {
    const { host } = await rivalWith(lab, 'fd00::1', '64')
    lab.configure('script.options', park)
    t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 0)
    await waitFor('the announcer', () => lab.announcers().length === 1)
    for (const pid of lab.announcers()) process.kill(pid, 'SIGKILL')
    await waitFor('its end', () => lab.announcers().length === 0)
    await lab.node.run('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth0')
    await waitFor('the check to fail', async () =>
      (await lab.node.places('fd00::1')).includes('eth0/64 dadfailed'),
    )
    await host.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'eth0')
    t.equal((await lab.script('monitor')).status, 0)
    await waitFor('it to be on eth0', async () => (await lab.node.places('fd00::1')).join() === 'eth0/64')
  })

  for (const first of ['LVS', 'park'])
    for (const last of ['LVS', 'park'])
      inLab(
        `IPv4, ${first} comes first and ${last} goes last: arp_ignore is 3 all the time, and put back after both`,
        { needs: ['arping', 'perl', 'ss'] },
        async (t, lab) => {
          const [ip, shared] = ['10.0.0.1', '10.0.0.100']
          const { host, mac } = await rivalWith(lab, ip, '24')
          const group = join(lab.dir, 'lvs_nodes')
          writeFileSync(group, '10.0.0.10\n10.0.0.11\n')
          writeFileSync(join(lab.dir, 'var/my-ip-address'), '10.0.0.10\n')
          lab.configure(
            'script.options',
            `${park}EVENTSCRIPT_IPV4_DAD=yes\nCTDB_LVS_NODES=${group}\nCTDB_LVS_PUBLIC_IP=${shared}\nCTDB_LVS_PUBLIC_IFACE=eth0\n`,
          )
          const arpIgnore = async () => (await lab.node.must('cat', ARP_IGNORE)).trim()
          const lvs = async (event: string) => t.equal((await lab.handler('91.lvs', event)).status, 0, event)
          const takes = async () => {
            t.equal((await lab.script('takeip', 'eth0', ip, '24')).status, 0)
            t.ok((await lab.node.places(ip)).includes('lo/32'))
          }
          t.equal(await arpIgnore(), '0')
          if (first === 'LVS') await lvs('startup')
          await takes()
          if (first !== 'LVS') await lvs('startup')
          t.strictSame(await lab.node.places(shared), ['lo/32'])
          t.equal(await arpIgnore(), '3')

          if (last === 'park') {
            await lvs('shutdown')
            t.equal(await arpIgnore(), '3', 'the parked address needs it')
            await lab.observer.must('ip', 'neigh', 'flush', 'dev', 'lan')
            t.ok(await lab.observer.reaches(ip))
            t.equal(await lab.observer.neighbour(ip), mac, 'the rival alone answers')
          }
          await host.must('ip', 'addr', 'del', `${ip}/24`, 'dev', 'eth0')
          await waitFor('it to be on eth0', async () => (await lab.node.places(ip)).join() === 'eth0/24')
          await waitFor('the list to be empty', () => parkedLines(lab).length === 0)
          if (last === 'LVS') {
            t.equal(await arpIgnore(), '3', 'the LVS address needs it')
            t.notOk(await lab.observer.reaches(shared))
            await lvs('shutdown')
          }
          t.equal(await arpIgnore(), '0')
        },
      )

  inLab('IPv4: arp_ignore is put back after the last of several parked addresses', {}, async (t, lab) => {
    const both = ['10.0.0.1', '10.0.0.2']
    const { host } = await rivalWith(lab, '10.0.0.1', '24')
    await host.must('ip', 'addr', 'add', '10.0.0.2/24', 'dev', 'eth0')
    lab.configure('script.options', `${park}EVENTSCRIPT_IPV4_DAD=yes\n`)
    for (const event of ['init', 'shutdown']) {
      for (const ip of both) t.equal((await lab.script('takeip', 'eth0', ip, '24')).status, 0)
      t.equal((await lab.node.must('cat', ARP_IGNORE)).trim(), '3')
      t.equal((await lab.script(event)).status, 0)
      t.equal((await lab.node.must('cat', ARP_IGNORE)).trim(), '0', event)
    }
  })

  inLab('"explain" says what would become of a conflict', {}, async (t, lab) => {
    const explained = async () => (await lab.eventscript('explain', 'takeip', 'eth0', 'fd00::1', '64')).out
    t.notMatch(await explained(), 'EVENTSCRIPT_DAD_CONFLICT', 'as ever: nothing to say')
    lab.configure('script.options', park)
    t.match(
      await explained(),
      /EVENTSCRIPT_DAD_CONFLICT=park: kept on lo, off the wire, if another host has it/,
    )
  })

  inLab('what is parked is in the history, in "status" and in "ip"', {}, async (t, lab) => {
    const { mac } = await rivalWith(lab, 'fd00::1', '64')
    lab.configure('script.options', park)
    t.equal(
      (await lab.eventscript('run', '--only', '10.interface', 'takeip', 'eth0', 'fd00::1', '64')).status,
      0,
    )
    const parked = 'WARNING: fd00::1/64 is parked on lo: another host has this address (dadfailed): '
    const { out } = await lab.eventscript('history')
    t.match(out, `takeip eth0 fd00::1 64\n  10.interface: ${parked}${mac} on eth0`)
    t.match((await lab.eventscript('status', 'takeip')).out, `OUTPUT: ${parked}${mac} on eth0`)
    t.equal((await lab.eventscript('run', '--only', '10.interface', 'monitor')).status, 0)
    t.match(
      (await lab.eventscript('status')).out,
      new RegExp(`^parked: fd00::1/64, which belongs on eth0: ${mac} on eth0, .* has it$`, 'm'),
    )
    t.match((await lab.eventscript('ip', '-X')).out, /^\|fd00::1\|.*\|lo\/128\|1\|/m)
  })

  inLab('without perl ndisc6 is asked first', { needs: ['ndisc6'] }, async (t, lab) => {
    const { mac } = await rivalWith(lab, 'fd00::1', '64')
    await withoutPerl(lab)
    lab.standIn('ndisc6', `echo "$*" >'${lab.dir}/asked'; exec $real "$@"`)
    const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
    t.match(result.out + result.err, mac)
    t.match(readFileSync(join(lab.dir, 'asked'), 'utf8'), 'fd00::1 eth0')
  })
}
