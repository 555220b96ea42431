/**
 * 13.per_ip_routing and 11.routing on the real kernel: where packets go, and what comes, moves and goes. In user-mode
 * Linux too (test/uml).
 */
import { join } from 'node:path'
import type { Test } from '../../tap.ts'
import type { Host } from '../../lab/host/host.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { ASTRAY, ping, RIGHT, withGateways } from './gateways.ts'
import {
  configure,
  confOf,
  expectedRoutes,
  FAMILIES,
  type Family,
  hold,
  hosts,
  labels,
  left,
  NAME,
  publicAddresses,
  routesOf,
  ruleOf,
  silent,
  staticRoutesOf,
} from './routing-lab.ts'

const nothing = await prepareFile()
if (!nothing) {
  for (const of of FAMILIES) {
    const { family, one, other, bits, farNet } = of

    inLab(
      `${family}: what is sent from each public address leaves by the gateway that is meant for it`,
      { needs: ['perl'] },
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        await lab.node.writeSysctl('net/ipv4/conf/eth0/promote_secondaries', 1)
        for (const ip of [one, other]) await hold(lab, of, ip)
        await packets(t, lab, of, await withGateways(lab, of))
      },
    )

    inLab(`${family}: takeip, updateip, releaseip: rule and routes come, move and go`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      await hold(lab, of, one)
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      t.match(await ruleOf(lab, of, one), [new RegExp(`^100:\\s+from ${one} lookup ctdb\\.${one}`)])
      t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
      t.equal(labels(lab), `1000\tctdb.${one}\n`)

      await lab.node.must('ip', 'addr', 'del', `${one}/${bits}`, 'dev', 'eth0')
      await hold(lab, of, one, 'eth1')
      t.strictSame(await lab.handler(NAME, 'updateip', 'eth0', 'eth1', one, bits), silent)
      t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0, 'eth1'))
      t.equal((await ruleOf(lab, of, one)).length, 1)

      t.strictSame(await lab.handler(NAME, 'releaseip', 'eth1', one, bits), silent)
      t.strictSame(await left(lab), [])
      t.equal(labels(lab), `1000\tctdb.${one}\n`, 'the number of its table is kept for its return')
      t.strictSame(await lab.handler(NAME, 'releaseip', '__none__', one, bits), silent, 'once more')
    })

    inLab(
      `${family}: ipreallocated adds what has gone, and removes what is not hosted any more`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        for (const ip of [one, other]) {
          await hold(lab, of, ip)
          t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', ip, bits), silent)
        }
        const all = await left(lab)
        hosts(lab, [
          [one, 'eth0'],
          [other, 'eth0'],
        ])
        const damages: string[][] = [
          ['route', 'flush', 'table', `ctdb.${one}`],
          ['route', 'del', farNet, 'table', `ctdb.${one}`],
          ['rule', 'del', 'from', one, 'table', `ctdb.${one}`],
        ]
        for (const damage of damages) {
          await lab.node.must('ip', of.option, ...damage)
          t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
          t.strictSame((await left(lab)).toSorted(), all.toSorted(), damage.join(' '))
        }
        hosts(lab, [
          [one, 'eth0'],
          [other, ''],
        ])
        t.strictSame(await lab.handler(NAME, 'ipreallocated'), {
          ...silent,
          out: `Removing ip rule/routes for unhosted public address ${other}\n`,
        })
        t.strictSame(await routesOf(lab, of, other), [])
        t.strictSame(await ruleOf(lab, of, other), [])
        t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
      },
    )

    inLab(`${family}: an ip that gives up in the middle leaves nothing half done`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      await hold(lab, of, one)
      const flag = join(lab.dir, 'gave-up')
      lab.standIn(
        'ip',
        `case "$*" in *"-force -batch -") [ -e '${flag}' ] || { : >'${flag}'; sed 1q | $real "$@"; ` +
          'echo "Error: not today" >&2; exit 255; } ;; esac; exec $real "$@"',
      )
      const { status, out, err } = await lab.handler(NAME, 'takeip', 'eth0', one, bits)
      t.equal(status, 1)
      t.match(out + err, /ip cannot change the routing: Error: not today/)
      t.strictSame(await routesOf(lab, of, one), [])
      t.strictSame(await ruleOf(lab, of, one), [])
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
    })
  }

  inLab(
    'a static route waits for its interface, and has room beside one of another metric',
    {},
    async (t, lab) => {
      lab.configure(
        'static-routes',
        'eth9 fd57::/64 fe80::9\neth0 fd58::/64 fe80::9\neth0 10.5.0.0/16 10.0.0.254\neth0 fd05::/64 fd00::fe\n',
      )
      for (const of of FAMILIES) await hold(lab, of, of.one)
      await lab.node.must('ip', 'addr', 'add', '10.1.0.1/24', 'dev', 'eth1')
      await lab.node.must('ip', 'addr', 'add', 'fd01::1/64', 'dev', 'eth1', 'nodad')
      const other = ['dev', 'eth1', 'metric', '2000']
      await lab.node.must('ip', 'route', 'add', '10.5.0.0/16', 'via', '10.1.0.254', ...other)
      await lab.node.must('ip', 'route', 'add', 'fd05::/64', 'via', 'fd01::fe', ...other)
      t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent)
      t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent, 'once more')
      const all = (await staticRoutesOf(lab)).join('\n')
      for (const route of ['fd58::/64 via fe80::9', '10.5.0.0/16 via 10.0.0.254', 'fd05::/64 via fd00::fe'])
        t.ok(all.includes(`${route} dev eth0`), all)
    },
  )

  inLab(
    'static routes of both families are there as soon as their interface is ready',
    {},
    async (t, lab) => {
      lab.configure(
        'static-routes',
        `# of both families
eth0 10.5.0.0/16 10.0.0.254
eth0 fd05::/64 fd00::fe
eth1 10.6.0.0/16 10.1.0.254
eth1 fd06::/64 fd01::fe
eth7 10.7.0.0/16 10.0.0.254
`,
      )
      t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent, 'no address anywhere')
      t.strictSame(await staticRoutesOf(lab), [])
      for (const of of FAMILIES) await hold(lab, of, of.one)
      t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent)
      const first = ['10.5.0.0/16 via 10.0.0.254 dev eth0', 'fd05::/64 via fd00::fe dev eth0']
      t.strictSame(await staticRoutesOf(lab), first)
      t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent, 'once more')
      t.strictSame(await staticRoutesOf(lab), first)
      await lab.node.must('ip', 'addr', 'add', '10.1.0.1/24', 'dev', 'eth1')
      await lab.node.must('ip', 'addr', 'add', 'fd01::1/64', 'dev', 'eth1', 'nodad')
      t.strictSame(await lab.handler('11.routing', 'updateip', '__none__', 'eth0', '10.0.0.2', '24'), silent)
      t.strictSame(await staticRoutesOf(lab), first, 'updateip looks after its two interfaces only')
      t.strictSame(await lab.handler('11.routing', 'updateip', 'eth1', 'eth0', '10.0.0.2', '24'), silent)
      t.strictSame(await staticRoutesOf(lab), [
        '10.5.0.0/16 via 10.0.0.254 dev eth0',
        '10.6.0.0/16 via 10.1.0.254 dev eth1',
        'fd05::/64 via fd00::fe dev eth0',
        'fd06::/64 via fd01::fe dev eth1',
      ])
    },
  )
}

/**
 * Before, both addresses use the node's default route, the second gateway; then each its own, also after one has moved
 * to the other interface; and when nothing is left of ours, as before.
 */
async function packets(t: Test, lab: Lab, of: Family, gateways: readonly [Host, Host]): Promise<void> {
  const { one, other, bits } = of
  // the link-local addresses of IPv6 are checked for duplicates first
  await waitFor('the far host to answer', async () => (await ping(lab, of, one, gateways)) === ASTRAY)
  t.equal(await ping(lab, of, other, gateways), RIGHT.other, 'the default route')
  t.equal(await ping(lab, of, one, gateways), ASTRAY, 'without policy routing')
  for (const ip of [one, other]) t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', ip, bits), silent)
  t.equal(await ping(lab, of, one, gateways), RIGHT.one)
  t.equal(await ping(lab, of, other, gateways), RIGHT.other)

  await lab.node.must('ip', 'addr', 'del', `${one}/${bits}`, 'dev', 'eth0')
  await hold(lab, of, one, 'eth1')
  t.equal((await lab.handler(NAME, 'updateip', 'eth0', 'eth1', one, bits)).status, 0)
  t.equal(await ping(lab, of, one, gateways), RIGHT.one, 'on the other interface')

  await lab.node.must('ip', of.option, 'rule', 'del', 'from', one)
  hosts(lab, [
    [one, 'eth1'],
    [other, 'eth0'],
  ])
  t.equal(await ping(lab, of, one, gateways), ASTRAY, 'the rule is what does it')
  t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
  t.equal(await ping(lab, of, one, gateways), RIGHT.one, 'ipreallocated repairs the routes')

  t.equal((await lab.handler(NAME, 'shutdown')).status, 0)
  t.equal(await ping(lab, of, one, gateways), ASTRAY, 'after shutdown')
  t.strictSame(await left(lab), [])
}
