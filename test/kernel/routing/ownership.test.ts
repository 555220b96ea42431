/** 13.per_ip_routing on the real kernel: what is another's stays, and what older versions have left is known. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import {
  configure,
  confOf,
  expectedRoutes,
  FAMILIES,
  type Family,
  hold,
  hostFirsts,
  hosts,
  LABELS,
  labels,
  left,
  NAME,
  publicAddresses,
  routesOf,
  ruleOf,
  silent,
} from './routing-lab.ts'

/** An address of the host's own and its gateway, in a table of the admin. */
const OWN = {
  '-4': { address: '192.168.7.5', bits: '24', gateway: '192.168.7.1' },
  '-6': { address: 'fd07::5', bits: '64', gateway: 'fd07::1' },
} as const

/** As the admin has made it, without a name in rt_tables. */
async function tableOfAdmin(lab: Lab, of: Family, rule: readonly string[]): Promise<void> {
  const { address, bits, gateway } = OWN[of.option]
  await hold(lab, { ...of, bits }, address, 'eth1')
  const ip = (...words: string[]) => lab.node.must('ip', of.option, ...words)
  await ip('route', 'add', 'default', 'via', gateway, 'dev', 'eth1', 'table', '1000')
  await ip('rule', 'add', ...rule, 'table', '1000')
}

async function theirs(lab: Lab, of: Family): Promise<string> {
  const rules = await lab.node.must('ip', of.option, 'rule', 'show')
  const routes = await lab.node.must('ip', of.option, 'route', 'show', 'table', '1000')
  return [...rules.split('\n').filter((line) => line.includes('lookup 1000')), routes].join('\n')
}

async function whatCtdbsScriptLeaves(lab: Lab, of: Family, ip: string, table: string): Promise<void> {
  const run = (...words: string[]) => lab.node.must('ip', of.option, ...words)
  await run('rule', 'add', 'from', ip, 'pref', '100', 'table', table)
  await run('route', 'add', of.ownNet, 'dev', 'eth0', 'table', table)
  await run('route', 'add', of.farNet, 'via', of.gateways[1], 'dev', 'eth0', 'table', table)
}

const nothing = await prepareFile()
if (!nothing) {
  for (const of of FAMILIES) {
    const { family, one, other, bits, option, ownNet, farNet, gateways } = of
    const { address: own } = OWN[option]

    for (const [what, rule] of [
      ['of another priority', ['from', own, 'pref', '50']],
      ['of our priority', ['from', own, 'pref', '100']],
      ['for marked packets', ['fwmark', '7', 'pref', '100']],
      ['for a whole network', ['from', ownNet, 'pref', '100']],
    ] as const)
      inLab(`${family}: a table that a rule ${what} leads to is not taken, and stays`, {}, async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of), [1000, 1009])
        await tableOfAdmin(lab, of, rule)
        const before = await theirs(lab, of)
        await hold(lab, of, one)
        hosts(lab, [[one, 'eth0']])
        for (const words of [
          ['startup'],
          ['takeip', 'eth0', one, bits],
          ['ipreallocated'],
          ['reconfigure'],
          ['releaseip', 'eth0', one, bits],
          ['ipreallocated'],
        ]) {
          t.match(await lab.handler(NAME, ...words), { status: 0, err: '' }, words.join(' '))
          t.equal(await theirs(lab, of), before, words.join(' '))
          if (words[0] === 'takeip') t.equal(labels(lab), `1001\tctdb.${one}\n`)
        }
        t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0), 'the address has its own')
        t.match(await lab.handler(NAME, 'shutdown'), { status: 0, err: '' })
        t.equal(await theirs(lab, of), before, 'shutdown')
        t.equal((await ruleOf(lab, of, one)).length, 0)
      })

    inLab(`${family}: an address leaves the table that has become another's`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of), [1000, 1009])
      const stale = `7\tvpn\n1000 ctdb.${one}\n`
      await tableOfAdmin(lab, of, ['from', own, 'pref', '50'])
      await hold(lab, of, one)
      hosts(lab, [[one, 'eth0']])
      const before = async () => (await theirs(lab, of)).replaceAll(`ctdb.${one}`, '1000')
      const admins = await before()
      for (const event of [['takeip', 'eth0', one, bits], ['ipreallocated']]) {
        writeFileSync(join(lab.dir, LABELS), stale)
        t.strictSame(await lab.handler(NAME, 'startup'), silent)
        t.strictSame(await lab.handler(NAME, ...event), {
          ...silent,
          out: `WARNING: table 1000 is ctdb.${one} in /etc/iproute2/rt_tables, but has rules or routes that are not ours: ctdb.${one} is table 1001 from now on\n`,
        })
        t.equal(labels(lab), `7\tvpn\n1001\tctdb.${one}\n`)
        t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
        t.equal((await ruleOf(lab, of, one)).length, 1)
        t.equal(await before(), admins)
        const way = ['route', 'get', of.far, 'from', own]
        t.match(await lab.node.must('ip', option, ...way), `via ${OWN[option].gateway} dev eth1`)
        t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent, 'once')
        t.match(await lab.handler(NAME, 'shutdown'), { status: 0 })
        t.equal(await before(), admins)
      }
    })

    inLab(`${family}: a table in which another has a route is not taken`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of), [1000, 1009])
      await hold(lab, of, one)
      await lab.node.must('ip', option, 'route', 'add', 'blackhole', of.static, 'table', '1000')
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      t.equal(labels(lab), `1001\tctdb.${one}\n`)
      t.match(await lab.handler(NAME, 'shutdown'), { status: 0 })
      t.match(await theirs(lab, of), 'blackhole')
    })

    inLab(
      `${family}: what another adds to a table of ours stays there, and ours goes elsewhere`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        await hold(lab, of, one)
        hosts(lab, [[one, 'eth0']])
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
        const route = [of.static, 'via', gateways[1], 'dev', 'eth0', 'proto', 'static']
        const ip = (...words: string[]) => lab.node.must('ip', option, ...words)
        await ip('route', 'add', ...route, 'table', '1000')
        await ip('rule', 'add', 'from', one, 'pref', '100', 'table', '1000', 'protocol', 'static')
        await ip('route', 'del', farNet, 'table', '1000')
        const moved = await lab.handler(NAME, 'ipreallocated')
        t.match(moved, { status: 0, out: `ctdb.${one} is table 1001 from now on` })
        t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
        t.match(
          await theirs(lab, of),
          new RegExp(`^[^\n]* proto static\n${route.slice(0, 5).join(' ')} proto static[^\n]*\n$`),
        )
        t.strictSame(await lab.handler(NAME, 'releaseip', 'eth0', one, bits), silent)
        t.strictSame(await routesOf(lab, of, one), [])
        t.match(await ruleOf(lab, of, one), [/proto static/])
      },
    )

    inLab(`${family}: what CTDB's script or an older version has left is replaced`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      writeFileSync(join(lab.dir, LABELS), `1000\tctdb.${one}\n1001\tctdb.${other}\n`)
      await hold(lab, of, one)
      await hold(lab, of, other)
      hosts(lab, [
        [one, 'eth0'],
        [other, ''],
      ])
      for (const event of [['ipreallocated'], ['takeip', 'eth0', one, bits]]) {
        await whatCtdbsScriptLeaves(lab, of, one, '1000')
        await whatCtdbsScriptLeaves(lab, of, other, '1001')
        t.match(await lab.handler(NAME, ...event), { status: 0, err: '' }, event.join(' '))
        t.match(await ruleOf(lab, of, one), [/ proto 137$/])
        t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
        t.match(await lab.handler(NAME, 'releaseip', 'eth0', other, bits), { status: 0, err: '' })
        t.strictSame(await ruleOf(lab, of, other), [])
        t.strictSame(await routesOf(lab, of, other), [])
        t.match(await lab.handler(NAME, 'releaseip', 'eth0', one, bits), { status: 0 })
        t.strictSame(await left(lab), [])
      }
    })

    inLab(`${family}: startup knows old remains by an address of public_addresses`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      writeFileSync(join(lab.dir, LABELS), `1000\tctdb.${one}\n1001\tctdb.${of.nowhere}\n`)
      await hold(lab, of, one)
      await whatCtdbsScriptLeaves(lab, of, one, '1000')
      await whatCtdbsScriptLeaves(lab, of, of.nowhere, '1001')
      // rt_tables has lost the name of this one
      await whatCtdbsScriptLeaves(lab, of, other, '1002')
      t.match(await lab.handler(NAME, 'startup'), { status: 0, err: '' })
      for (const ip of [one, other]) t.strictSame(await ruleOf(lab, of, ip), [])
      t.strictSame(await routesOf(lab, of, one), [])
      t.equal((await ruleOf(lab, of, of.nowhere)).length, 1, 'of no public address')
      t.equal((await left(lab)).length, 3, 'its rule and its routes')
    })

    inLab(`${family}: what has our mark is ours, whatever rt_tables says by now`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      for (const ip of [one, other]) {
        await hold(lab, of, ip)
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', ip, bits), silent)
      }
      await lab.node.must('ip', option, 'rule', 'del', 'from', other)
      // an admin empties the file, and gives our protocol a name
      writeFileSync(join(lab.dir, LABELS), '')
      writeFileSync(join(lab.dir, 'iproute2/rt_protos'), '137\tcluster\n')
      lab.configure('public_addresses', '')
      t.match(await lab.handler(NAME, 'shutdown'), { status: 0, err: '' })
      t.strictSame(await left(lab), [])
    })
  }

  inLab('a number for IPv4, and a table of IPv6 that another rule leads to', {}, async (t, lab) => {
    await hostFirsts(lab, [1000, 1009])
    writeFileSync(join(lab.dir, LABELS), '1001\tctdb.fd00::1\n')
    await lab.node.must('ip', '-6', 'rule', 'add', 'from', 'fd77::5', 'pref', '50', 'table', '1001')
    t.match(await lab.handler(NAME, 'ipreallocated'), {
      status: 0,
      out: /^WARNING: table 1001 is another's, .*: fd00::1 gets another number\n$/,
    })
    t.equal(labels(lab), '1000\tctdb.10.0.0.1\n1002\tctdb.fd00::1\n')
    for (const of of FAMILIES) t.strictSame(await routesOf(lab, of, of.one), [`${of.ownNet} dev eth0`])
    t.equal((await lab.node.run('ip', '-6', 'route', 'show', 'table', '1001')).out, '')
  })

  inLab('numbers for both families at once: a rule of IPv6 keeps its table as well', {}, async (t, lab) => {
    await hostFirsts(lab, [1000, 1009])
    await lab.node.must('ip', '-6', 'rule', 'add', 'from', 'fd77::5', 'pref', '50', 'table', '1001')
    t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
    t.equal(labels(lab), '1000\tctdb.10.0.0.1\n1002\tctdb.fd00::1\n')
    for (const of of FAMILIES) {
      t.equal((await ruleOf(lab, of, of.one)).length, 1)
      t.strictSame(await routesOf(lab, of, of.one), [`${of.ownNet} dev eth0`])
    }
    const { out } = await lab.node.run('ip', '-6', 'route', 'show', 'table', '1001')
    t.equal(out, '', 'nothing of ours is left in the table of another')
  })
}
