/** `eventscript audit`: silent on a healthy node; each planted fault is named with its repair, and the repair works. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from '../../tap.ts'
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { MAIN } from '../../lab/paths.ts'
import { waitFor } from '../../lab/wait-for.ts'

interface Fault {
  state: string
  kind: string
  subject: string
  seen: string
  expected: string
  repair: string | null
}

interface Audited {
  status: number
  faults: Fault[]
  repairs: { command: string; outcome: string; said: string[] }[]
  trouble: string[]
  addresses: { address: string; state: string }[]
}

async function audit(lab: Lab, ...words: string[]): Promise<Audited> {
  const { status, out, err } = await lab.eventscript('audit', '--json', ...words)
  if (err !== '') throw new Error(err)
  return { status, ...(JSON.parse(out) as Omit<Audited, 'status'>) }
}

type Family = (typeof FAMILIES)[number]

/** The addresses of a test by what becomes of them. */
function addressesOf({ ip }: Family) {
  const numbered = (i: number) => ip.replace(/1$/, String(i))
  const [good, moved, masked, stray, double, missing, dropped, routed, failed] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9,
  ].map(numbered) as [string, string, string, string, string, string, string, string, string]
  return { good, moved, masked, stray, double, missing, dropped, routed, failed }
}

/** All on eth0 of this node as the daemon has it, but for those that are on node 1. */
function believe(lab: Lab, here: readonly string[], elsewhere: readonly string[] = []): void {
  const row = (address: string, node: number, active: string) =>
    `|${address}|${node}|${active}|eth0,eth1|eth0,eth1|\n`
  lab.ctdbSays(
    '-v ip all',
    '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n' +
      here.map((address) => row(address, 0, 'eth0')).join('') +
      elsewhere.map((address) => row(address, 1, '')).join(''),
  )
}

async function put(lab: Lab, address: string, bits: string, iface: string): Promise<void> {
  await lab.node.must('ip', 'addr', 'add', `${address}/${bits}`, 'dev', iface, ...nodad(address))
}

const nodad = (address: string) => (address.includes(':') ? ['nodad'] : [])

/** As a node is where systemd has set it up. */
async function promote(lab: Lab): Promise<void> {
  await lab.node.writeSysctl('net/ipv4/conf/all/promote_secondaries', 1)
}

/** `eventscript` of this build, for commands that are pasted. */
function named(lab: Lab): void {
  const file = join(lab.dir, 'bin/eventscript')
  writeFileSync(file, `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`)
  chmodSync(file, 0o755)
}

/** A fault of every kind, each of an address of its own. */
async function plant(lab: Lab, family: Family): Promise<void> {
  const { bits, otherBits, iptables } = family
  const all = addressesOf(family)
  const { good, moved, masked, stray, double, missing, dropped, routed, failed } = all
  lab.configure(
    'public_addresses',
    Object.values(all)
      .map((address) => `${address}/${bits} eth0,eth1\n`)
      .join(''),
  )
  lab.configure(
    'script.options',
    'CTDB_PER_IP_ROUTING_CONF=__auto_link_local__\nCTDB_PER_IP_ROUTING_RULE_PREF=100\nCTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000\nCTDB_PER_IP_ROUTING_TABLE_ID_HIGH=9000\n',
  )
  const isIpv6 = good.includes(':')
  const here = [good, moved, masked, double, missing, dropped]
  // the kernel checks no IPv4 address
  if (isIpv6) believe(lab, [...here, failed], [stray, routed])
  else believe(lab, here, [stray, routed, failed])
  await lab.node.calm()
  for (const address of [good, double, dropped]) await put(lab, address, bits, 'eth0')
  for (const address of [moved, double, stray]) await put(lab, address, bits, 'eth1')
  await put(lab, masked, otherBits, 'eth0')
  await lab.node.must(iptables, '-I', 'INPUT', '-i', 'eth1', '-d', dropped, '-j', 'DROP')
  const version = isIpv6 ? '-6' : '-4'
  await lab.node.must('ip', version, 'rule', 'add', 'from', routed, 'pref', '100', 'table', '1000')
  await lab.node.must('ip', version, 'route', 'add', 'default', 'dev', 'eth0', 'table', '1000')
  await lab.node.writeSysctl(`net/${isIpv6 ? 'ipv6' : 'ipv4'}/ip_nonlocal_bind`, 1)
  if (!isIpv6) return await lab.node.writeSysctl('net/ipv4/conf/eth0/arp_ignore', 8)
  await lab.observer.must('ip', 'addr', 'add', `${failed}/${bits}`, 'dev', 'lan', 'nodad')
  await lab.node.must('ip', 'addr', 'add', `${failed}/${bits}`, 'dev', 'eth0')
  await waitFor('the duplicate check to fail', async () =>
    (await lab.node.places(failed)).some((place) => place.includes('dadfailed')),
  )
  await lab.observer.must('ip', 'addr', 'del', `${failed}/${bits}`, 'dev', 'lan')
}

/** What is to be found of that, as `kind subject -> repair`. */
function planted(lab: Lab, family: Family): string[] {
  const { bits, iptables } = family
  const { moved, masked, stray, double, missing, dropped, routed, failed } = addressesOf(family)
  const isIpv6 = moved.includes(':')
  const take = (address: string) => `eventscript run takeip eth0 ${address} ${bits}`
  const bind = `/proc/sys/net/${isIpv6 ? 'ipv6' : 'ipv4'}/ip_nonlocal_bind`
  const conf = '/proc/sys/net/ipv4/conf'
  return [
    `error nonlocal-bind ${bind} -> echo 0 >${bind}`,
    ...(isIpv6
      ? [`error duplicate ${failed} -> ${take(failed)}`]
      : [
          `warning promote-secondaries ${conf}/eth0/promote_secondaries -> echo 1 >${conf}/eth0/promote_secondaries`,
          `warning promote-secondaries ${conf}/eth1/promote_secondaries -> echo 1 >${conf}/eth1/promote_secondaries`,
          `error arp-ignore ${conf}/eth0/arp_ignore -> echo 0 >${conf}/eth0/arp_ignore`,
        ]),
    `error drop-rule ${dropped} -> flock -w 10 ${lab.dir}/var/iptables.flock ${iptables} -w 3 -D INPUT -i eth1 -d ${dropped} -j DROP`,
    `error ip-rule ${routed} -> eventscript run --only 13.per_ip_routing releaseip __none__ ${routed} ${bits}`,
    `error wrong-interface ${moved} -> ${take(moved)}`,
    `error wrong-netmask ${masked} -> ${take(masked)}`,
    `error stray ${stray} -> eventscript run releaseip eth1 ${stray} ${bits}`,
    `error double ${double} -> ${take(double)}`,
    `error missing ${missing} -> ${take(missing)}`,
  ].toSorted()
}

const inShort = ({ state, kind, subject, repair }: Fault) => `${state} ${kind} ${subject} -> ${repair}`

async function expectMended(t: Test, lab: Lab, family: Family): Promise<void> {
  const { bits, host } = family
  const { stray, routed, failed, ...others } = addressesOf(family)
  const isIpv6 = stray.includes(':')
  for (const address of Object.values(others))
    t.same(await lab.node.places(address), [`eth0/${bits}`], address)
  t.same(await lab.node.places(stray), [])
  t.same(await lab.node.places(failed), isIpv6 ? [`eth0/${bits}`] : [])
  t.same(await lab.node.dropRules(), [], host)
  const version = isIpv6 ? '-6' : '-4'
  t.notMatch(await lab.node.must('ip', version, 'rule', 'show'), routed)
  t.notMatch(await lab.node.must('ip', version, 'route', 'show', 'table', 'all'), 'table 1000')
}

const why = await prepareFile()
const needs = ['iptables', 'ip6tables', 'flock']
if (!why)
  for (const family of FAMILIES) {
    const { bits } = family
    const { good, moved, stray } = addressesOf(family)

    inLab(`${family.family}: a healthy node: nothing is wrong`, { needs }, async (t, lab) => {
      lab.configure(
        'public_addresses',
        `${good}/${bits} eth0\n${moved}/${bits} eth0\n${stray}/${bits} eth0\n`,
      )
      believe(lab, [good, moved], [stray])
      await promote(lab)
      for (const address of [good, moved])
        t.equal((await lab.script('takeip', 'eth0', address, bits)).status, 0)
      const before = await lab.node.state()
      t.match(await audit(lab), { status: 0, faults: [], repairs: [], trouble: [] })
      t.match(await audit(lab, '--fix'), { status: 0, faults: [], repairs: [], trouble: [] })
      t.equal(await lab.node.state(), before, 'nothing is changed')
      const { out } = await lab.eventscript('audit')
      t.match(out, /^Public IP +Node +ListedInterfaces +Kernel +State\n/, 'side by side')
      t.match(out, /\nnothing is wrong: 3 public addresses, 2 of them here; node 0 is OK to CTDB; /)
      t.match(
        (await lab.eventscript('audit', '-X')).out,
        /^\|State\|Kind\|Subject\|Seen\|Expected\|Repair\|\n?$/,
      )
      t.match(await lab.eventscript('audit', '--json', '-X'), { status: 2, out: '' })
    })

    inLab(
      `${family.family}: every planted fault is named, and --fix repairs it`,
      { needs },
      async (t, lab) => {
        await plant(lab, family)
        const found = await audit(lab)
        t.equal(found.status, 1)
        t.same(found.faults.map(inShort).toSorted(), planted(lab, family))
        const fixed = await audit(lab, '--fix')
        t.same(fixed.faults, [], 'nothing is left')
        t.equal(fixed.status, 0)
        t.same(
          fixed.repairs.filter(({ outcome }) => outcome !== 'ok'),
          [],
        )
        t.same(
          fixed.repairs.map(({ command }) => command),
          found.faults.map(({ repair }) => repair),
          'what was done is what was printed',
        )
        await expectMended(t, lab, family)
        t.match(await audit(lab), { status: 0, faults: [] })
        const history = readFileSync(join(lab.dir, 'eventscript/history.jsonl'), 'utf8')
        t.match(history, '"event":"releaseip"', 'the events are in the history')
      },
    )

    inLab(`${family.family}: pasting what is printed does the same`, { needs }, async (t, lab) => {
      await plant(lab, family)
      named(lab)
      for (const { repair } of (await audit(lab)).faults) await lab.node.must('sh', '-c', repair ?? 'false')
      await expectMended(t, lab, family)
      t.match(await audit(lab), { status: 0, faults: [] })
    })

    inLab(
      `${family.family}: without the daemon's view no address is touched; faults that do not depend on it are repaired`,
      { needs },
      async (t, lab) => {
        await plant(lab, family)
        mkdirSync(join(lab.dir, 'says'), { recursive: true })
        writeFileSync(join(lab.dir, 'says/pnn.fails'), 'connect() failed, errno=111\n')
        const addresses = async () =>
          (await lab.node.must('ip', '-o', 'addr', 'show'))
            .replaceAll(/valid_lft.*/g, '')
            .replaceAll(' dynamic', '')
        const before = await addresses()
        const fixed = await audit(lab, '--fix')
        t.equal(fixed.status, 1)
        t.match(fixed.trouble, [
          /^"ctdb pnn" failed: connect\(\) failed, errno=111: .* neither judged nor repaired$/,
        ])
        t.equal(await addresses(), before)
        t.same(await lab.node.dropRules(), [])
        t.match(
          await lab.node.must('ip', ...(bits === '64' ? ['-6'] : []), 'rule', 'show'),
          /^100:/m,
          'ip rules stay',
        )
        const left = fixed.faults.map(({ kind, repair }) => `${kind} ${repair}`).toSorted()
        t.same(left, bits === '64' ? ['double null', 'duplicate null'] : ['double null'])
      },
    )

    inLab(`${family.family}: what moves while it is looked at is left alone`, { needs }, async (t, lab) => {
      lab.configure('public_addresses', `${good}/${bits} eth0\n`)
      believe(lab, [])
      lab.ctdbSays(
        '-v ip all',
        `|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n|${good}|1||eth0|eth0|\n`,
      )
      await put(lab, good, bits, 'eth0')
      const running = audit(lab, '--fix')
      // after the first look the daemon says that the address has come here
      await waitFor('the first look', () => lab.ctdbCalls().some((call) => call.includes('ip all')))
      await new Promise((resolve) => setTimeout(resolve, 500))
      believe(lab, [good])
      t.match(await running, { status: 0, faults: [], repairs: [] })
      t.same(await lab.node.places(good), [`eth0/${bits}`])
    })

    inLab(
      `${family.family}: an address that the daemon does not know is not released`,
      { needs },
      async (t, lab) => {
        lab.configure('public_addresses', `${good}/${bits} eth0\n${moved}/${bits} eth0\n`)
        believe(lab, [])
        await promote(lab)
        await put(lab, good, bits, 'eth0')
        const { status, faults } = await audit(lab, '--fix')
        t.equal(status, 0, 'it is no error: with failover disabled all are so')
        t.match(faults, [
          { state: 'warning', kind: 'stray', subject: good, repair: null, expected: /"ctdb reloadips"/ },
          { state: 'warning', kind: 'unloaded', subject: moved, repair: null },
        ])
        t.same(await lab.node.places(good), [`eth0/${bits}`])
      },
    )

    inLab(
      `${family.family}: a parked address: who has it is said, there is nothing to repair`,
      { needs },
      async (t, lab) => {
        lab.configure('public_addresses', `${good}/${bits} eth0\n`)
        believe(lab, [good])
        const isIpv6 = good.includes(':')
        mkdirSync(join(lab.dir, 'eventscript'), { recursive: true })
        const record = `${good} ${bits} eth0 ${isIpv6 ? '-' : '0'} 52:54:00:12:34:56 on eth0\n`
        writeFileSync(join(lab.dir, 'eventscript/parked'), record)
        const scope = isIpv6 ? [] : ['scope', 'host']
        const at = `${good}/${isIpv6 ? 128 : 32}`
        await lab.node.must('ip', 'addr', 'add', at, 'dev', 'lo', ...scope, 'preferred_lft', '0')
        const parked = {
          state: 'warning',
          kind: 'parked',
          subject: good,
          seen: 'parked on lo: another host has it: 52:54:00:12:34:56 on eth0',
          repair: null,
        }
        const path = '/proc/sys/net/ipv4/conf/all/arp_ignore'
        const loud = { kind: 'arp-ignore', subject: path, seen: /which is parked/, repair: `echo 3 >${path}` }
        t.match(await audit(lab), { status: isIpv6 ? 0 : 1, faults: isIpv6 ? [parked] : [loud, parked] })
        const fixed = await audit(lab, '--fix')
        t.match(fixed, { status: 0, faults: [parked], repairs: isIpv6 ? [] : [{ outcome: 'ok' }] })
        t.equal(fixed.faults.length, 1)
        const { out } = await lab.eventscript('audit')
        t.match(out, `\n1 parked, which another host has: ${good}: 1 public addresses, 0 of them here`)
        if (!isIpv6) return
        // as when it is tried: its duplicate check goes on for longer than an audit
        await lab.node.writeSysctl('net/ipv6/neigh/eth0/retrans_time_ms', 60_000)
        await lab.node.must('ip', 'addr', 'add', `${good}/${bits}`, 'dev', 'eth0')
        t.match(await audit(lab), { status: 0, faults: [parked], addresses: [{ state: 'parked' }] })
        t.equal(readFileSync(join(lab.dir, 'eventscript/parked'), 'utf8'), record)
      },
    )

    inLab(
      `${family.family}: an address that another host has: takeip would fail, and who has it is said`,
      { needs: [...needs, 'perl', 'arping'] },
      async (t, lab) => {
        lab.configure('public_addresses', `${good}/${bits} eth0\n`)
        lab.configure('script.options', 'EVENTSCRIPT_IPV4_DAD=yes\n')
        believe(lab, [good])
        await promote(lab)
        await lab.node.calm()
        await lab.observer.must('ip', 'addr', 'add', `${good}/${bits}`, 'dev', 'lan', ...nodad(good))
        const mac = await lab.observer.macOf('lan')
        const contested = {
          kind: 'missing',
          subject: good,
          repair: null,
          expected: new RegExp(
            `: another host has it: ${mac} on eth0, which is .*: take it away there first$`,
          ),
        }
        t.match(await audit(lab, '--fix'), { status: 1, faults: [contested], repairs: [] })
        t.not((await lab.script('takeip', 'eth0', good, bits)).status, 0, 'it does fail')
        await lab.observer.must('ip', 'addr', 'del', `${good}/${bits}`, 'dev', 'lan')
        t.match(await audit(lab, '--fix'), { status: 0, faults: [], repairs: [{ outcome: 'ok' }] })
      },
    )

    inLab(
      `${family.family}: an address that our event daemon is at is left to it`,
      { needs: [...needs, 'sh'] },
      async (t, lab) => {
        lab.configure('public_addresses', `${good}/${bits} eth0\n`)
        believe(lab, [], [good])
        await put(lab, good, bits, 'eth0')
        const daemon = await lab.daemon()
        const slow = join(lab.dir, 'etc/events/legacy/05.slow.script')
        const go = join(lab.dir, 'go')
        writeFileSync(slow, `#!/bin/sh\nuntil [ -e ${go} ]; do sleep 0.1; done\n`)
        chmodSync(slow, 0o755)
        const releasing = daemon.run('releaseip', 'eth0', good, bits)
        await waitFor('the event', () => lab.processes().some(({ command }) => command.includes('05.slow')))
        const words = ['CTDB_TEST_MODE=yes', process.execPath, MAIN, 'audit', '--fix', '--json']
        const { status, out } = await lab.node.run('/usr/bin/env', ...words)
        t.equal(status, 1)
        t.match(JSON.parse(out), {
          faults: [{ kind: 'stray', subject: good }],
          repairs: [{ outcome: 'left', said: [`an event for ${good} is running: it is left to it`] }],
        })
        t.same(await lab.node.places(good), [`eth0/${bits}`])
        writeFileSync(go, '')
        t.equal(await releasing, 0)
        t.match(await audit(lab), { status: 0, faults: [] })
      },
    )

    inLab(`${family.family}: --fix needs root`, { needs: ['setpriv'] }, async (t, lab) => {
      lab.configure('public_addresses', `${good}/${bits} eth0\n`)
      believe(lab, [good])
      const unprivileged = ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin']
      const refused = await lab.node.run(...unprivileged, process.execPath, MAIN, 'audit', '--fix')
      t.match(refused, { status: 1, out: '' })
      t.match(
        refused.err,
        /^eventscript: no privilege to change addresses \(CAP_NET_ADMIN\): root lacks CAP_NET_ADMIN: start the container with --cap-add NET_ADMIN\n?$/,
      )
      t.same(await lab.node.places(good), [])
    })
  }

if (!why)
  for (const { name, filters, repairs } of [
    {
      name: 'rp_filter',
      filters: { rp_filter: 1 },
      repairs: ['echo 2 >/proc/sys/net/ipv4/conf/eth1/rp_filter'],
    },
    {
      name: 'arp_filter with arp_ignore',
      filters: { arp_filter: 1, arp_ignore: 1 },
      repairs: ['all', 'eth1'].map((iface) => `echo 0 >/proc/sys/net/ipv4/conf/${iface}/arp_filter`),
    },
  ])
    inLab(
      `two interfaces on one subnet: ${name} keeps clients out, and is put right`,
      { needs },
      async (t, lab) => {
        lab.configure('public_addresses', '10.0.0.1/24 eth1\n')
        lab.ctdbSays(
          '-v ip all',
          '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n|10.0.0.1|0|eth1|eth1|eth1|\n',
        )
        await put(lab, '10.0.0.5', '24', 'eth0')
        await put(lab, '10.0.0.1', '24', 'eth1')
        for (const [sysctl, value] of Object.entries(filters))
          for (const iface of ['all', 'eth0', 'eth1'])
            await lab.node.writeSysctl(`net/ipv4/conf/${iface}/${sysctl}`, value)
        // as after an announcement
        const mac = await lab.node.macOf('eth1')
        const told = () =>
          lab.observer.must('ip', 'neigh', 'replace', '10.0.0.1', 'lladdr', mac, 'dev', 'lan')
        const forgotten = () => lab.observer.must('ip', 'neigh', 'flush', 'all')
        const reached = async () => {
          await (name === 'rp_filter' ? told() : forgotten())
          return await lab.observer.reaches('10.0.0.1')
        }
        t.notOk(await reached(), 'it bites')
        const { status, faults } = await audit(lab)
        t.equal(status, 1)
        t.same(
          faults.map(({ repair }) => repair),
          repairs,
        )
        t.match(await audit(lab, '--fix'), { status: 0, faults: [] })
        t.ok(await reached(), 'clients reach it')
      },
    )
