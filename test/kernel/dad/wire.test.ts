/** What a filter, a link or a sysctl of this node hides is not believed: an address stays parked while another host has it. */
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import { whyNoFilter } from '../../lab/needs.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { parkedLines, rivalWith, WAYS, withoutPerl } from './conflict-lab.ts'

const ARP_IGNORE = '/proc/sys/net/ipv4/conf/all/arp_ignore'
const PARK = 'EVENTSCRIPT_DAD_CONFLICT=park\nEVENTSCRIPT_IPV4_DAD=yes\n'

/** As firewalld's IPv6_rpfilter=strict, by iptables and by nftables. */
const IP6TABLES = ['ip6tables', ...'-t raw -A PREROUTING -m rpfilter --invert -j DROP'.split(' ')] as const
const RULES = [
  'type filter hook prerouting priority raw + 10',
  'icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept',
  'meta nfproto ipv6 fib saddr . mark . iif oif missing drop',
]
const NFT = ['nft', `table inet t { chain c { ${RULES.join('; ')}; }; }`] as const

/** Two tries or more have passed. */
const rounds = () => new Promise((resolve) => setTimeout(resolve, 11_000))

const nothing = await prepareFile()
if (!nothing) {
  for (const [i, { way, start }] of WAYS.entries()) {
    const filter = i === 0 ? IP6TABLES : NFT
    inLab(
      `${way}: a reverse-path filter of ${filter[0]} un-parks no IPv6 address that another host has`,
      { needs: ['perl'], skip: whyNoFilter(filter) },
      async (t, lab) => {
        const { host, mac } = await rivalWith(lab, 'fd00::1', '64')
        await lab.node.must(...filter)
        const runner = await start(lab, PARK)
        t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
        await rounds()
        const { ok, said } = await runner.run('takeip', 'eth0', 'fd00::1', '64')
        t.ok(ok)
        t.match(
          said,
          [new RegExp(`^WARNING: fd00::1/64 is parked on lo: .*: ${mac} on eth0`)],
          'also by takeip',
        )
        t.same(await lab.node.places('fd00::1'), ['lo/128'])
        t.equal(parkedLines(lab).length, 1)
        t.notMatch(runner.log(), /no longer parked|cannot be tried/)
        await host.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'eth0')
        await waitFor('it to be on eth0', async () => (await lab.node.places('fd00::1')).join() === 'eth0/64')
        await waitFor('the last look', () => parkedLines(lab).length === 0)
      },
    )
  }

  for (const { way, start } of WAYS)
    inLab(
      `${way}: an optimistic address behind a reverse-path filter is parked, and never announced`,
      { needs: ['perl'], skip: whyNoFilter(IP6TABLES) },
      async (t, lab) => {
        const { host, mac } = await rivalWith(lab, 'fd00::1', '64')
        await lab.node.must(...IP6TABLES)
        const wire = await lab.observer.watch('lan', 'fd00::1')
        const runner = await start(lab, `EVENTSCRIPT_DAD=optimistic\n${PARK}`)
        t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
        await waitFor('it to be parked', async () => (await lab.node.places('fd00::1')).join() === 'lo/128')
        await waitFor('the log', () => runner.log().includes('fd00::1/64 is parked on lo: another host'))
        t.match(runner.log(), `${mac} on eth0`)
        const mine = await lab.node.macOf('eth0')
        const claims = wire.seen().filter((each) => each.mac === mine && each.override)
        t.same(claims, [])
        await host.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'eth0')
        await waitFor('it to be on eth0', async () => (await lab.node.places('fd00::1')).join() === 'eth0/64')
      },
    )

  inLab(
    'an optimistic address that is taken while the link has no carrier is asked for when it has one',
    { needs: ['perl'], skip: whyNoFilter(IP6TABLES) },
    async (t, lab) => {
      await rivalWith(lab, 'fd00::1', '64')
      await lab.node.must(...IP6TABLES)
      await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'down')
      const [{ start }] = WAYS as [(typeof WAYS)[number]]
      const runner = await start(lab, `EVENTSCRIPT_DAD=optimistic\n${PARK}`)
      t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
      await waitFor('it to be watched', () => parkedLines(lab).join() === 'watch fd00::1 64 eth0')
      await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'up')
      await waitFor('it to be parked', async () => (await lab.node.places('fd00::1')).join() === 'lo/128')
    },
  )

  inLab(
    'without perl the address leaves lo for a second check, and goes back: the filter is named, once',
    { needs: ['perl'], skip: whyNoFilter(IP6TABLES) },
    async (t, lab) => {
      const { host } = await rivalWith(lab, 'fd00::1', '64')
      await withoutPerl(lab)
      await lab.node.must(...IP6TABLES)
      const [{ start }] = WAYS as [(typeof WAYS)[number]]
      const runner = await start(lab, PARK)
      t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
      await waitFor('the filter to be named', () =>
        /a filter of this node \(rpfilter\?\) hides/.test(runner.log()),
      )
      t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
      t.same(await lab.node.places('fd00::1'), ['lo/128'], 'the event itself hears the host')
      await host.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'eth0')
      t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
      t.same(await lab.node.places('fd00::1'), ['eth0/64'])
    },
  )

  for (const { family, ip, bits } of FAMILIES)
    inLab(
      `${family}: a link without carrier is no answer: the address stays parked, and one line says why`,
      { needs: ['arping', 'perl'] },
      async (t, lab) => {
        await rivalWith(lab, ip, bits)
        const [{ start }] = WAYS as [(typeof WAYS)[number]]
        const runner = await start(lab, PARK)
        t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
        await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'down')
        await rounds()
        t.equal(parkedLines(lab).length, 1)
        t.notMatch(await lab.node.places(ip), [`eth0/${bits}`])
        t.equal(
          runner.log().match(/cannot be tried again: nobody can be asked on eth0: it has no carrier/g)
            ?.length,
          1,
        )
        await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'up')
        await lab.node.must('ip', 'link', 'set', 'eth0', 'arp', 'off')
        await waitFor('ARP to be named', () => /ARP is switched off there/.test(runner.log()))
        t.equal(parkedLines(lab).length, 1)
      },
    )

  for (const { family, ip, bits } of FAMILIES)
    for (const { way, start } of WAYS)
      inLab(
        `${family}, ${way}: what left parking wrongly is seen at the next look, and parked again`,
        { needs: ['arping', 'perl'] },
        async (t, lab) => {
          const { host, mac } = await rivalWith(lab, ip, bits)
          const runner = await start(lab, PARK)
          t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
          // the host is deaf for a while; its link stays as it is
          await lab.observer.must('ip', 'link', 'set', 'port-rival', 'nomaster')
          await waitFor('it to be on eth0', async () => (await lab.node.places(ip)).join() === `eth0/${bits}`)
          await lab.observer.must('ip', 'link', 'set', 'port-rival', 'master', 'lan')
          await waitFor('it to be parked again', () => parkedLines(lab).some((line) => line.startsWith(ip)))
          t.match(
            runner.log(),
            `WARNING: ${ip} is on eth0, and another host has it, which did not answer before: ${mac}`,
          )
          t.match(await lab.node.places(ip), [/^lo\//])
          await host.must('ip', 'addr', 'del', `${ip}/${bits}`, 'dev', 'eth0')
          await waitFor('the list to be empty', () => parkedLines(lab).length === 0)
          t.same(await lab.node.places(ip), [`eth0/${bits}`])
        },
      )

  inLab(
    'without perl the kernel checks once more what left parking wrongly, and the address is parked again',
    { needs: ['perl'] },
    async (t, lab) => {
      const { host } = await rivalWith(lab, 'fd00::1', '64')
      await withoutPerl(lab)
      const [{ start }] = WAYS as [(typeof WAYS)[number]]
      const runner = await start(lab, PARK)
      t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
      await lab.observer.must('ip', 'link', 'set', 'port-rival', 'nomaster')
      await waitFor('it to be watched', () => parkedLines(lab).join() === 'watch fd00::1 64 eth0')
      await lab.observer.must('ip', 'link', 'set', 'port-rival', 'master', 'lan')
      await waitFor('it to be parked again', () =>
        parkedLines(lab).some((line) => line.startsWith('fd00::1 ')),
      )
      await waitFor('the log', () =>
        /fd00::1 is on eth0, and another host has it, .*: the kernel's duplicate check failed/.test(
          runner.log(),
        ),
      )
      await waitFor(
        'it to be off the wire',
        async () => (await lab.node.places('fd00::1')).join() === 'lo/128',
      )
      await host.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'eth0')
      await waitFor('the list to be empty', () => parkedLines(lab).length === 0)
      t.same(await lab.node.places('fd00::1'), ['eth0/64'])
    },
  )

  inLab(
    'IPv4: an address that is taken while the link has no carrier is asked for when it has one',
    { needs: ['arping'] },
    async (t, lab) => {
      await rivalWith(lab, '10.0.0.1', '24')
      const [{ start }] = WAYS as [(typeof WAYS)[number]]
      const runner = await start(lab, PARK)
      await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'down')
      const { ok, said } = await runner.run('takeip', 'eth0', '10.0.0.1', '24')
      t.ok(ok)
      t.match(said, [
        /^WARNING: 10.0.0.1 is not checked for duplicates: nobody can be asked on eth0: it has no carrier/,
      ])
      t.same(await lab.node.places('10.0.0.1'), ['eth0/24'])
      await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'up')
      await waitFor('it to be parked', async () => (await lab.node.places('10.0.0.1')).join() === 'lo/32')
      t.ok((await runner.run('releaseip', 'eth0', '10.0.0.1', '24')).ok)
      t.same(parkedLines(lab), [])
    },
  )

  inLab(
    'IPv4: arp_ignore that somebody puts back to 0 is set again, with one WARNING, and put back to 0 in the end',
    { needs: ['arping'] },
    async (t, lab) => {
      const { mac } = await rivalWith(lab, '10.0.0.1', '24')
      const [{ start }] = WAYS as [(typeof WAYS)[number]]
      const runner = await start(lab, PARK)
      t.ok((await runner.run('takeip', 'eth0', '10.0.0.1', '24')).ok)
      await lab.node.writeSysctl('net/ipv4/conf/all/arp_ignore', 0)
      const now = async () => (await lab.node.must('cat', ARP_IGNORE)).trim()
      await waitFor('arp_ignore to be 3', async () => (await now()) === '3')
      await waitFor('a line', () => /somebody has set .*arp_ignore to 0/.test(runner.log()))
      await lab.observer.must('ip', 'neigh', 'flush', 'dev', 'lan')
      t.ok(await lab.observer.reaches('10.0.0.1'))
      t.equal(await lab.observer.neighbour('10.0.0.1'), mac, 'the rival alone answers')
      t.ok((await runner.run('releaseip', 'eth0', '10.0.0.1', '24')).ok)
      t.equal(await now(), '0')
      t.equal(runner.log().match(/somebody has set/g)?.length, 1)
    },
  )
}
