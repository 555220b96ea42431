/** 13.per_ip_routing and 11.routing on the real kernel: what is wrong, and who is killed. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import {
  configure,
  confOf,
  expectedRoutes,
  FAMILIES,
  hold,
  hosts,
  LABELS,
  labels,
  left,
  NAME,
  publicAddresses,
  REFUSING_BATCHES,
  routesOf,
  ruleOf,
  silent,
  staticRoutesOf,
} from './routing-lab.ts'

const nothing = await prepareFile()
if (!nothing) {
  for (const of of FAMILIES) {
    const { family, one, other, bits, farNet, ownNet, gateways } = of

    inLab(`${family}: an event that is repeated changes nothing`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      await hold(lab, of, one)
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      const before = await left(lab)
      lab.standIn('ip', 'case "$*" in *-force*) echo "$*" >>"$CTDB_BASE/changes" ;; esac\nexec $real "$@"')
      hosts(lab, [[one, 'eth0']])
      for (const words of [['takeip', 'eth0', one, bits], ['ipreallocated']])
        t.strictSame(await lab.handler(NAME, ...words), silent)
      t.notOk(existsSync(join(lab.dir, 'etc/changes')), 'ip is not even asked to change anything')
      t.strictSame(await left(lab), before)
    })

    inLab(`${family}: startup removes what a crash has left, shutdown leaves nothing`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      const foreign = '# mine\n7\tvpn\n'
      writeFileSync(join(lab.dir, LABELS), foreign)
      const rule = ['from', of.nowhere, 'pref', '100', 'table', '7']
      await lab.node.must('ip', of.option, 'rule', 'add', ...rule)
      for (const event of ['startup', 'shutdown']) {
        await hold(lab, of, one)
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
        await lab.node.must('ip', 'addr', 'del', `${one}/${bits}`, 'dev', 'eth0')
        t.strictSame(await lab.handler(NAME, event), {
          ...silent,
          out: `Removing ip rule for public address ${one} for routing table ctdb.${one}\n`,
        })
        t.strictSame(
          await left(lab),
          [`100: from ${of.nowhere} lookup vpn`],
          `${event}: only what is somebody else's is left`,
        )
        const filter = await lab.node.must('cat', '/proc/sys/net/ipv4/conf/all/arp_filter')
        t.equal(filter, '1\n', 'ARP is answered where the address is')
      }
      t.equal(labels(lab), foreign)
    })

    inLab(
      `${family}: a route that the kernel refuses fails the event, with its line, and nothing of it stays`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        const gateway = gateways[0]
        configure(
          lab,
          `${one} ${ownNet}\n${one} ${farNet} ${gateway} src ${of.nowhere}\n${other} ${ownNet}\n`,
        )
        for (const ip of [one, other]) await hold(lab, of, ip)
        const refusal = new RegExp(
          `^${lab.dir}/etc/policy_routing line 2: add_routing_for_ip: failed to add route: ${farNet} via ${gateway} dev eth0 src ${of.nowhere} table ctdb.${one} \\(1000\\): .*Invalid.*: ${one} is left without policy routing: mend that line$`,
        )
        const taken = await lab.handler(NAME, 'takeip', 'eth0', one, bits)
        t.equal(taken.status, 1)
        t.match(lines(taken), [refusal])
        t.strictSame(await left(lab), [])
        hosts(lab, [
          [one, 'eth0'],
          [other, 'eth0'],
        ])
        const run = await lab.handler(NAME, 'ipreallocated')
        t.equal(run.status, 1)
        t.match(lines(run), [refusal])
        t.strictSame(await ruleOf(lab, of, one), [])
        t.strictSame(await routesOf(lab, of, one), [])
        t.strictSame(await routesOf(lab, of, other), [`${ownNet} dev eth0`], 'the other has its routes')
        t.equal((await ruleOf(lab, of, other)).length, 1)
      },
    )

    inLab(
      `${family}: what one address has wrong, or is not here for, keeps the others from nothing`,
      {},
      async (t, lab) => {
        const { nowhere } = of
        const rows = (ip: string) => `${ip} ${ownNet}\n${ip} ${of.default} ${gateways[1]}\n`
        publicAddresses(lab)
        hosts(lab, [
          [one, 'eth0'],
          [other, 'eth0'],
        ])
        const routes = [`${ownNet} dev eth0`, `default via ${gateways[1]} dev eth0`].toSorted()
        const renew = async (event: string, status: number, ...said: RegExp[]) => {
          const run = await lab.handler(NAME, event)
          t.equal(run.status, status, run.out + run.err)
          const own = lines(run).filter((line) => !line.startsWith('Reconfiguring'))
          t.equal(own.length, said.length, own.join('\n'))
          t.match(own, said)
        }

        await hold(lab, of, other)
        configure(lab, rows(one) + rows(other))
        const away = new RegExp(
          `^WARNING: eth0 does not have ${one}: policy routing stays as it is until takeip$`,
        )
        await renew('ipreallocated', 0, away)
        t.strictSame(await routesOf(lab, of, other), routes)
        t.strictSame(await ruleOf(lab, of, one), [])

        await hold(lab, of, one, 'eth1')
        const elsewhere = new RegExp(
          `^WARNING: Public IP ${one} hosted on interface eth1 but VNN says eth0: `,
        )
        await renew('ipreallocated', 0, elsewhere)
        const real = [`${ownNet} dev eth1`, `default via ${gateways[1]} dev eth1`].toSorted()
        t.strictSame(await routesOf(lab, of, one), real, 'by the interface that it is really on')

        // the gateway of one is out of reach by now: it keeps what it has, the other gets what it lacks
        await lab.node.must('ip', of.option, 'rule', 'flush', 'pref', '100')
        await lab.node.must('ip', of.option, 'rule', 'add', 'from', one, 'pref', '100', 'table', '1001')
        configure(lab, `${one} ${farNet} ${nowhere}\n${rows(other)}`)
        const far = new RegExp(`/policy_routing line 1: gateway ${nowhere} is outside the subnet of ${one}/`)
        await renew('ipreallocated', 1, elsewhere, far)
        t.equal((await ruleOf(lab, of, other)).length, 1, 'the other has its rule again')
        t.equal((await ruleOf(lab, of, one)).length, 1, 'and that one still has its own')
        t.strictSame(await routesOf(lab, of, one), real)
        await renew('reconfigure', 1, elsewhere, far)
        t.strictSame(await routesOf(lab, of, one), real, 'also when all others are added afresh')

        // down and up again: the kernel has dropped IPv6 addresses, and the routes of both families
        configure(lab, rows(one) + rows(other))
        await lab.node.must('ip', 'addr', 'flush', 'dev', 'eth1')
        await hold(lab, of, one)
        await renew('ipreallocated', 0)
        await lab.node.must('ip', 'link', 'set', 'eth0', 'down')
        const down = new RegExp(
          `^WARNING: eth0 is down, and so ${of.option === '-6' ? 'without' : 'of no use to'} ${one}, ${other}: `,
        )
        await renew('ipreallocated', 0, down)
        for (const words of [
          ['updateip', 'eth1', 'eth0', one, bits],
          ['takeip', 'eth0', one, bits],
        ])
          t.match(
            await lab.handler(NAME, ...words),
            { status: 0, out: /^WARNING: eth0 is down, and so .*: policy routing stays/, err: '' },
            words.join(' '),
          )
        await lab.node.must('ip', 'link', 'set', 'eth0', 'up')
        const dropped = new RegExp(`^WARNING: eth0 does not have ${one}, ${other}: `)
        await renew('ipreallocated', 0, ...(of.option === '-6' ? [dropped] : []))
        if (of.option === '-6')
          for (const ip of [one, other]) {
            await hold(lab, of, ip)
            t.match(await lab.handler(NAME, 'takeip', 'eth0', ip, bits), silent)
          }
        for (const ip of [one, other]) {
          t.strictSame(await routesOf(lab, of, ip), routes)
          t.equal((await ruleOf(lab, of, ip)).length, 1)
        }
        await lab.node.must('ip', 'link', 'del', 'eth0')
        const gone = new RegExp(`^WARNING: eth0 is not there, and so without ${one}, ${other}: `)
        await renew('ipreallocated', 0, gone)
      },
    )

    inLab(`${family}: changed words after a gateway take effect at ipreallocated`, {}, async (t, lab) => {
      publicAddresses(lab)
      await hold(lab, of, one)
      hosts(lab, [[one, 'eth0']])
      const gateway = gateways[0]
      const show = async () =>
        (await lab.node.must('ip', of.option, 'route', 'show', 'table', `ctdb.${one}`))
          .trim()
          .replaceAll(/\s+/g, ' ')
      for (const [words, expected] of [
        ['', / dev eth0(?! .*mtu)/],
        ['mtu 1400 metric 7', / metric 7 .*mtu 1400/],
        ['mtu lock 1300 advmss 1200', / mtu lock 1300 advmss 1200/],
        ['mtu 4000000000', / mtu 65520/],
        [`src ${one}`, new RegExp(` src ${one}`)],
        ['', / dev eth0(?! .*(?:mtu|src))/],
      ] as const) {
        configure(lab, `${one} ${farNet} ${gateway} ${words}\n`)
        t.match(await lab.handler(NAME, 'ipreallocated'), silent, words)
        t.match(await show(), expected)
        const again = await lab.eventscript('explain', '--only', NAME, 'ipreallocated')
        t.notMatch(again.out + again.err, /needs its routes/, `${words}: and are as they should be`)
      }
    })

    inLab(`${family}: wrong configuration is refused before anything is changed`, {}, async (t, lab) => {
      publicAddresses(lab)
      await hold(lab, of, one)
      hosts(lab, [[one, 'eth0']])
      const [mixed] = FAMILIES.filter((each) => each !== of).map(({ gateways: [address] }) => address)
      const wrong: [string, RegExp][] = [
        [`${one} ${ownNet}\n${one} lan\n`, /line 2: .*"lan" is no network/],
        [`${one} ${ownNet}\nthis is broken\n`, /line 2: .*"this" is no IP address/],
        [`${one} ${farNet} ${mixed}\n`, /line 1: .* is IPv[46]: expected IPv[46]/],
        [`${one} ${ownNet}\n${one} ${farNet} ${of.nowhere}\n`, /line 2: gateway .* is outside the subnet of/],
      ]
      for (const [conf, expected] of wrong) {
        configure(lab, conf)
        for (const words of [
          ['takeip', 'eth0', one, bits],
          ['updateip', 'eth1', 'eth0', one, bits],
          ['ipreallocated'],
        ]) {
          const result = await lab.handler(NAME, ...words)
          t.equal(result.status, 1, words.join(' '))
          t.match(lines(result), [expected])
        }
        t.strictSame(await left(lab), [])
        t.equal(labels(lab), '')
      }
      configure(lab, confOf(of), [1000, 1001])
      writeFileSync(join(lab.dir, LABELS), '1000\tvpn\n1001\tctdb.10.0.0.77\n')
      const full = await lab.handler(NAME, 'takeip', 'eth0', one, bits)
      t.match(full, {
        status: 1,
        err: `add_routing_for_ip: out of table ids in range 1000 - 1001: /etc/iproute2/rt_tables and the kernel's rules and routes leave none for ${one}: `,
      })
      t.strictSame(await left(lab), [])
    })

    inLab(
      `${family}: a line that is wrong for one address keeps no other from its routes`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, `${other} nonsense\n${one} ${ownNet}\n`)
        await hold(lab, of, one)
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
        t.strictSame(await routesOf(lab, of, one), [`${ownNet} dev eth0`])
        const monitor = await lab.handler(NAME, 'monitor')
        t.match(monitor, { status: 1, err: /policy_routing line 1: .*"nonsense" is no network/ })
      },
    )

    inLab(
      `${family}: an event that is killed after any of its commands is completed or undone by the next`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        await hold(lab, of, one)
        const whole = async () => {
          t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
          t.equal((await ruleOf(lab, of, one)).length, 1)
        }
        const gone = async () => t.strictSame(await left(lab), [])
        // takeip is four lines, releaseip two; after none of them is there a table in rt_tables and nothing else
        const stories = [
          [0, 'takeip', 'takeip', whole] as const,
          [0, 'takeip', 'ipreallocated', whole] as const,
          ...[1, 3].flatMap((upTo) => [
            [upTo, 'takeip', 'takeip', whole] as const,
            [upTo, 'takeip', 'ipreallocated', whole] as const,
            [upTo, 'takeip', 'releaseip', gone] as const,
          ]),
          [4, 'takeip', 'releaseip', gone] as const,
          [2, 'takeip', 'startup', gone] as const,
          [3, 'takeip', 'shutdown', gone] as const,
          ...[0, 1, 2].flatMap((upTo) => [
            [upTo, 'releaseip', 'takeip', whole] as const,
            [upTo, 'releaseip', 'unhosted', gone] as const,
          ]),
        ]
        for (const [upTo, event, next, state] of stories) {
          const words = (name: string) =>
            ['takeip', 'releaseip'].includes(name) ? [name, 'eth0', one, bits] : [name]
          if (event === 'releaseip') await lab.handler(NAME, ...words('takeip'))
          killAfter(lab, upTo)
          const killed = await lab.handler(NAME, ...words(event))
          t.equal(killed.status, 255, `${event} is killed after ${upTo} commands`)
          lab.noStandIn('ip')
          hosts(lab, [[one, next === 'unhosted' ? '' : 'eth0']])
          t.equal((await lab.handler(NAME, ...words(next === 'unhosted' ? 'ipreallocated' : next))).status, 0)
          await state()
          await lab.handler(NAME, 'shutdown')
          t.strictSame(await left(lab), [])
          t.equal(labels(lab), '')
        }
      },
    )

    inLab(`${family}: an altname of an interface is as good as its name`, {}, async (t, lab) => {
      publicAddresses(lab)
      // as long as the kernel allows: a name has 15 bytes at most
      const long = 'lan-'.padEnd(127, 'x')
      for (const iface of ['eth0', 'eth1'])
        await lab.node.must('ip', 'link', 'property', 'add', 'dev', iface, 'altname', `lan-${iface}`)
      await lab.node.must('ip', 'link', 'property', 'add', 'dev', 'eth0', 'altname', long)
      // a gateway in another subnet of the interface is found by the interface's name
      await hold(lab, of, of.nowhere)
      configure(lab, `${one} ${ownNet}\n${one} ${farNet} ${of.near}\n`)
      lab.configure('static-routes', `${long} ${of.static} ${gateways[0]}\n`)
      hosts(lab, [[one, 'lan-eth0']])
      await hold(lab, of, one)
      const routes = [`${ownNet} dev eth0`, `${farNet} via ${of.near} dev eth0`].toSorted()
      t.strictSame(await lab.handler(NAME, 'takeip', 'lan-eth0', one, bits), silent)
      t.strictSame(await routesOf(lab, of, one), routes)
      lab.standIn('ip', 'case "$*" in *-force*) echo "$*" >>"$CTDB_BASE/changes" ;; esac\nexec $real "$@"')
      t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
      t.notOk(existsSync(join(lab.dir, 'etc/changes')), 'all is there: ip is not even asked to change it')
      for (const words of [['updateip', 'eth1', 'eth0', one, bits], ['ipreallocated']]) {
        t.strictSame(await lab.handler('11.routing', ...words), silent)
        const there = (await staticRoutesOf(lab)).filter((line) => line.startsWith(of.static))
        t.strictSame(there, [`${of.static} via ${gateways[0]} dev eth0`], words.join(' '))
      }
    })

    inLab(
      `${family}: an address that is kept off the wire has its routes when it comes back`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        // not even its subnet: nothing says that the gateways are on this wire
        configure(lab, `${one} ${farNet} ${gateways[0]}\n${one} ${of.default} ${gateways[1]}\n`)
        hosts(lab, [[one, 'eth0']])
        await lab.node.must('ip', 'addr', 'add', `${one}/${of.option === '-6' ? 128 : 32}`, 'dev', 'lo')
        t.match(await lab.handler(NAME, 'takeip', 'eth0', one, bits), { status: 1 }, 'nobody says so')
        mkdirSync(join(lab.dir, 'eventscript'), { recursive: true })
        writeFileSync(join(lab.dir, 'eventscript/parked'), `${one} ${bits} eth0 - 02:00:00:00:00:07\n`)
        const there = [
          `${farNet} via ${gateways[0]} dev eth0 onlink`,
          `default via ${gateways[1]} dev eth0 onlink`,
        ].toSorted()
        for (const words of [['takeip', 'eth0', one, bits], ['ipreallocated'], ['reconfigure']]) {
          t.match(await lab.handler(NAME, ...words), { status: 0, err: '' }, words.join(' '))
          t.strictSame(await routesOf(lab, of, one), there)
          t.equal((await ruleOf(lab, of, one)).length, 1)
        }
        await lab.node.must('ip', 'addr', 'del', `${one}/${of.option === '-6' ? 128 : 32}`, 'dev', 'lo')
        await hold(lab, of, one)
        rmSync(join(lab.dir, 'eventscript/parked'))
        t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
        t.strictSame(await routesOf(lab, of, one), there, 'they are good as they are')
        t.strictSame(await lab.handler(NAME, 'releaseip', 'eth0', one, bits), silent)
        t.strictSame(await left(lab), [])
      },
    )

    inLab(`${family}: __auto_link_local__ needs no file`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, '__auto_link_local__')
      await hold(lab, of, one)
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      t.strictSame(await routesOf(lab, of, one), [`${ownNet} dev eth0`])
      await hold(lab, of, other, 'eth1')
      hosts(lab, [
        [one, 'eth0'],
        [other, 'eth1'],
      ])
      t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
      t.strictSame(await routesOf(lab, of, other), [`${ownNet} dev eth1`])
      t.equal((await ruleOf(lab, of, other)).length, 1)
    })

    inLab(
      `${family}: reconfigure brings a changed file into effect, and an address without lines loses its rule`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        for (const ip of [one, other]) {
          await hold(lab, of, ip)
          t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', ip, bits), silent)
        }
        configure(lab, `${one} ${ownNet}\n${one} ${farNet} ${gateways[1]}\n`)
        hosts(lab, [
          [one, 'eth0'],
          [other, 'eth0'],
        ])
        t.strictSame(await lab.handler(NAME, 'reconfigure'), {
          ...silent,
          out: `Reconfiguring service "per_ip_routing"...\nRemoving ip rule/routes for public address ${other}\n`,
        })
        t.strictSame(
          await routesOf(lab, of, one),
          [`${ownNet} dev eth0`, `${farNet} via ${gateways[1]} dev eth0`].toSorted(),
        )
        t.strictSame(await ruleOf(lab, of, other), [])
      },
    )
  }

  inLab('without configuration nothing is done and nothing said, whatever the event', {}, async (t, lab) => {
    lab.ctdbSays('ip_-v.fails', 'no\n')
    const four = ['eth0', '10.0.0.1', '24']
    for (const words of [
      ['init'],
      ['startup'],
      ['monitor'],
      ['takeip', ...four],
      ['releaseip', ...four],
      ['updateip', 'eth1', ...four],
      ['ipreallocated'],
      ['reconfigure'],
      ['shutdown'],
    ])
      for (const name of [NAME, '11.routing'])
        t.strictSame(await lab.handler(name, ...words), silent, `${name} ${words[0]}`)
    t.strictSame(await left(lab), [])
    t.strictSame(lab.ctdbCalls(), [])
  })

  inLab('wrong options fail every event that needs them, in the words of CTDB', {}, async (t, lab) => {
    configure(lab, '10.0.0.1 10.0.0.0/24\n')
    rmSync(join(lab.dir, 'etc/policy_routing'))
    for (const words of [['startup'], ['monitor'], ['takeip', 'eth0', '10.0.0.1', '24']])
      t.match(await lab.handler(NAME, ...words), {
        status: 1,
        err: `error: CTDB_PER_IP_ROUTING_CONF=${lab.dir}/etc/policy_routing file not found`,
      })
    t.strictSame(
      await lab.handler(NAME, 'releaseip', 'eth0', '10.0.0.1', '24'),
      silent,
      'what goes needs no file',
    )
    lab.configure('script.options', 'CTDB_PER_IP_ROUTING_CONF=/x\n')
    t.match(await lab.handler(NAME, 'monitor'), {
      status: 1,
      err: /^error: CTDB_PER_IP_ROUTING_RULE_PREF not configured/,
    })
  })

  inLab('a daemon that does not answer leaves the rules as they are', {}, async (t, lab) => {
    publicAddresses(lab)
    configure(lab, '__auto_link_local__')
    t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', 'fd00::1', '64'), silent)
    const before = await left(lab)
    lab.ctdbSays('ip_-v.fails', 'Warning: All nodes are banned.\n')
    const result = await lab.handler(NAME, 'ipreallocated')
    t.match(result, { status: 0, out: /^WARNING: policy routing is left as it is, .*All nodes are banned/ })
    t.strictSame(await left(lab), before)
  })

  inLab('a rule that cannot be deleted is a WARNING, and the event goes on', {}, async (t, lab) => {
    publicAddresses(lab)
    configure(lab, '__auto_link_local__')
    t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent)
    lab.standIn('ip', REFUSING_BATCHES)
    const result = await lab.handler(NAME, 'releaseip', 'eth0', '10.0.0.1', '24')
    t.equal(result.status, 0)
    t.match(
      lines(result)[0],
      /^WARNING: Failed to delete policy routing rule of 10\.0\.0\.1: "ip rule del .*not permitted/,
    )
    lab.noStandIn('ip')
    t.strictSame(await lab.handler(NAME, 'releaseip', 'eth0', '10.0.0.1', '24'), silent)
    t.strictSame(await left(lab), [])
  })

  inLab('a rule that stays at shutdown is known to the next ipreallocated', {}, async (t, lab) => {
    publicAddresses(lab)
    configure(lab, '__auto_link_local__')
    t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent)
    lab.standIn('ip', REFUSING_BATCHES)
    t.match(await lab.handler(NAME, 'shutdown'), { status: 0, out: /WARNING: Failed to delete/ })
    lab.noStandIn('ip')
    hosts(lab, [])
    t.match(await lab.handler(NAME, 'ipreallocated'), { status: 0, out: /Removing ip rule/ })
    t.strictSame(await lab.handler(NAME, 'shutdown'), silent)
    t.strictSame(await left(lab), [])
  })

  inLab('a static route that somebody has set otherwise is left alone', {}, async (t, lab) => {
    for (const of of FAMILIES) await hold(lab, of, of.one)
    lab.configure('static-routes', 'eth0 10.5.0.0/16 10.0.0.254\neth0 fd05::/64 fd00::fe\n')
    await lab.node.must('ip', 'route', 'add', '10.5.0.0/16', 'via', '10.0.0.9', 'dev', 'eth0')
    await lab.node.must('ip', 'route', 'add', 'fd05::/64', 'via', 'fd00::9', 'dev', 'eth0')
    t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent)
    t.strictSame(await staticRoutesOf(lab), [
      '10.5.0.0/16 via 10.0.0.9 dev eth0',
      'fd05::/64 via fd00::9 dev eth0',
    ])
  })

  inLab('a bad line of static-routes is told with its number, and no route is added', {}, async (t, lab) => {
    for (const of of FAMILIES) await hold(lab, of, of.one)
    lab.configure('static-routes', 'eth0 10.5.0.0/16 10.0.0.254\neth0 fd05::/64 10.0.0.254\n')
    const result = await lab.handler('11.routing', 'ipreallocated')
    t.match(result, { status: 1, err: /\/static-routes line 2: .*fd05::\/64 is IPv6: expected IPv4\n$/ })
    t.strictSame(await staticRoutesOf(lab), [])
  })

  inLab(
    'a static route that the kernel refuses fails the event when the others are there',
    {},
    async (t, lab) => {
      for (const of of FAMILIES) await hold(lab, of, of.one)
      // IPv6 refuses a gateway that is this node itself
      lab.configure('static-routes', 'eth0 fd05::/64 fd00::1\neth0 fd06::/64 fd00::fe\n')
      const result = await lab.handler('11.routing', 'ipreallocated')
      t.match(result, {
        status: 1,
        err: /static-routes line 1: failed to add route: "ip route add fd05::\/64 via fd00::1 dev eth0 proto static": Error: Gateway can not be a local address\.: mend that line\n$/,
      })
      t.strictSame(await staticRoutesOf(lab), ['fd06::/64 via fd00::fe dev eth0'])
    },
  )
}

/** The next change that is to be made is killed after so many of its lines, together with the handler. */
function killAfter(lab: Lab, count: number): void {
  const some = count === 0 ? ':' : `head -n ${count} | $real "$@"`
  lab.standIn('ip', `case "$*" in *-force*) ${some}; kill -9 $PPID; exit 0 ;; esac\nexec $real "$@"`)
}
