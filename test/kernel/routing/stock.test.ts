/** 13.per_ip_routing on the real kernel: what it costs, beside CTDB's own script, and the numbers of its tables. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseTables } from '../../../runner/net/routing/names/rt-tables.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { DIST } from '../../lab/paths.ts'
import {
  configure,
  confOf,
  FAMILIES,
  hold,
  hosts,
  LABELS,
  labels,
  left,
  NAME,
  publicAddresses,
  silent,
} from './routing-lab.ts'

const nothing = await prepareFile()
if (!nothing) {
  inLab('what ipreallocated costs for 250 addresses of both families', {}, async (t, lab) => {
    const ips = Array.from({ length: 125 }, (_each, i) => [`10.0.0.${i + 1}`, `fd00::${i + 1}`]).flat()
    const isSix = (ip: string) => ip.includes(':')
    /** `bits` of each family; with those of a host the gateway is on the wire by another address of eth0 only. */
    const distribute = (six: number, four: number) =>
      lab.configure('public_addresses', ips.map((ip) => `${ip}/${isSix(ip) ? six : four} eth0\n`).join(''))
    const conf = ips.map((ip) =>
      isSix(ip)
        ? `${ip} ::/0 fd00::fe\n${ip} fd00::/64\n`
        : `${ip} 0.0.0.0/0 10.0.0.254\n${ip} 10.0.0.0/24\n`,
    )
    configure(lab, conf.join(''))
    const options = readFileSync(join(lab.dir, 'etc/script.options'), 'utf8')
    const batch = join(lab.dir, 'addresses')
    const added = ips.map((ip) => `addr add ${ip}/${isSix(ip) ? '64 nodad' : 24} dev eth0\n`)
    writeFileSync(batch, added.join(''))
    await lab.node.must('ip', '-batch', batch)
    const hosted = (iface: string) =>
      hosts(
        lab,
        ips.map((ip) => [ip, iface]),
      )
    const programs = ['ip', 'flock', 'sh', 'sed', 'awk', 'ss', 'mv', 'grep', 'perl']
    for (const program of programs)
      lab.standIn(program, `echo ${program} >>"$CTDB_BASE/started"\nexec $real "$@"`)
    let status = 0
    const costs = async (when: string, ...expected: string[]) => {
      rmSync(join(lab.dir, 'etc/started'), { force: true })
      const asked = lab.ctdbCalls().length
      t.match(await lab.handler(NAME, 'ipreallocated'), { status }, when)
      const own = readFileSync(join(lab.dir, 'etc/started'), 'utf8').split('\n').filter(Boolean)
      const ctdb = lab.ctdbCalls().slice(asked)
      t.strictSame([...ctdb.map(() => 'ctdb'), ...own].toSorted(), expected.toSorted(), when)
    }
    const complete = async () => {
      const rules = (await left(lab)).filter((line) => line.startsWith('100:'))
      t.equal(rules.length, 250)
      t.equal((await left(lab)).length, 750, 'a rule and two routes for each')
    }
    const noRules = async () => {
      for (const option of ['-4', '-6']) await lab.node.must('ip', option, 'rule', 'flush', 'pref', '100')
    }
    const looks = ['ip', 'ip']
    const changes = ['ip', 'ip']

    hosted('eth0')
    distribute(64, 24)
    await costs('the first', 'ctdb', 'flock', 'ip', ...changes)
    await complete()
    await costs('nothing to do', 'ctdb', ...looks)
    await noRules()
    await costs('all rules gone, both families', 'ctdb', ...looks, ...changes)
    await complete()

    // the worst: in both families a rule is repaired, and an address without a number has come
    const newcomers = /\tctdb\.(?:10\.0\.0\.125|fd00::125)$/
    const forget = () => {
      const known = labels(lab).split('\n')
      writeFileSync(join(lab.dir, LABELS), known.filter((line) => !newcomers.test(line)).join('\n'))
    }
    await noRules()
    forget()
    await costs('numbers given out, both families repaired', 'ctdb', 'flock', 'ip', ...changes)
    await complete()
    await noRules()
    forget()
    lab.configure('script.options', `${options}[ -e /nowhere ] && CTDB_PER_IP_ROUTING_RULE_PREF=7\n`)
    await costs('the same, and a shell for the options', 'ctdb', 'sh', 'flock', 'ip', ...changes)
    await complete()
    lab.configure('script.options', options)

    hosted('')
    await costs('none hosted any more', 'ctdb', ...looks, ...changes)
    t.strictSame(await left(lab), [])

    rmSync(join(lab.dir, LABELS))
    hosted('eth0')
    distribute(128, 32)
    await costs('the first, with gateways outside of the subnets', 'ctdb', 'flock', 'ip', ...changes)
    await complete()
    await costs('nothing to do there', 'ctdb', ...looks)

    const refused = '10.0.0.1 10.9.0.0/16 10.0.0.254 src 10.77.0.1\nfd00::1 fd09::/64 fd00::fe src fd77::1\n'
    configure(lab, conf.join('') + refused)
    status = 1
    await costs('a route of each family is refused', 'ctdb', ...looks, ...changes, ...changes)
  })

  const stock = '/usr/share/ctdb/events/legacy/13.per_ip_routing.script'
  inLab(
    "rules, routes and rt_tables are those of CTDB's own script, and each cleans up after the other",
    { skip: existsSync(stock) && existsSync('/etc/ctdb/functions') ? undefined : 'install ctdb' },
    async (t, lab) => {
      const [of] = FAMILIES
      if (!of) return
      const { one, bits } = of
      publicAddresses(lab)
      lab.configure('functions', readFileSync('/etc/ctdb/functions', 'utf8'))
      writeFileSync(join(lab.dir, LABELS), '255\tlocal\n254\tmain\n')
      await hold(lab, of, one)
      for (const conf of [confOf(of), '__auto_link_local__']) {
        configure(lab, conf)
        const theirs = (...words: string[]) => lab.node.run(stock, ...words)
        const ours = (...words: string[]) => lab.handler(NAME, ...words)
        const found: unknown[] = []
        for (const [take, release] of [
          [theirs, ours],
          [ours, theirs],
        ] as const) {
          t.match(await take('takeip', 'eth0', one, bits), { status: 0 })
          const there = (await left(lab)).map((line) => line.replace(/ proto 137/, ''))
          found.push({ left: there.toSorted(), labels: labels(lab) })
          t.match(await release('releaseip', 'eth0', one, bits), { status: 0 })
          t.strictSame(await left(lab), [])
          t.match(await release('shutdown'), { status: 0 })
          t.equal(labels(lab), '255\tlocal\n254\tmain\n')
        }
        t.strictSame(found[1], found[0])
        t.match(found[0], { labels: `1000\tctdb.${one}\n` })
      }
    },
  )

  inLab(
    'what the stock script leaves of an IPv6 address, our shutdown takes away, as uninstall says',
    { skip: existsSync(stock) && existsSync('/etc/ctdb/functions') ? undefined : 'install ctdb' },
    async (t, lab) => {
      const of = FAMILIES.find(({ option }) => option === '-6')
      if (!of) return
      const { one, bits } = of
      publicAddresses(lab)
      lab.configure('functions', readFileSync('/etc/ctdb/functions', 'utf8'))
      await hold(lab, of, one)
      configure(lab, confOf(of))
      t.match(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      const before = await left(lab)
      t.match(await lab.node.run(stock, 'releaseip', 'eth0', one, bits), { status: 0 })
      t.strictSame(await left(lab), before, 'it knows no IPv6')
      t.match(await lab.handler(NAME, 'shutdown'), { status: 0 })
      t.strictSame(await left(lab), [])
      t.equal(labels(lab), '')
    },
  )

  inLab('the example of docs/routing.md goes as it says', {}, async (t, lab) => {
    const text = readFileSync(join(DIST, '../docs/routing.md'), 'utf8')
    const blocks = [...text.matchAll(/^```\n([^]*?)^```$/gm)].map(([, block = '']) => block)
    const here = (block: string) => block.replaceAll('/etc/ctdb/', `${lab.dir}/etc/`)
    for (const block of blocks) {
      const [, file, content = ''] = /^# \/etc\/ctdb\/(\S+)\n([^]*)$/.exec(block) ?? []
      if (file !== undefined) lab.configure(file, here(content))
    }
    const [rehearsal, shown] = blocks.filter((block) => /^# (eventscript|ip) /.test(block))
    const [command = '', ...expected] = (rehearsal ?? '').split('\n')
    const dry = await lab.eventscript(...command.split(' ').slice(2))
    // the kernel has that sysctl outside of namespaces only
    t.equal(dry.out, expected.filter((line) => !line.includes('ipv6/route/flush')).join('\n'))
    for (const [iface, ip] of [
      ['eth0', '2001:db8:a::10'],
      ['eth1', '2001:db8:b::10'],
    ] as const) {
      const took = await lab.eventscript('run', 'takeip', iface, ip, '64')
      t.match(took, { status: 0, out: /^10\.interface +OK[^]*^13\.per_ip_routing +OK/m })
    }
    for (const part of (shown ?? '').split(/^# /m).filter(Boolean)) {
      const [words = '', ...printed] = part.split('\n')
      const squeeze = (lines: string) => lines.replaceAll(/[ \t]+$/gm, '')
      t.equal(squeeze(await lab.node.must(...words.split(' '))), squeeze(printed.join('\n')), words)
    }
    t.ok(shown, 'it is there')
  })

  inLab('takeips that run at once never share a table', {}, async (t, lab) => {
    const ips = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1', 'fd00::2', 'fd00::3']
    configure(lab, '__auto_link_local__')
    const bits = (ip: string) => (ip.includes(':') ? '64' : '24')
    const results = await Promise.all(ips.map((ip) => lab.handler(NAME, 'takeip', 'eth0', ip, bits(ip))))
    for (const result of results) t.strictSame(result, silent)
    const entries = parseTables(labels(lab))
    const sorted = (words: string[]) => words.toSorted()
    t.strictSame(sorted(entries.map(({ id }) => String(id))), [
      '1000',
      '1001',
      '1002',
      '1003',
      '1004',
      '1005',
    ])
    t.strictSame(sorted(entries.map(({ name }) => name)), sorted(ips.map((ip) => `ctdb.${ip}`)))
    t.equal((await left(lab)).length, 12)
  })

  inLab(
    'where the distribution keeps rt_tables elsewhere, its names come along into the one in /etc',
    {},
    async (t, lab) => {
      configure(lab, '__auto_link_local__')
      const shipped = '#\n255\tlocal\n254\tmain\n253\tdefault\n1000\tvendor\n'
      for (const folder of ['/usr/share/iproute2', '/usr/lib/iproute2']) {
        await mountOver(lab, folder, shipped)
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent, folder)
        t.equal(labels(lab), `${shipped}1001\tctdb.10.0.0.1\n`)
        t.equal((await lab.handler(NAME, 'shutdown')).status, 0)
        t.equal(labels(lab), shipped)
        t.strictSame(await left(lab), [])
        rmSync(join(lab.dir, LABELS))
        await lab.node.must('umount', '-l', folder.replace('/iproute2', ''))
      }
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent)
      t.equal(labels(lab), '1000\tctdb.10.0.0.1\n', 'where there is none at all')
    },
  )

  inLab('table ids that rt_tables.d gives away are taken', {}, async (t, lab) => {
    configure(lab, '__auto_link_local__')
    const folder = join(lab.dir, 'iproute2/rt_tables.d')
    mkdirSync(folder)
    writeFileSync(join(folder, 'vpn.conf'), '# ours\n1000\tvpn\n0x3e9 wifi\n')
    writeFileSync(join(folder, 'vpn.conf.old'), '1002\told\n')
    t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent)
    t.equal(labels(lab), '1002\tctdb.10.0.0.1\n')
    for (const parent of ['/usr/share/iproute2', '/usr/lib/iproute2']) {
      await lab.handler(NAME, 'shutdown')
      await mountOver(lab, parent, '', { 'rt_tables.d/vendor.conf': '1002\tvendor\n' })
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent, parent)
      t.equal(labels(lab), '1003\tctdb.10.0.0.1\n')
      await lab.node.must('umount', '-l', parent.replace('/iproute2', ''))
    }
  })
}

/** As a distribution that ships the file there, and none in /etc. */
async function mountOver(
  lab: Lab,
  folder: string,
  text: string,
  more: Record<string, string> = {},
): Promise<void> {
  const parent = folder.replace('/iproute2', '')
  const own = join(lab.dir, `shipped${parent.replaceAll('/', '-')}`)
  for (const [name, content] of Object.entries({ rt_tables: text, ...more })) {
    const file = join(own, 'iproute2', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  await lab.node.must('mount', '-t', 'overlay', '-o', `lowerdir=${own}:${parent}`, 'overlay', parent)
}
