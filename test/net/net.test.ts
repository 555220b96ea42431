import { existsSync, readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import t from '../tap.ts'
import { canonical, hexDigits } from '../../runner/inet/address.ts'
import { arpingRound } from '../../runner/net/arping.ts'
import { parseConnections, parseEndpoint } from '../../runner/net/clients/connections.ts'
import { parseTable } from '../../runner/net/ctdb/tool.ts'
import { dadState } from '../../runner/net/dad/state.ts'
import { isOurRule, parseBlocks } from '../../runner/net/clients/blocking-rule.ts'
import { rulesIn } from '../../runner/net/clients/firewall.ts'
import { isTooOld } from '../../runner/net/clients/oldest-iptables.ts'
import { parseLinks, rows } from '../../runner/net/ip-json.ts'
import { parsePublicAddresses } from '../../runner/net/address/public-addresses.ts'
import { batchFor, batchText, failedIn, putBackBy, siblingsOf } from '../../runner/net/address/siblings.ts'
import { Refusal } from '../../runner/base/refusal.ts'
import { lowest, whyBondIsDown } from '../../runner/net/address/link.ts'
import { deletionLine } from '../../runner/net/address/placement.ts'

const recorded = (name: string) => readFileSync(`fixtures/ip/${name}`, 'utf8')

t.test('an address has a single spelling, however the address is written', (t) => {
  const spellings = {
    'fd00::1': ['FD00::1', 'fd00:0:0:0:0:0:0:1', '[fd00::1]', 'fd00:0000::0001', 'fd00::0.0.0.1'],
    '10.0.0.1': ['::ffff:10.0.0.1', '[::FFFF:10.0.0.1]', '::ffff:a00:1'],
    '2001:db8::1:0:0:1': ['2001:db8:0:0:1:0:0:1'],
  }
  for (const [expected, written] of Object.entries(spellings))
    for (const text of [expected, ...written]) t.equal(canonical(text), expected, text)
  t.end()
})

t.test('other text is no address', (t) => {
  const none = [
    '',
    'eth0',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1/24',
    'fe80::1%eth0',
    'fd00::1::2',
    '[fd00::1',
  ]
  for (const text of none) t.equal(canonical(text), undefined, text)
  t.end()
})

t.test('the kernel writes IPv6 addresses as 32 digits', (t) => {
  t.equal(hexDigits('fd00::1'), 'fd000000000000000000000000000001')
  t.equal(hexDigits('::'), '0'.repeat(32))
  t.equal(hexDigits('2001:db8:0:0:1::'), '20010db8000000000001000000000000')
  t.equal(hexDigits('64:ff9b::10.0.0.1'), '0064ff9b00000000000000000a000001')
  t.end()
})

t.test('ip addr show to: only the requested address is read, and filtered entries are skipped', (t) => {
  for (const [file, address, bits] of [
    ['addr-show-to.v4.json', '10.0.0.1', 25],
    ['addr-show-to.v6.json', 'fd00::1', 64],
  ] as const) {
    const held = parseLinks(recorded(file)).flatMap((link) => link.addresses)
    t.match(held, [{ address, bits }], file)
    t.equal(held.length, 1)
  }
  t.same(parseLinks(recorded('addr-show-to.nothing.json')), [])
  const places = parseLinks(recorded('addr-show-to.two-interfaces.json')).flatMap((link) => link.addresses)
  t.equal(places.length, 2, 'an address on two interfaces has two places')
  t.end()
})

t.test('an address is ready, tentative or duplicate', (t) => {
  const states = (file: string) =>
    parseLinks(recorded(file)).flatMap((link) =>
      link.addresses.filter(({ address }) => address.startsWith('fd')).map(({ state }) => state),
    )
  t.same(states('addr-show.tentative.json').at(-1), 'tentative')
  t.same(states('addr-show.dadfailed.json'), ['ready', 'duplicate'])
  t.same(states('addr-show.nodad.json'), ['ready'])
  t.same(states('addr-show.settled.json'), ['ready'])
  t.end()
})

t.test('a veth is not built on its peer, and a VLAN is built on the device below', (t) => {
  const veth = parseLinks(recorded('link-show.veth.json'))
  t.same(veth.map((link) => link.below).filter(Boolean), [])
  t.notOk(veth.some((link) => link.name.includes('@')))
  const vlan = parseLinks(recorded('link-show.vlan.json'))
  const onBond = vlan.find((link) => link.kind === 'vlan' && link.below !== undefined)
  t.ok(onBond)
  if (onBond) t.equal(lowest(onBond, vlan).kind !== 'vlan', true)
  t.end()
})

t.test('the carrier is known for a link that is up, a peer that is down, off, and loopback', (t) => {
  const named = (file: string, name: string) => parseLinks(recorded(file)).find((link) => link.name === name)
  t.match(named('link-show.veth.json', 'eth0'), { up: true, carrier: true })
  t.match(named('link-show.veth-no-carrier.json', 'eth0'), { up: true, carrier: false })
  t.match(named('link-show.veth-admin-down.json', 'eth0'), { up: false })
  t.match(named('link-show.loopback.json', 'lo'), { type: 'loopback' })
  t.match(
    parseLinks(recorded('link-show.infiniband.edited.json')).find(({ name }) => name === 'ib0'),
    { type: 'infiniband', carrier: false },
  )
  t.end()
})

t.test('unexpected output of ip is quoted, and never guessed at', (t) => {
  for (const text of ['', '{}', 'Object "adr" is unknown', '[1,2]x', '[{"no":"name"}]', '["eth0"]'])
    t.throws(() => parseLinks(text), Refusal, JSON.stringify(text))
  t.throws(() => parseLinks('eth0: UP'), {
    message: /ip -json printed "eth0: UP", expected a list of interfaces/,
  })
  t.same(parseLinks('[]'), [])
  t.same(parseLinks('[{},{}]'), [])
  t.end()
})

t.test('a description is no reason to miss an interface, whatever its characters', (t) => {
  for (const release of ['5.9', '6.1']) {
    const links = parseLinks(recorded(`link-show.description.iproute2-${release}.json`))
    t.match(links, [{ name: 'lo' }, { name: 'eth1', carrier: true }, { name: 'eth0' }], release)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, isOld) => {
      const printed = `[{"ifname":"eth0","ifalias":"${asIpPrints(text, isOld)}"}]\n`
      return rows(printed, 'interfaces')[0]?.['ifalias'] === text
    }),
  )
  t.pass('no counterexample')
  t.end()
})

/** How iproute2 writes a string as JSON; before 6.1 with a backslash before an apostrophe. */
function asIpPrints(text: string, isOld: boolean): string {
  const names: Record<string, string> = { '\t': 't', '\n': 'n', '\r': 'r', '\f': 'f', '\b': 'b' }
  return text.replace(isOld ? /[\t\n\r\f\b\\"']/g : /[\t\n\r\f\b\\"]/g, (each) => `\\${names[each] ?? each}`)
}

t.test('duplicate address detection is read from /proc/net/if_inet6', (t) => {
  const states = { tentative: 'tentative', dadfailed: 'duplicate', settled: 'ready' } as const
  for (const [file, state] of Object.entries(states)) {
    const table = recorded(`if_inet6.${file}.txt`)
    const row =
      table
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .find(([digits]) => digits?.startsWith('fd')) ?? []
    const address = canonical((row[0]?.match(/..../g) ?? []).join(':')) ?? ''
    t.equal(dadState(table, address, row[5] ?? ''), state, file)
    t.equal(dadState(table, address, 'nosuch'), 'absent')
    t.equal(dadState(table, 'fd99::99', row[5] ?? ''), 'absent')
  }
  t.equal(dadState('', 'fd00::1', 'eth0'), 'absent')
  t.end()
})

t.test('a bond has an active slave or no active slave; 802.3ad is read with and without slaves', (t) => {
  const why = (file: string) => whyBondIsDown('bond0', recorded(file))
  t.equal(why('bonding.bond-active-backup.txt'), undefined)
  t.equal(why('bonding.bond-active-backup-backup-down.txt'), undefined)
  t.equal(why('bonding.bond-active-backup-no-active.txt'), 'ERROR: No active slaves for bond device bond0')
  t.equal(why('bonding.bond-active-backup-no-slaves.txt'), 'ERROR: No active slaves for bond device bond0')
  t.equal(why('bonding.bond-802.3ad.txt'), undefined)
  t.equal(why('bonding.bond-802.3ad-one-down.txt'), undefined)
  t.match(why('bonding.bond-802.3ad-all-down.txt'), /^ERROR: .*bond0/)
  t.match(why('bonding.bond-802.3ad-no-slaves.txt'), /^ERROR: .*bond0/)
  t.match(why('bonding.bond-balance-rr-all-down.txt'), 'ERROR: public network interface bond0 is down')
  t.end()
})

t.test('connections are read: IPv4, IPv6, dual-stack servers, an address bound to an interface', (t) => {
  const text = `0      0            10.0.0.1:445          10.0.0.9:51000
0      0   [fd00::1]:2049   [fd00::9]:701
0      0   [::ffff:10.0.0.1]:445   [::ffff:10.0.0.8]:52000
0      0   [fe80::1%eth0]:22   [fe80::2%eth0]:4000

garbage
`
  t.same(parseConnections(text), [
    { local: { address: '10.0.0.1', port: 445 }, peer: { address: '10.0.0.9', port: 51000 } },
    { local: { address: 'fd00::1', port: 2049 }, peer: { address: 'fd00::9', port: 701 } },
    { local: { address: '10.0.0.1', port: 445 }, peer: { address: '10.0.0.8', port: 52000 } },
    { local: { address: 'fe80::1', port: 22 }, peer: { address: 'fe80::2', port: 4000 } },
  ])
  t.same(parseEndpoint('fd78::9:4001'), { address: 'fd78::9', port: 4001 }, 'as ctdb writes IPv6')
  t.equal(parseEndpoint('445'), undefined)
  t.end()
})

t.test('a table of ctdb -X is read by its header', (t) => {
  t.same(parseTable('|Name|LinkStatus|References|\n|eth0|1|1|\n|eth1|0|0|\n', ['Name']), [
    { Name: 'eth0', LinkStatus: '1', References: '1' },
    { Name: 'eth1', LinkStatus: '0', References: '0' },
  ])
  t.same(parseTable('No interfaces configured on node 0\n', ['Name']), [])
  const tickles = '|Source IP|Port|Destiation IP|Port|\n|fd00::9|4000|fd00::1|445|\n'
  t.match(parseTable(tickles, ['Source IP', 'Port', 'Port2']), [{ Port: '4000', Port2: '445' }])
  t.throws(() => parseTable('|Name|LinkStatus|\n|eth0|\n', ['Name']), {
    message: /printed "\|eth0\|": expected 2 columns/,
  })
  t.throws(() => parseTable('|Name|LinkStatus|\n|eth0|1', ['Name']), { message: /begins and ends with/ })
  t.throws(() => parseTable('|A|B|\n', ['Name']), { message: /expected a table with the columns Name/ })
  t.end()
})

t.test('our firewall rules are distinguished from all others', (t) => {
  const text = `-P INPUT ACCEPT
-A INPUT -d 10.0.0.5/32 -i eth5 -m comment --comment eventscript -j DROP
-A INPUT -d 10.0.0.6/32 -i eth5 -m comment --comment "eventscript" -j DROP
-A INPUT -d 10.0.0.7/32 -i eth5 -m comment --comment eventscripts -j DROP
-A INPUT -d 10.0.0.7/32 -i eth5 -p tcp -m comment --comment eventscript -j DROP
-A INPUT -d 10.0.0.7/32 -i eth5 -m comment --comment "no eventscript" -j DROP
-A INPUT -d 10.0.0.7/32 ! -i eth5 -j DROP
-A INPUT -d 10.0.0.7/32 -i eth5 -j DROP -m comment --comment eventscript
-A INPUT -d 10.0.0.1/32 -i eth0 -j DROP
-A INPUT -d fd00::1/128 -i eth1 -j DROP
-A INPUT -d 10.0.0.0/24 -i eth0 -j DROP
-A INPUT -d 10.0.0.2/32 -i eth0 -p tcp -j DROP
-A INPUT -s 10.0.0.1/32 -i eth0 -j DROP
-A INPUT -d 10.0.0.1/32 -i eth0 -j ACCEPT
`
  t.same(parseBlocks(text), [
    { address: '10.0.0.5', iface: 'eth5', marked: true },
    { address: '10.0.0.6', iface: 'eth5', marked: true },
    { address: '10.0.0.1', iface: 'eth0', marked: false },
    { address: 'fd00::1', iface: 'eth1', marked: false },
  ])
  const listed = [{ address: '10.0.0.1', bits: 24, ifaces: ['eth0'] }]
  const rule = { address: '10.0.0.1', iface: 'eth1' }
  t.notOk(isOurRule({ ...rule, marked: false }, listed), 'an interface that the list does not name')
  t.ok(isOurRule({ ...rule, marked: false, iface: 'eth0' }, listed))
  t.ok(isOurRule({ ...rule, marked: true }, []))
  const links = [
    { name: 'eth0', altnames: ['public0'] },
    { name: 'eth1', altnames: ['eno1', 'public1'] },
  ]
  const byAltname = [{ address: '10.0.0.1', ifaces: ['public1'] }]
  t.ok(isOurRule({ ...rule, marked: false }, byAltname, links), 'the list has an altname of the interface')
  t.notOk(isOurRule({ ...rule, marked: false, iface: 'eth0' }, byAltname, links))
  t.end()
})

t.test('what is no whole list of rules is not taken for "no rules"', (t) => {
  const answer = (out: string) => rulesIn({ status: 0, out, err: '' })
  t.same(answer('-P INPUT ACCEPT\n'), [])
  t.same(answer('-P INPUT DROP\n-A INPUT -d 10.0.0.1/32 -i eth0 -j DROP\n'), [
    { address: '10.0.0.1', iface: 'eth0', marked: false },
  ])
  for (const [out, said] of [
    ['', 'nothing'],
    ['\n', '""'],
    ['-P INP', '"-P INP"'],
    ['-P INPUT ACCEPT', '"-P INPUT ACCEPT"'],
    ['-P INPUT ACCEPT\n-A INPUT -d 10.0.0.1/32 -i eth', '"-P INPUT ACCEPT"'],
    ['-A INPUT -d 10.0.0.1/32 -i eth0 -j DROP\n', '"-A INPUT -d 10.0.0.1/32 -i eth0 -j DROP"'],
    ['garbage\n-P INPUT ACCEPT\n', '"garbage"'],
  ] as const)
    t.equal(answer(out), `it printed no whole list of rules: ${said}: expected "-P INPUT …" first`)
  t.end()
})

t.test('how old an iptables is', (t) => {
  for (const [printed, old] of [
    ['iptables v1.4.21', true],
    ['iptables v1.6.1', true],
    ['iptables v1.6.2', false],
    ['iptables v1.8.9 (nf_tables)', false],
    ['ip6tables v1.8.13 (legacy)', false],
    ['iptables v2.0', false],
    ['iptables', undefined],
  ] as const)
    t.equal(isTooOld(printed), old, printed)
  t.end()
})

t.test('public_addresses is read as ctdbd reads it', (t) => {
  const text = '# comment\n\n  10.0.0.1/24 eth0,eth1 more words\n\t# another\n[FD00::1]/64\teth0\n'
  t.same(parsePublicAddresses(text, 'f'), {
    entries: [
      { address: '10.0.0.1', bits: 24, ifaces: ['eth0', 'eth1'] },
      { address: 'fd00::1', bits: 64, ifaces: ['eth0'] },
    ],
    problems: [],
    doubtful: [],
  })
  t.end()
})

t.test('each bad line of public_addresses is named with its number and its mistake', (t) => {
  const bad: [string, RegExp][] = [
    ['10.0.0.1 eth0', /line 2: "10.0.0.1 eth0": no netmask/],
    ['10.0.0.1/24', /no interface/],
    ['10.0.0.300/24 eth0', /"10.0.0.300" is no IP address/],
    ['10.0.0.1/33 eth0', /"33" is no netmask: expected 1 to 32/],
    ['fd00::1/129 eth0', /"129" is no netmask: expected 1 to 128/],
    ['10.0.0.1/24 ,', /"," names no interface/],
    ['10.0.0.1/24\u00a0eth0', /is no netmask/],
    ['\ufeff10.0.0.1/24 eth0', /is no IP address/],
    ['10.0.0.1/24 -eth0', /begins with "-"/],
    ['127.0.0.1/8 lo', /loopback/],
    ['10.0.0.9/24 eth1', /10.0.0.9 is there already, in line 1/],
  ]
  for (const [line, expected] of bad) {
    const { entries, problems } = parsePublicAddresses(
      `10.0.0.9/24 eth0\n${line}\n10.0.0.8/24 eth0\n`,
      '/etc/ctdb/public_addresses',
    )
    t.equal(problems.length, 1, line)
    t.match(problems[0], expected)
    t.equal(entries.length, 2, 'the good lines are still present')
  }
  t.end()
})

t.test('a bad line still gives its address, so that shutdown can drop the address', (t) => {
  const text = 'fd00::1/129 eth0\n10.0.0.1 eth0\n10.0.0.2/24 eth0\nnonsense\n10.0.0.2/24 eth1\n'
  t.same(parsePublicAddresses(text, 'f').doubtful, ['fd00::1', '10.0.0.1'])
  t.end()
})

t.test('an address keeps its far end: the kernel needs the far end to delete the address', (t) => {
  const held = parseLinks(recorded('addr-show.peer-address.json')).flatMap(({ addresses }) => addresses)
  t.match(
    held.find(({ peer }) => peer),
    { address: /^10\./, peer: /^10\./ },
  )
  t.end()
})

t.test('an announcement is a request and a reply, with either arping program', (t) => {
  const iputils = arpingRound('arping from iputils 20221126\n', '10.0.0.1', 'eth0')
  t.same(
    iputils.map((argv) => argv[1]),
    ['-U', '-A'],
  )
  const habets = arpingRound('ARPing 2.23, by Thomas Habets <thomas@habets.se>\n', '10.0.0.1', 'eth0')
  t.equal(habets.length, 2)
  t.ok(habets.every((argv) => argv.includes('-i') && !argv.includes('-I')))
  t.end()
})

t.test('every recording of ip -json is understood, and no name keeps an "@"', (t) => {
  const files = readdirSync('fixtures/ip').filter((name) => name.endsWith('.json'))
  for (const file of files) {
    const links = parseLinks(recorded(file))
    t.notOk(
      links.some(({ name }) => name.includes('@')),
      file,
    )
  }
  t.ok(files.length > 50)
  t.end()
})

t.test("the kernel's carrier agrees with ethtool's Link detected", (t) => {
  // ethtool has no data about dummies ("No data available"); the carrier is still known
  const files = readdirSync('fixtures/ip').filter(
    (name) => name.startsWith('ethtool.') && !name.includes('dummy'),
  )
  let compared = 0
  for (const file of files) {
    const text = recorded(file)
    const detected = /Link detected: (yes|no)/.exec(text)?.[1]
    const name = /^Settings for (\S+):/m.exec(text)?.[1]
    const show = `link-show.${file.replace(/^ethtool\.(.*)\.txt$/, '$1')}.json`
    if (!detected || !name || !existsSync(`fixtures/ip/${show}`)) continue
    const link = parseLinks(recorded(show)).find((each) => each.name === name)
    t.equal(link && link.up && link.carrier, detected === 'yes', `${file} ${name}`)
    compared += 1
  }
  t.ok(compared > 20, `${compared} compared`)
  t.end()
})

t.test('a bond without miimon claims to be up: the slaves know better', (t) => {
  const links = parseLinks(recorded('link-show.bond-without-miimon.json'))
  const slaves = links.filter(({ master }) => master === 'bond0')
  const text = recorded('bonding.bond-without-miimon.txt')
  t.ok(slaves.length > 0)
  t.equal(whyBondIsDown('bond0', text), undefined, 'CTDB reads the same')
  t.equal(whyBondIsDown('bond0', text, slaves), 'ERROR: No active slaves for bond device bond0')
  t.end()
})

t.test('deleting the first address of a subnet removes the others, and each is put back as before', (t) => {
  // recorded: iproute2 6.1, "ip -json addr show dev eth1"
  const shown = `[{"ifindex":3,"link":"p1","ifname":"eth1","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"42:69:b2:a7:e2:00","broadcast":"ff:ff:ff:ff:ff:ff","addr_info":[{"family":"inet","local":"10.0.5.4","address":"10.0.6.9","prefixlen":24,"scope":"link","label":"eth1","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet","local":"10.0.0.1","prefixlen":24,"broadcast":"10.0.0.255","scope":"global","label":"eth1","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet","local":"10.0.0.3","prefixlen":24,"scope":"global","secondary":true,"label":"eth1","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet","local":"10.0.0.4","address":"10.0.0.9","prefixlen":24,"scope":"global","secondary":true,"label":"eth1","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet","local":"10.0.5.5","address":"10.0.6.10","prefixlen":24,"scope":"link","secondary":true,"label":"eth1","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fe80::4069:b2ff:fea7:e200","prefixlen":64,"scope":"link","tentative":true,"valid_life_time":4294967295,"preferred_life_time":4294967295}]}]`
  const batch = (...held: { address: string; bits: number; peer?: string }[]) => {
    const deletions = held.map((each) => deletionLine({ ...each, iface: 'eth1' }))
    return batchText(batchFor(deletions, siblingsOf(deletions, shown)))
      .split('\n')
      .slice(0, -1)
  }
  t.same(batch({ address: '10.0.0.1', bits: 24 }), [
    'addr add 10.0.0.3/32 dev eth1',
    'addr add 10.0.0.4/32 dev eth1',
    'addr del 10.0.0.1/24 dev eth1',
    'addr add 10.0.0.3/24 dev eth1',
    'addr add 10.0.0.4 peer 10.0.0.9/24 dev eth1',
    'addr del 10.0.0.3/32 dev eth1',
    'addr del 10.0.0.4/32 dev eth1',
  ])
  t.same(
    batch({ address: '10.0.5.4', peer: '10.0.6.9', bits: 24 }),
    [
      'addr add 10.0.5.5/32 dev eth1 scope link',
      'addr del 10.0.5.4 peer 10.0.6.9/24 dev eth1',
      'addr add 10.0.5.5 peer 10.0.6.10/24 dev eth1 scope link',
      'addr del 10.0.5.5/32 dev eth1',
    ],
    'the subnet is that of the far ends',
  )
  t.same(batch({ address: '10.0.0.3', bits: 24 }), ['addr del 10.0.0.3/24 dev eth1'], 'not the first address')
  const both = batch({ address: '10.0.0.3', bits: 24 }, { address: '10.0.0.1', bits: 24 })
  t.same(
    both.filter((line) => line.includes('10.0.0.3')),
    ['addr del 10.0.0.3/24 dev eth1'],
    'an address that is deleted too does not come back',
  )
  t.same(both.filter((line) => putBackBy(line)).map(putBackBy), ['10.0.0.4/24'])
  t.end()
})

t.test('a failed batch names its failed lines; without names, all lines are in doubt', (t) => {
  const lines = [
    ['addr', 'del', '10.0.0.1/24'],
    ['addr', 'add', '10.0.0.3/24', 'dev', 'eth1'],
  ]
  t.same(failedIn('Cannot find device "nosuch0"\nCommand failed -:2\n', lines), [
    'addr add 10.0.0.3/24 dev eth1',
  ])
  t.same(failedIn('no\nCommand failed addr add 10.0.0.9/24 dev eth1\n', lines), [
    'addr add 10.0.0.9/24 dev eth1',
  ])
  t.same(failedIn('', lines), ['addr del 10.0.0.1/24', 'addr add 10.0.0.3/24 dev eth1'])
  t.end()
})
