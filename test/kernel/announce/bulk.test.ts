import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FAMILIES, manyAddresses } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { DIST } from '../../lab/paths.ts'
import { waitFor } from '../../lab/wait-for.ts'

/** perl does all but send packets. */
const noPacketsOfOurOwn = (lab: Lab) =>
  lab.standIn('perl', 'case "$*" in *frame-sender*) exit 1 ;; esac; exec $real "$@"')
/** By this a rule is known to be ours, also for an address that is not listed. */
const MARK = ['-m', 'comment', '--comment', 'eventscript']
const zeros = (count: number) => Array.from({ length: count }, () => 0)

/** Every address of the node that is in the list, once each time that it is there. */
async function present(lab: Lab, addresses: readonly string[]): Promise<string[]> {
  const text = await lab.node.must('ip', '-o', 'addr', 'show', 'dev', 'eth0')
  const found = [...text.matchAll(/inet6? ([^/ ]+)\//g)].map(([, address = '']) => address)
  return found.filter((address) => addresses.includes(address))
}

/** Nobody's: of a type that no host knows (IEEE 802, for local experiments). */
const FRAME = `${'f'.repeat(12)}02000000000188b5${'0'.repeat(92)}`
const JAMMED = `import { PerlFrameSender } from '${join(DIST, 'runner/resident/programs/send-frames.js')}'
const said = []
const sends = new PerlFrameSender((line) => said.push(line.replace(/^announcement failed: /, '')))
const packet = (iface) => ({ address: '10.0.0.1', iface, frame: '${FRAME}' })
console.log(await sends.send([...Array.from({ length: 900 }, () => packet('eth0')), packet('eth1')]), ...said)
sends.close()`

const nothing = await prepareFile()
if (!nothing) {
  for (const { family, bits, iptables } of FAMILIES) {
    const many = manyAddresses(family, 60)

    inLab(
      `${family}: sixty addresses that come together are all taken, and all released`,
      {},
      async (t, lab) => {
        const daemon = await lab.daemon()
        const all = (event: string) =>
          Promise.all(many.map((address) => daemon.run(event, 'eth0', address, bits)))
        t.same(await all('takeip'), zeros(60))
        t.same((await present(lab, many)).toSorted(), many.toSorted(), 'each is there, once')
        t.notMatch(
          await lab.node.must('ip', 'addr', 'show', 'dev', 'eth0'),
          /scope global[^\n]*tentative/,
          'and can be bound',
        )
        t.same(lab.hosted(), many.toSorted(), 'the list has each of them, once')
        t.same(await all('releaseip'), zeros(60))
        t.same(await present(lab, many), [])
        t.same(lab.hosted(), [])
        t.same(await lab.node.dropRules(), [], 'and no firewall rule is left')
        t.notMatch(daemon.log(), /WARNING|defect/)
      },
    )

    inLab(`${family}: one that cannot be taken spoils no other`, {}, async (t, lab) => {
      const daemon = await lab.daemon()
      const [first = '', second = '', ...others] = manyAddresses(family, 20)
      const nodad = family === 'IPv6' ? ['nodad'] : []
      await lab.observer.must('ip', 'addr', 'add', `${second}/${bits}`, 'dev', 'lan', ...nodad)
      const results = await Promise.all([
        daemon.run('takeip', 'nosuch0', first, bits),
        daemon.run('takeip', 'eth0', second, bits),
        ...others.map((address) => daemon.run('takeip', 'eth0', address, bits)),
      ])
      const duplicate = family === 'IPv6' ? 8 : 0 // nothing checks IPv4 for duplicates
      t.same(results, [8, duplicate, ...zeros(18)])
      t.same((await present(lab, others)).toSorted(), others.toSorted())
      await daemon.logged(/10\.interface: Failed to bringup interface nosuch0/)
      if (duplicate)
        await daemon.logged(
          new RegExp(`10\\.interface: Failed to add ${second}/${bits} on dev eth0: another host`),
        )
      t.same(await lab.node.places(second), duplicate ? [] : [`eth0/${bits}`])
    })

    inLab(`${family}: an error in a batch is that of its own address`, {}, async (t, lab) => {
      const nowhere = family === 'IPv4' ? '10.0.0.99' : 'fd00::99'
      const [taken = '', ...others] = manyAddresses(family, 10)
      // gone by the time that the burst comes to it, whatever the look before has shown
      lab.standIn(
        'ip',
        `case "$*" in *batch*) sed -u 's/^addr del ${taken}/addr del ${nowhere}/' | $real "$@" ;; "addr del ${taken}"*) exec $real addr del ${nowhere}/${bits} dev eth0 ;; *) exec $real "$@" ;; esac`,
      )
      const daemon = await lab.daemon()
      t.same(
        await Promise.all([taken, ...others].map((address) => daemon.run('takeip', 'eth0', address, bits))),
        zeros(10),
      )
      const all = [taken, ...others]
      const results = await Promise.all(all.map((address) => daemon.run('releaseip', 'eth0', address, bits)))
      t.same(results, [8, ...zeros(9)])
      await daemon.logged(
        new RegExp(`10\\.interface: Failed to del ${taken}/${bits} on dev eth0: .*[Nn]ot found`),
      )
      t.same(await present(lab, all), [taken])
      t.same(await lab.node.dropRules(), [], 'the rule that blocked it has gone all the same')
    })

    inLab(
      `${family}: rules that a killed run has left go, whether they are one or many`,
      { needs: [iptables] },
      async (t, lab) => {
        const daemon = await lab.daemon()
        const some = manyAddresses(family, 12)
        for (const address of some) await daemon.run('takeip', 'eth0', address, bits)
        for (const address of some.slice(0, 5))
          await lab.node.must(iptables, '-I', 'INPUT', '-i', 'eth0', '-d', address, ...MARK, '-j', 'DROP')
        t.same(
          await Promise.all(some.map((address) => daemon.run('takeip', 'eth0', address, bits))),
          zeros(12),
        )
        t.same(await lab.node.dropRules(), [])
      },
    )

    inLab(
      `${family}: where the rules cannot be changed together, each is changed alone`,
      { needs: [iptables] },
      async (t, lab) => {
        lab.standIn(`${iptables}-restore`, 'cat >/dev/null; echo no >&2; exit 2')
        const daemon = await lab.daemon()
        const some = manyAddresses(family, 8)
        await Promise.all(some.map((address) => daemon.run('takeip', 'eth0', address, bits)))
        t.same(
          await Promise.all(some.map((address) => daemon.run('releaseip', 'eth0', address, bits))),
          zeros(8),
        )
        t.same(await lab.node.dropRules(), [])
        t.notMatch(daemon.log(), /WARNING/)
      },
    )

    inLab(
      `${family}: clients of each released address are told, those of others are not`,
      { needs: ['ss'] },
      async (t, lab) => {
        const daemon = await lab.daemon()
        const some = manyAddresses(family, 4)
        for (const address of some) await daemon.run('takeip', 'eth0', address, bits)
        const clients = []
        for (const [i, address] of some.entries()) {
          await lab.node.serve(address, 7000 + i)
          clients.push(await lab.observer.connect(address, 7000 + i))
        }
        await Promise.all(some.slice(1).map((address) => daemon.run('releaseip', 'eth0', address, bits)))
        const [kept, ...ended] = clients
        for (const client of ended)
          await waitFor('the client to be told', () => client.events().includes('ECONNRESET'))
        kept?.speak()
        await waitFor('the connection that stays', () => kept?.events().includes('echo') ?? false)
        const told = () => [...daemon.log().matchAll(/Killed 1\/1 TCP connections to released IP (\S+),/g)]
        await waitFor('the log', () => told().length === ended.length)
        const killed = told()
        t.same(killed.map(([, address = '']) => address).toSorted(), some.slice(1).toSorted())
      },
    )

    for (const how of ['by packets of our own', 'by programs'])
      inLab(
        `${family}: all are announced ${how}, in turn, again and again, and one that has left is not any more`,
        { needs: ['perl', family === 'IPv4' ? 'arping' : 'ndptool'] },
        async (t, lab) => {
          if (how === 'by programs') noPacketsOfOurOwn(lab)
          const daemon = await lab.daemon()
          const some = manyAddresses(family, 10)
          const watched = some.slice(-2)
          const eyes = await Promise.all(watched.map((address) => lab.observer.watch('lan', address)))
          await Promise.all(some.map((address) => daemon.run('takeip', 'eth0', address, bits)))
          const [leaving, staying] = eyes
          await waitFor('the first round', () => eyes.every(({ seen }) => seen().length > 0))
          await daemon.run('releaseip', 'eth0', watched[0] ?? '', bits)
          const then = leaving?.seen().length ?? 0
          const rounds = family === 'IPv4' ? 6 : 3 // IPv4 in two forms
          await waitFor('three rounds', () => (staying?.seen().length ?? 0) >= rounds)
          await sleep(1500)
          t.equal(staying?.seen().length, rounds)
          t.notMatch(daemon.log(), /WARNING/)
          t.ok((leaving?.seen().length ?? 0) <= then + 1, 'the one that has left is silent')
          for (const { stop } of eyes) stop()
        },
      )

    inLab(
      `${family}: the packets of the daemon are those of the program, and clients follow them`,
      { needs: ['perl', family === 'IPv4' ? 'arping' : 'ndptool'] },
      async (t, lab) => {
        const [address = ''] = many
        const mac = await lab.node.macOf('eth0')
        const wire = await lab.observer.watch('lan', address)
        t.equal((await lab.script('takeip', 'eth0', address, bits)).status, 0)
        await waitFor('the announcer', () => lab.announcers().length === 0)
        const byPrograms = wire.seen().map((each) => JSON.stringify(each))
        t.equal((await lab.script('releaseip', 'eth0', address, bits)).status, 0)

        // a client that remembers another host
        const stale = [
          'neigh',
          'replace',
          address,
          'lladdr',
          '02:00:00:00:00:99',
          'dev',
          'lan',
          'nud',
          'stale',
        ]
        await lab.observer.must('ip', ...stale)
        const daemon = await lab.daemon()
        const before = wire.seen().length
        t.equal(await daemon.run('takeip', 'eth0', address, bits), 0)
        await waitFor('the neighbour entry', async () => (await lab.observer.neighbour(address)) === mac)
        await waitFor('three rounds', () => wire.seen().length - before >= byPrograms.length)
        const ours = wire.seen().slice(before)
        t.same(new Set(ours.map((each) => JSON.stringify(each))), new Set(byPrograms))
        t.same(lab.announcers(), [])
        wire.stop()
      },
    )

    inLab(
      `${family}: events by the daemon and by scripts side by side lose no address`,
      {},
      async (t, lab) => {
        const daemon = await lab.daemon()
        const many12 = manyAddresses(family, 12)
        const results = await Promise.all(
          many12.map(async (address, i) =>
            i % 2 === 0
              ? await daemon.run('takeip', 'eth0', address, bits)
              : (await lab.script('takeip', 'eth0', address, bits)).status,
          ),
        )
        t.same(results, zeros(12))
        t.same(lab.hosted(), many12.toSorted())
        await Promise.all(
          many12.map((address, i) =>
            i % 2 === 0
              ? lab.script('releaseip', 'eth0', address, bits)
              : daemon.run('releaseip', 'eth0', address, bits),
          ),
        )
        t.same(lab.hosted(), [])
        t.same(await present(lab, many12), [])
        t.same(await lab.node.dropRules(), [])
      },
    )
  }

  inLab(
    'an ip that hangs is ended at the deadline, named in the log, and the next event is well',
    {},
    async (t, lab) => {
      lab.standIn(
        'ip',
        'case "$*" in *batch*) [ -e "$CTDB_BASE/well" ] || exec sleep 600 ;; esac; exec $real "$@"',
      )
      const daemon = await lab.daemon()
      const results = await Promise.all(
        ['10.0.0.1', '10.0.0.2'].map((address) => daemon.runWithin(1, 'takeip', 'eth0', address, '24')),
      )
      t.same(results, [110, 110])
      await waitFor('the explanation', () => /10\.interface: .*pid \d+ sleep 600/.test(daemon.log()))
      lab.configure('well', '')
      await waitFor(
        'a takeip that works',
        async () => (await daemon.runWithin(2, 'takeip', 'eth0', '10.0.0.3', '24')) === 0,
      )
      t.same(await lab.node.places('10.0.0.3'), ['eth0/24'])
    },
  )

  inLab(
    'an ip that one event has ended at its deadline is started again for the others',
    {},
    async (t, lab) => {
      lab.standIn(
        'ip',
        'case "$*" in *batch*) mkdir "$CTDB_BASE/hung" 2>/dev/null && exec sleep 600 ;; esac; exec $real "$@"',
      )
      const daemon = await lab.daemon()
      const results = await Promise.all([
        daemon.runWithin(1, 'takeip', 'eth0', '10.0.0.1', '24'),
        daemon.run('takeip', 'eth0', '10.0.0.2', '24'),
      ])
      t.same(results, [110, 0])
      t.same(await lab.node.places('10.0.0.2'), ['eth0/24'])
      t.match(daemon.log(), /10\.interface: .*pid \d+ sleep 600/)
    },
  )

  inLab(
    'a firewall transaction that hangs is explained and ended by the event whose time is over, and made again for the others',
    { needs: ['iptables'] },
    async (t, lab) => {
      lab.standIn(
        'iptables-restore',
        'mkdir "$CTDB_BASE/hung" 2>/dev/null && exec sleep 600; exec $real "$@"',
      )
      const daemon = await lab.daemon()
      const some = manyAddresses('IPv4', 5)
      for (const address of some) await daemon.run('takeip', 'eth0', address, '24')
      const [first = '', ...others] = some
      const results = await Promise.all([
        daemon.runWithin(2, 'releaseip', 'eth0', first, '24'),
        ...others.map((address) => daemon.run('releaseip', 'eth0', address, '24')),
      ])
      t.same(results, [110, ...zeros(4)])
      t.same(await present(lab, some), [first])
      t.match(daemon.log(), /10\.interface: .*pid \d+ sleep 600/)
      await waitFor('the last rule to go', async () => (await lab.node.dropRules()).length === 0)
    },
  )

  for (const [what, does] of [
    ['knows no batch', 'exit 255'],
    ['ends in the middle', 'read -r line; read -r line; echo "$line" | $real "$@"; exit 255'],
  ] as const)
    inLab(
      `an ip that ${what} spoils nothing: each line is done by a process of its own`,
      {},
      async (t, lab) => {
        lab.standIn('ip', `case "$*" in *batch*) ${does} ;; esac; exec $real "$@"`)
        const daemon = await lab.daemon()
        const some = manyAddresses('IPv4', 5)
        t.same(
          await Promise.all(some.map((address) => daemon.run('takeip', 'eth0', address, '24'))),
          zeros(5),
        )
        t.same(
          await Promise.all(some.map((address) => daemon.run('releaseip', 'eth0', address, '24'))),
          zeros(5),
        )
        t.same(await present(lab, some), [])
      },
    )

  inLab(
    'an interface that lets nothing out keeps no other from being announced',
    { needs: ['perl', 'tc'] },
    async (t, lab) => {
      // a second for each bit: the packets stay in its queue
      const jam = ['rate', '8bit', 'burst', '2000', 'limit', '10000000']
      const jammed = await lab.node.run('tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', ...jam)
      if (jammed.status !== 0) {
        t.plan(0, `this kernel cannot hold packets back: ${jammed.err}`)
        return
      }
      const wire = await lab.observer.capture('port-eth1')
      const { out, err } = await lab.node.run(process.execPath, '--input-type=module', '-e', JAMMED)
      t.match(out, /^true 10\.0\.0\.1 on eth0: Resource temporarily unavailable$/m, err)
      await waitFor('the packet after those', () => wire.frames().includes(FRAME))
      wire.stop()
    },
  )

  for (const { family, bits } of FAMILIES) {
    const four = manyAddresses(family, 4)
    const says = 'echo "cannot send: no buffer" >&2; exit 2'

    inLab(
      `${family}: the daemon names the addresses that a failing program has not announced`,
      { needs: [family === 'IPv4' ? 'arping' : 'ndptool'] },
      async (t, lab) => {
        noPacketsOfOurOwn(lab)
        lab.standIn('arping', `[ "$1" != -V ] || exec $real -V\n${says}`)
        for (const program of ['ndsend', 'ndptool']) lab.standIn(program, says)
        const daemon = await lab.daemon()
        await Promise.all(four.map((address) => daemon.run('takeip', 'eth0', address, bits)))
        const failed = /announcement failed: (.*): cannot send: no buffer/g
        const named = () => [...daemon.log().matchAll(failed)].map(([, names = '']) => names).join()
        await waitFor('three to be named', () => four.filter((each) => named().includes(each)).length >= 3)
        t.match(named(), ' on eth0')
      },
    )
  }

  inLab('an interface that was replaced by another of its name is the new one', {}, async (t, lab) => {
    const daemon = await lab.daemon()
    lab.configure('public_addresses', '10.9.0.1/24 new0\n10.9.0.2/24 new0\n')
    const replace = async () => {
      await lab.node.run('ip', 'link', 'del', 'new0')
      await lab.node.must('ip', 'link', 'add', 'new0', 'type', 'veth', 'peer', 'name', 'new1')
    }
    await replace()
    t.equal(await daemon.run('takeip', 'new0', '10.9.0.1', '24'), 0)
    await replace()
    t.equal(await daemon.run('takeip', 'new0', '10.9.0.2', '24'), 0)
    t.same(await lab.node.places('10.9.0.2'), ['new0/24'])
  })

  inLab(
    'a daemon that is killed in the middle leaves nothing that init does not clear',
    {},
    async (t, lab) => {
      const many = manyAddresses('IPv6', 40)
      lab.configure('public_addresses', many.map((address) => `${address}/64 eth0\n`).join(''))
      const daemon = await lab.daemon()
      const all = Promise.allSettled(many.map((address) => daemon.run('takeip', 'eth0', address, '64')))
      await waitFor('the first address', async () => (await present(lab, many)).length > 0)
      await daemon.kill('SIGKILL')
      await all
      const next = await lab.daemon()
      t.equal(await next.run('init'), 0)
      t.same(await present(lab, many), [])
      t.same(await lab.node.dropRules(), [])
      t.same(lab.hosted() ?? [], [])
    },
  )
}
