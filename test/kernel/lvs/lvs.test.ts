/**
 * 91.lvs on a kernel with IPVS: three nodes, and clients on the same wire. Elsewhere skipped; `npm run test:kernel`
 * boots a kernel that has it. The ctdb tool is a stand-in that prints what a real one prints; ctdb_killtcp is the real
 * one, and this kernel's `ss -K` ends nothing.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { whileWatching, LVS_FAMILIES, LvsGroup } from './lvs-group.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import { whyNoBalancer } from '../../lab/needs.ts'
import { waitFor } from '../../lab/wait-for.ts'

const sum = (counts: readonly number[]) => counts.reduce((all, each) => all + each, 0)

if (!(await prepareFile())) {
  const skip = whyNoBalancer()
  const options = { asRoot: true, skip, needs: ['perl'] }

  for (const family of LVS_FAMILIES) {
    const { ip } = family
    const v6 = ip.includes(':')
    const bits = v6 ? 128 : 32

    inLab(
      `${family.family}: clients reach all nodes through the leader, and go on when another leads`,
      options,
      async (t, lab) => {
        const group = await LvsGroup.start(lab, family)
        const [first, second, third] = group.nodes
        if (!first || !second || !third) return
        for (const { status, out, err } of await group.all('startup')) t.equal(status, 0, out + err)
        const asked = await whileWatching(lab, ip, () => lab.observer.reaches(ip))
        t.ok(asked.questions > 0, 'somebody asks for the address')
        t.strictSame(asked.answers, [], 'of followers nobody answers')

        await group.serve()
        for (const { status, out, err } of await group.all('ipreallocated')) t.equal(status, 0, out + err)
        const led = await whileWatching(lab, ip, async () => {
          await lab.observer.run('ip', 'neigh', 'flush', 'all')
          t.ok(await lab.observer.reaches(ip), 'the address is reached')
        })
        t.strictSame(led.answers, [await first.host.macOf('eth0')], 'the leader alone answers for it')

        const clients = await group.clients()
        const all = (since: number, kind: 'echo' | 'udp' = 'echo') => clients.servers(since, kind).size === 6
        await waitFor('six clients by TCP', () => all(0), 60)
        await waitFor('six clients by UDP', () => all(0, 'udp'), 60)
        t.strictSame(
          [...new Set(clients.servers(0).values())].toSorted(),
          ['0', '1', '2'],
          'every node serves by TCP',
        )
        t.strictSame(
          [...new Set(clients.servers(0, 'udp').values())].toSorted(),
          ['0', '1', '2'],
          'and by UDP',
        )

        const before = clients
          .log()
          .split('\n')
          .filter((line) => line.startsWith('close')).length
        for (const { status, out, err } of await group.all('ipreallocated')) t.equal(status, 0, out + err)
        const again = clients.mark()
        await waitFor('six clients by TCP, as before', () => all(again), 60)
        const closed = clients
          .log()
          .split('\n')
          .filter((line) => line.startsWith('close')).length
        t.equal(closed, before, 'under the same leader no connection ends')

        const held = await Promise.all(group.nodes.map((node) => group.connections(node)))
        t.ok(
          held.every((some) => some.length > 0),
          'every node has connections of its own',
        )
        group.health('unhealthy', 'ok', 'ok')
        for (const { status, out, err } of await group.all('ipreallocated')) t.equal(status, 0, out + err)
        // ctdb_killtcp loses to a packet that comes between its tickle and its reset: now and then one connection survives
        const left = await Promise.all(
          [0, 2].map(async (i) => {
            const now = await group.connections(group.nodes[i]!)
            return now.filter((each) => held[i]?.includes(each)).length
          }),
        )
        const had = [0, 2].map((i) => held[i]?.length ?? 0)
        t.ok(
          sum(left) * 2 <= sum(had),
          `connections under the old leader are ended: of ${had.join(' and ')}, ${left.join(' and ')} left`,
        )
        const moved = clients.mark()
        await waitFor('six clients under another leader', () => all(moved), 60)
        await waitFor(
          'clients of the healthy nodes only',
          () => [...clients.servers(moved).values()].every((node) => node !== '0'),
          60,
        )
        await waitFor('six clients by UDP under another leader', () => all(moved, 'udp'), 60)
        const now = await whileWatching(lab, ip, async () => {
          await lab.observer.run('ip', 'neigh', 'flush', 'all')
          t.ok(await lab.observer.reaches(ip), 'the address is reached')
        })
        t.strictSame(now.answers, [await second.host.macOf('eth0')], 'the new leader alone answers')
        t.strictSame(await group.services(first), [], 'the old leader hands nothing on')

        group.health('unhealthy', 'ok', 'stopped')
        const [, one] = await Promise.all([first.lvs('ipreallocated'), second.lvs('ipreallocated')])
        t.equal(one.status, 0, one.out + one.err)
        const alone = clients.mark()
        await waitFor(
          'all clients on the node that is left, though the third has not been heard of',
          () => all(alone) && [...clients.servers(alone).values()].every((node) => node === '1'),
          60,
        )
        clients.stop()
      },
    )

    inLab(
      `${family.family}: the leader has services and the address on the wire, a follower-only node never, shutdown leaves nothing`,
      options,
      async (t, lab) => {
        const group = await LvsGroup.start(lab, family, ['follower-only', '', ''])
        const [first, second, third] = group.nodes
        if (!first || !second || !third) return
        // a public address that is kept off the wire, beside ours
        const parked = v6 ? 'fd00::7' : '10.0.0.7'
        await second.host.must('ip', 'addr', 'add', `${parked}/${bits}`, 'dev', 'lo', 'scope', 'host')
        const untouched = await second.host.state()
        const sysctls = () => second.host.must('sh', '-c', 'cat /proc/sys/net/ipv4/conf/all/arp_*')
        const before = await sysctls()
        await second.lvs('startup')
        await first.lvs('startup')
        t.strictSame(await second.host.places(ip), [`lo/${bits}`])
        t.strictSame(await second.lvs('ipreallocated'), { status: 0, out: '', err: '' })
        t.strictSame(await second.host.places(ip), v6 ? [`lo/128`, 'eth0/128'] : ['lo/32'])
        const end = (address: string) => (v6 ? `[${address}]:0` : `${address}:0`)
        const loopback = v6 ? '::1' : '127.0.0.1'
        const expected = ['-t', '-u'].flatMap((protocol) => [
          `-A ${protocol} ${end(ip)} -s lc -p 1999999`,
          ...[first.address, third.address, loopback].map(
            (server) => `-a ${protocol} ${end(ip)} -r ${end(server)} -g -w 1`,
          ),
        ])
        t.strictSame(await group.services(second), expected.toSorted())
        t.strictSame(await first.lvs('ipreallocated'), { status: 0, out: '', err: '' })
        t.strictSame(await first.host.places(ip), [`lo/${bits}`], 'follower-only: silent, though the first')
        t.strictSame(await group.services(first), [])

        group.health('ok', 'ok', 'disabled')
        t.strictSame(await second.lvs('ipreallocated'), { status: 0, out: '', err: '' })
        const fewer = expected.filter((line) => !line.includes(end(third.address)))
        t.strictSame(await group.services(second), fewer.toSorted(), 'a node that is disabled is no server')
        t.strictSame(await second.host.places(parked), [`lo/${bits}`], 'what else is on lo is none of ours')

        t.strictSame(await second.lvs('shutdown'), { status: 0, out: '', err: '' })
        t.strictSame(await second.lvs('shutdown'), { status: 0, out: '', err: '' }, 'and once more')
        t.equal(await second.host.state(), untouched)
        t.equal(await sysctls(), before)
        t.strictSame(await group.services(second), [])
      },
    )

    inLab(
      `${family.family}: a leader that died is silenced when its daemon starts, and one without an answer from the daemon follows`,
      options,
      async (t, lab) => {
        const group = await LvsGroup.start(lab, family)
        const [first] = group.nodes
        if (!first) return
        await first.lvs('startup')
        await first.lvs('ipreallocated')
        t.ok((await group.services(first)).length > 0)
        group.silence(first)
        const said = await first.lvs('ipreallocated')
        t.equal(said.status, 0)
        t.match(lines(said), [
          /^WARNING: the LVS leader is not known, this node serves as a follower: .*errno=2/,
        ])
        t.strictSame(await first.host.places(ip), [`lo/${bits}`])
        t.strictSame(await group.services(first), [])
        group.health('ok', 'ok', 'ok')
        await first.lvs('ipreallocated')
        rmSync(join(first.dir, 'var'), { recursive: true }) // as 00.ctdb does at each start
        t.strictSame(await first.lvs('init'), { status: 0, out: '', err: '' })
        t.strictSame(await first.host.places(ip), [])
        t.strictSame(await group.services(first), [])
      },
    )
  }

  inLab(
    'IPv6: a leader that does not let go keeps the next one off the wire, which monitor reports, and repairs when it can',
    options,
    async (t, lab) => {
      const family = LVS_FAMILIES[1]
      const group = await LvsGroup.start(lab, family)
      const [first, second] = group.nodes
      if (!first || !second) return
      await first.lvs('startup')
      await first.lvs('ipreallocated')
      await second.lvs('startup')
      group.health('disconnected', 'ok', 'ok')
      const mac = await first.host.macOf('eth0')
      const wrong = (behind = '') =>
        new RegExp(
          `^ERROR: this node cannot lead fd00::100: another host has it \\(dadfailed\\): ${mac} on eth0, which is .*: take it away there${behind}$`,
        )
      const isSilent = async () => {
        t.strictSame(await second.host.places(family.ip), ['lo/128'], 'nothing is half done')
        t.strictSame(await group.services(second), [])
      }
      const taken = await second.lvs('ipreallocated')
      t.equal(taken.status, 0, 'CTDB would ban it, and then the next')
      t.match(lines(taken), [wrong(': tried again at each monitor')])
      await isSilent()
      const watched = await second.lvs('monitor')
      t.equal(watched.status, 1)
      t.match(lines(watched), [wrong()])
      await isSilent()
      await first.host.must('ip', 'link', 'set', 'eth0', 'down')
      t.strictSame(await second.lvs('monitor'), { status: 0, out: '', err: '' })
      t.strictSame(await second.host.places(family.ip), ['lo/128', 'eth0/128'])
      const services = await group.services(second)
      t.ok(services.length > 0, 'and it hands on')
      t.equal((await second.lvs('ipreallocated')).status, 0)
      t.strictSame(await group.services(second), services, 'as one does that could lead at once')
    },
  )

  inLab('what ipvsadm cannot do is undone, and told in one line', options, async (t, lab) => {
    const family = LVS_FAMILIES[0]
    const group = await LvsGroup.start(lab, family)
    const [first] = group.nodes
    if (!first) return
    await first.lvs('startup')
    lab.standIn(
      'ipvsadm',
      'case $1 in -R) sed 2q | $real -R; echo "Memory allocation problem" >&2;; *) exec $real "$@" ;; esac',
    )
    for (const [event, status] of [
      ['ipreallocated', 0],
      ['monitor', 1],
    ] as const) {
      const failed = await first.lvs(event)
      t.equal(failed.status, status)
      t.match(
        lines(failed).join('\n'),
        /ERROR: this node cannot lead 10\.0\.0\.100: ipvsadm cannot set up the services/,
      )
    }
    t.match(await first.host.must('ip', 'addr', 'show', 'dev', 'lo'), /10\.0\.0\.100\/32 scope host/)
  })

  inLab(
    'another address in the options: the old one goes, from lo and from the services',
    options,
    async (t, lab) => {
      const family = LVS_FAMILIES[0]
      const group = await LvsGroup.start(lab, family)
      const [first] = group.nodes
      if (!first) return
      await first.lvs('startup')
      await first.lvs('ipreallocated')
      const file = join(first.dir, 'etc/script.options')
      writeFileSync(file, readFileSync(file, 'utf8').replace(family.ip, '10.0.0.101'))
      t.equal((await first.lvs('ipreallocated')).status, 0)
      t.strictSame(await first.host.places(family.ip), [])
      t.strictSame(await first.host.places('10.0.0.101'), ['lo/32'])
      t.notOk((await group.services(first)).some((line) => line.includes(`${family.ip}:0`)))
    },
  )
}
