/** Policy routing and static routes: the content of the files, the existing tables, and the changes to make. */
import * as fc from 'fast-check'
import t from '../tap.ts'
import { factsHere } from '../../runner/node/facts.ts'
import { loadSettings } from '../../runner/node/settings.ts'
import { canonical, familyOf, hostBits, type Family } from '../../runner/inet/address.ts'
import { contains, middleOf, networkOf, networkText, parseNetwork } from '../../runner/inet/network.ts'
import { refusedLines } from '../../runner/net/routing/apply.ts'
import { showing } from '../../runner/net/routing/there-already.ts'
import {
  parseRoutingFile,
  type RoutedAddress,
  type Route,
} from '../../runner/net/routing/wanted/routes-file.ts'
import { NOTHING, type Seen } from '../../runner/net/routing/kernel/kernel-routes.ts'
import { parseRoutes, parseRules } from '../../runner/net/routing/kernel/shown-routes.ts'
import { whyWrong } from '../../runner/net/routing/names/options.ts'
import { OUR_PROTOCOL } from '../../runner/net/routing/names/protocols.ts'
import { allot, parseTables, withEntries, withoutOurs } from '../../runner/net/routing/names/rt-tables.ts'
import { additions } from '../../runner/net/routing/plan/additions.ts'
import { whyNoGateway } from '../../runner/net/routing/plan/gateway.ts'
import {
  foreignNumbers,
  numbersInUse,
  oldRoutes,
  ourRules,
  type Ownership,
} from '../../runner/net/routing/plan/ownership.ts'
import { removals, strays } from '../../runner/net/routing/plan/removals.ts'
import { parseStaticRoutes, whyNotAdd } from '../../runner/net/routing/static-routes.ts'
import { plainAssignments } from '../../runner/node/plain-options.ts'
import { doorTo } from '../../runner/machine/machine.ts'
import { live } from '../../runner/machine/live/live.ts'

// the same addresses and routes in each run
fc.configureGlobal({ seed: 20_261_127 })

const ROUTING = { conf: '/etc/ctdb/policy_routing', pref: 100, low: 1000, high: 1002 }

// ---------------------------------------------------------------- networks

const v4 = fc.nat(0xffffffff).map((n) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.'))
const v6 = fc
  .array(fc.nat(0xffff), { minLength: 8, maxLength: 8 })
  .map((words) => canonical(words.map((word) => word.toString(16)).join(':')) ?? '::')
const address = fc.oneof(v4, v6)

t.test('a network holds the address that it was made from, and is read back as written', (t) => {
  fc.assert(
    fc.property(address, fc.nat(128), (ip, length) => {
      const bits = Math.min(length, hostBits(ip))
      const network = networkOf(ip, bits)
      const again = parseNetwork(networkText(network), familyOf(ip))
      return contains(network, ip) && typeof again !== 'string' && networkText(again) === networkText(network)
    }),
  )
  t.pass('no counterexample')
  t.end()
})

t.test('the middle of an IPv6 network is in that network, and no host has the address', (t) => {
  fc.assert(
    fc.property(v6, fc.nat(112), (ip, bits) => {
      const network = networkOf(ip, bits)
      return contains(network, middleOf(network) ?? '')
    }),
  )
  t.equal(middleOf(networkOf('::', 0)), '8000::')
  t.equal(middleOf(networkOf('fd05::1', 64)), 'fd05::8000:0:0:0')
  t.equal(middleOf(networkOf('fd05::1', 120)), undefined)
  t.equal(middleOf(networkOf('10.5.0.0', 16)), undefined)
  t.end()
})

t.test('a network holds exactly the addresses that begin with the same bits', (t) => {
  const bitsIn = (ip: string) =>
    ip.includes(':')
      ? networkOf(ip, 128).value.toString(2).padStart(128, '0')
      : networkOf(ip, 32).value.toString(2).padStart(32, '0')
  fc.assert(
    fc.property(v4, v4, fc.nat(32), (one, other, bits) => {
      const same = bitsIn(one).slice(0, bits) === bitsIn(other).slice(0, bits)
      return contains(networkOf(one, bits), other) === same
    }),
  )
  t.notOk(contains(networkOf('0.0.0.0', 0), 'fd00::1'), 'a network holds addresses of its own family only')
  t.end()
})

t.test('destinations are read as ip reads them', (t) => {
  const read = (text: string, family: Family = 'inet') => {
    const network = parseNetwork(text, family)
    return typeof network === 'string' ? network : networkText(network)
  }
  t.equal(read('default'), '0.0.0.0/0')
  t.equal(read('default', 'inet6'), '::/0')
  t.equal(read('10.5/16'), '10.5.0.0/16')
  t.equal(read('10.5.0.0/255.255.0.0'), '10.5.0.0/16')
  t.equal(read('10.5/255.255.128.0'), '10.5.0.0/17')
  t.equal(read('0.0.0.0/0.0.0.0'), '0.0.0.0/0')
  t.equal(read('10.5.0.7/255.255.255.255'), '10.5.0.7/32')
  t.match(read('10.5.0.0/255.0.255.0'), '"255.0.255.0" is no netmask: expected 0 to 32')
  t.match(read('fd05::/255.255.0.0', 'inet6'), '"255.255.0.0" is no netmask: expected 0 to 128')
  t.equal(read('10.5.0.7'), '10.5.0.7/32')
  t.equal(read('FD05:0::/64', 'inet6'), 'fd05::/64')
  t.equal(read('fd05::7/64', 'inet6'), 'fd05::/64')
  t.equal(read('10.5.0.7/16'), '10.5.0.7/16 has bits behind its netmask: expected 10.5.0.0/16')
  t.match(read('10.5.0.0/33'), '"33" is no netmask: expected 0 to 32')
  t.match(read('fd05::/129', 'inet6'), 'expected 0 to 128')
  t.match(read('10.5.0.0/255.255'), '"255.255" is no netmask: expected 0 to 32')
  // ip reads octal: 20 bits, and 64
  t.equal(
    read('10.5.0.0/024'),
    '"024" is no netmask: expected 0 to 32 without a leading 0, as ip would read octal',
  )
  t.match(read('fd05::/0100', 'inet6'), 'expected 0 to 128 without a leading 0')
  t.equal(read('0.0.0.0/0'), '0.0.0.0/0')
  for (const text of ['', 'lan', '10.5.0.0/', '10.5.0.0/x', '10', '/16']) t.match(read(text), 'is no network')
  t.end()
})

// ---------------------------------------------------------------- files

t.test('the routing file is read as CTDB reads the file, for IPv4 and IPv6', (t) => {
  const text = `# ours
10.0.0.1 10.5.0.0/16
  10.0.0.1\t0.0.0.0/0   10.0.0.254

fd00::1 fd05::/64 fd00::fe
FD00:0::1 default fd00::fe
10.0.0.2 default 10.0.0.254 mtu 1400 onlink
`
  const { routes, bad } = parseRoutingFile(text, '/conf')
  t.strictSame(bad, [])
  t.strictSame(routes.get('10.0.0.1'), [
    { destination: '10.5.0.0/16', more: [], origin: '/conf line 2' },
    { destination: '0.0.0.0/0', gateway: '10.0.0.254', more: [], origin: '/conf line 3' },
  ])
  t.strictSame(
    routes.get('fd00::1')?.map(({ destination, gateway }) => `${destination} ${gateway}`),
    ['fd05::/64 fd00::fe', '::/0 fd00::fe'],
  )
  t.strictSame(routes.get('10.0.0.2')?.[0]?.more, ['mtu', '1400', 'onlink'])
  t.end()
})

t.test('each bad line of the routing file is reported with its number and its address', (t) => {
  const bad = (line: string) => parseRoutingFile(`\n${line}\n`, '/conf').bad[0]
  const wrong: [string, string | undefined, RegExp][] = [
    ['garbage', undefined, /"garbage" is no IP address: expected ADDRESS DESTINATION\/BITS \[GATEWAY\]$/],
    ['10.0.0.1', '10.0.0.1', /no destination/],
    ['10.0.0.1 lan', '10.0.0.1', /"lan" is no network/],
    ['10.0.0.1 10.5.0.0/33', '10.0.0.1', /"33" is no netmask/],
    ['10.0.0.1 10.5.0.1/16', '10.0.0.1', /bits behind its netmask: expected 10\.5\.0\.0\/16/],
    ['10.0.0.1 fd05::/64', '10.0.0.1', /fd05::\/64 is IPv6: expected IPv4/],
    ['fd00::1 10.5.0.0/16', 'fd00::1', /10\.5\.0\.0\/16 is IPv4: expected IPv6/],
    ['10.0.0.1 10.5.0.0/16 fd00::fe', '10.0.0.1', /fd00::fe is IPv6: expected IPv4/],
    ['fd00::1 ::/0 10.0.0.254', 'fd00::1', /10\.0\.0\.254 is IPv4: expected IPv6/],
    ['10.0.0.1 10.5.0.0/16 gw', '10.0.0.1', /"gw" is no gateway/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254/24', '10.0.0.1', /is no gateway/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 # office', '10.0.0.1', /"#" behind the gateway/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 table 5', '10.0.0.1', /"table" behind the gateway/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 mtu', '10.0.0.1', /"mtu" behind the gateway has no value/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 mtu lock', '10.0.0.1', /"mtu" behind the gateway has no value/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 mtu 08', '10.0.0.1', /"mtu 08" .*: expected a number/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 mtu 9k', '10.0.0.1', /"mtu 9k" .*: expected a number up to 4294967295/],
    [
      '10.0.0.1 10.5.0.0/16 10.0.0.254 metric 4294967296',
      '10.0.0.1',
      /"metric 4294967296" .*: expected a num/,
    ],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 metric lock 5', '10.0.0.1', /"metric lock" .*: expected a number/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 src fd00::1', '10.0.0.1', /"src fd00::1" .*: expected an IPv4 address/],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 proto foo', '10.0.0.1', /"proto foo" .*: expected kernel, boot, /],
    ['10.0.0.1 10.5.0.0/16 10.0.0.254 scope nowhere', '10.0.0.1', /"scope nowhere" .*: expected global, /],
  ]
  for (const [line, whose, expected] of wrong) {
    const found = bad(line)
    t.match(found?.problem, expected)
    t.ok(found?.problem.startsWith(`/conf line 2: "${line}": `), String(found?.problem))
    t.equal(found?.address, whose)
  }
  const twice = parseRoutingFile('10.0.0.1 default 10.0.0.2\n10.0.0.1 0.0.0.0/0 10.0.0.3\n', '/conf').bad
  t.match(twice, [{ problem: /line 2: .*0\.0\.0\.0\/0 is there already, in \/conf line 1$/ }])
  const metrics = '10.0.0.1 default 10.0.0.2 metric 5\n10.0.0.1 default 10.0.0.3 metric 6\n'
  t.strictSame(parseRoutingFile(metrics, '/conf').bad, [], 'two routes with different metrics are two routes')
  t.end()
})

t.test(
  'each line of any routing file is a route, a comment, or an error that is reported with its number',
  (t) => {
    const word = fc.oneof(
      address,
      fc.constantFrom('#', 'default', '10.0.0.0/8', 'onlink', 'mtu', '5', 'x'),
      fc.string(),
    )
    const line = fc.array(word, { maxLength: 5 }).map((words) => words.join(' ').replaceAll('\n', ' '))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (all) => {
        const { routes, bad } = parseRoutingFile(all.join('\n'), '/conf')
        const meant = all.filter((each) => each.trim() !== '' && !each.trim().startsWith('#'))
        const good = [...routes.values()].flat()
        const numbers = [...good.map(({ origin }) => origin), ...bad.map(({ problem }) => problem)]
        return (
          good.length + bad.length === meant.length && numbers.every((text) => /^\/conf line \d+/.test(text))
        )
      }),
    )
    t.pass('no counterexample')
    t.end()
  },
)

t.test('static-routes: both families, comments, and bad lines reported with their numbers', (t) => {
  const { routes, problems } = parseStaticRoutes(
    '# ours\nbond1 10.3.3.0/24 10.0.0.1\n\neth0 fd03::/64 fe80::1\neth0 default 10.0.0.1\n',
    '/static-routes',
  )
  t.strictSame(problems, [])
  t.strictSame(
    routes.map(({ iface, destination, gateway }) => `${iface} ${destination} ${gateway}`),
    ['bond1 10.3.3.0/24 10.0.0.1', 'eth0 fd03::/64 fe80::1', 'eth0 0.0.0.0/0 10.0.0.1'],
  )
  const wrong: [string, RegExp][] = [
    ['eth0', /no gateway: expected INTERFACE DESTINATION\/BITS GATEWAY/],
    ['eth0 10.3.3.0/24', /no gateway/],
    ['10.3.3.0/24 10.0.0.1', /"10\.3\.3\.0\/24" is no interface name/],
    ['eth0 10.3.3.0/24 fd00::1', /10\.3\.3\.0\/24 is IPv4: expected IPv6/],
    ['eth0 10.3.3.7/24 10.0.0.1', /bits behind its netmask/],
    ['eth0 10.3.3.0/24 10.0.0.1 metric 5', /"metric" behind the gateway/],
    ['eth0 10.3.3.0/24 router', /"router" is no gateway/],
    [`${'a'.repeat(128)} 10.3.3.0/24 10.0.0.1`, /is no interface name \(it is longer than 127 bytes\)/],
  ]
  for (const [line, expected] of wrong) {
    const found = parseStaticRoutes(`${line}\n`, '/static-routes').problems
    t.match(found, [expected])
    t.ok(found[0]?.startsWith(`/static-routes line 1: "${line}": `), String(found[0]))
  }
  t.end()
})

// ---------------------------------------------------------------- tables

const SHIPPED = `#
# reserved values
#
255\tlocal
254\tmain
253\tdefault
0\tunspec
#1\tinr.ruhep
0x3e8 vpn # somebody's
`

t.test('rt_tables: numbers are read as ip reads them; comments and other lines are left alone', (t) => {
  t.strictSame(parseTables(SHIPPED).at(-1), { id: 1000, name: 'vpn' })
  t.equal(parseTables(SHIPPED).length, 5)
  const added = withEntries(SHIPPED, [{ id: 1001, name: 'ctdb.fd00::1' }])
  t.equal(added, `${SHIPPED}1001\tctdb.fd00::1\n`)
  t.equal(withoutOurs(added), SHIPPED)
  t.equal(withoutOurs('1\tx\n7 ctdb.10.0.0.1\n# ctdb.\n'), '1\tx\n# ctdb.\n')
  t.equal(withoutOurs('7 ctdb.10.0.0.1\n8 ctdb.fd00::1\n', ['fd00::1']), '7 ctdb.10.0.0.1\n')
  t.equal(withEntries('1\tx', [{ id: 2, name: 'y' }]), '1\tx\n2\ty\n', 'a last line without its newline')
  t.end()
})

t.test('an address keeps its table, and a new address gets the lowest free number', (t) => {
  const tables = parseTables(`${SHIPPED}1002\tctdb.10.0.0.9\n`)
  const { ids, added, none } = allot(tables, ['10.0.0.9', '10.0.0.1', 'fd00::1'], ROUTING)
  t.strictSame(
    [...ids],
    [
      ['10.0.0.9', 1002],
      ['10.0.0.1', 1001],
    ],
  )
  t.strictSame(added, [{ id: 1001, name: 'ctdb.10.0.0.1' }])
  t.strictSame(none, ['fd00::1'], 'the range is full')
  t.end()
})

t.test("a number that has another name as well is somebody else's", (t) => {
  const tables = parseTables('1000\tvpn\n1000\tctdb.10.0.0.1\n')
  const first = allot(tables, ['10.0.0.1'], ROUTING)
  t.strictSame([...first.ids], [['10.0.0.1', 1001]])
  t.strictSame([...allot([...tables, ...first.added], ['10.0.0.1'], ROUTING).ids], [['10.0.0.1', 1001]])
  t.end()
})

t.test('tables are never shared, never use reserved numbers, and stay the same for ever', (t) => {
  const entry = fc.record({
    id: fc.integer({ min: 240, max: 270 }),
    name: fc.constantFrom('a', 'b', 'ctdb.10.0.0.1', 'ctdb.10.0.0.2'),
  })
  const wanted = fc.uniqueArray(v4, { maxLength: 20 })
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: ({ id }) => id }), wanted, (tables, addresses) => {
      const first = allot(tables, addresses, { low: 240, high: 270 })
      const again = allot([...tables, ...first.added], addresses, { low: 240, high: 270 })
      const numbers = [...first.ids.values()]
      const free = first.added.every(({ id }) => !tables.some((each) => each.id === id))
      return (
        new Set(numbers).size === numbers.length &&
        free &&
        first.added.every(({ id }) => id < 253 || id > 255) &&
        first.ids.size + first.none.length === addresses.length &&
        again.added.length === 0 &&
        JSON.stringify([...again.ids]) === JSON.stringify([...first.ids])
      )
    }),
  )
  t.pass('no counterexample')
  t.end()
})

t.test('options are refused in the words of CTDB', (t) => {
  t.equal(whyWrong('100', '1000', '9000'), undefined)
  t.match(whyWrong('', '1000', '9000'), /^CTDB_PER_IP_ROUTING_RULE_PREF not configured/)
  for (const pref of ['0', '32766', 'x', '-1', '1.5'])
    t.match(whyWrong(pref, '1000', '9000'), /expected a number from 1 to 32765/)
  for (const [low, high] of [
    ['', ''],
    ['9000', '1000'],
    ['1000', '1000'],
    ['x', '9000'],
    ['0', '0'],
    ['1000', '4294967296'],
  ] as const)
    t.match(
      whyWrong('100', low, high),
      `CTDB_PER_IP_ROUTING_TABLE_ID_LOW[${low}] and/or CTDB_PER_IP_ROUTING_TABLE_ID_HIGH[${high}] improperly configured`,
    )
  for (const [low, high] of [
    ['0', '9000'],
    ['1', '9000'],
    ['253', '255'],
  ] as const)
    t.match(
      whyWrong('100', low, high),
      `range CTDB_PER_IP_ROUTING_TABLE_ID_LOW[${low}]..CTDB_PER_IP_ROUTING_TABLE_ID_HIGH[${high}] must not include 253-255`,
    )
  // as CTDB does: a range that holds only some of the numbers 253 to 255 is accepted
  for (const [low, high] of [
    ['0', '252'],
    ['200', '253'],
    ['254', '300'],
    ['255', '256'],
  ] as const)
    t.equal(whyWrong('100', low, high), undefined, `${low} to ${high}`)
  t.end()
})

t.test('the options of policy routing are read literally; unset is empty', async (t) => {
  const dir = t.testdir({ 'script.options': 'D=/etc\nCTDB_PER_IP_ROUTING_CONF="$D/routes"\n' })
  const env = { CTDB_BASE: dir, CTDB_PER_IP_ROUTING_RULE_PREF: '7' }
  const settings = await loadSettings(
    doorTo(live()),
    { ...factsHere('announce', dir), env },
    '13.per_ip_routing',
  )
  t.equal(settings.option('CTDB_PER_IP_ROUTING_CONF'), '/etc/routes')
  t.equal(settings.option('CTDB_PER_IP_ROUTING_TABLE_ID_LOW'), '')
  t.strictSame(settings.warnings, [])
})

t.test(
  'an options file of plain assignments is read as a shell would; any other file is left to a shell',
  async (t) => {
    const plain = `# ours
A=yes
 export B="two words"
C='single $quoted'\t# why
D=
E=/etc/ctdb/policy_routing
A=no
`
    t.strictSame(plainAssignments(plain), {
      A: 'no',
      B: 'two words',
      C: 'single $quoted',
      D: '',
      E: '/etc/ctdb/policy_routing',
    })
    const others = [
      'A=$B',
      'A=`x`',
      'A="$B"',
      'A=~/x',
      'A=b c',
      'A=b;C=d',
      'A=b#c',
      '[ -e x ]',
      '. more',
      'A="b',
    ]
    for (const text of others) t.equal(plainAssignments(`${text}\n`), undefined, text)
    const words = fc.constantFrom(
      'A=',
      'B=',
      'export ',
      'x',
      "'",
      '"',
      ' ',
      '#',
      '$A',
      '\\',
      '*',
      '.',
      '/',
      '\n',
    )
    const texts = fc.sample(
      fc.array(words, { maxLength: 8 }).map((all) => `${all.join('')}\n`),
      400,
    )
    const readable = texts.filter((text) => plainAssignments(text))
    t.ok(readable.length > 20)
    for (const text of readable) {
      const dir = t.testdir({ options: text })
      const script = '. "$1"; set -f; set -- $A; printf "%s\\n" "$*"; set -- $B; printf "%s" "$*"'
      const { out } = await live().run('ask', ['sh', '-c', script, 'sh', `${dir}/options`], {})
      const values = plainAssignments(text)
      t.equal(`${values?.['A'] ?? ''}\n${values?.['B'] ?? ''}`, out, JSON.stringify(text))
    }
  },
)

// ---------------------------------------------------------------- output of ip

t.test('only rules for a single address without other conditions can be ours', (t) => {
  // printed by iproute2 6.1 on Linux 6.18
  const rules = parseRules(
    '[{"priority":0,"src":"all","table":"local"},{"priority":100,"src":"10.0.0.1","table":"ctdb.10.0.0.1"},{"priority":100,"not":null,"src":"10.0.0.5","table":"ctdb.10.0.0.1"},{"priority":100,"src":"10.0.0.6","fwmark":"0x5","table":"ctdb.10.0.0.1"},{"priority":100,"src":"10.0.0.0","srclen":24,"table":"ctdb.10.0.0.1"},{"priority":100,"src":"10.0.0.6","action":"blackhole"},{"priority":100,"src":"fd00::1","table":"1001"}]',
  )
  t.same(rules, {
    rules: [
      { pref: 100, address: '10.0.0.1', table: 'ctdb.10.0.0.1', protocol: undefined },
      { pref: 100, address: 'fd00::1', table: '1001', protocol: undefined },
    ],
    others: ['local', 'ctdb.10.0.0.1', 'ctdb.10.0.0.1', 'ctdb.10.0.0.1'],
  })
  t.throws(() => parseRules('{}'), /expected a list of rules/)
  t.end()
})

t.test('routes are compared in a single spelling, whatever ip prints', (t) => {
  const routes = parseRoutes(
    '[{"dst":"default","dev":"eth0","table":"1000","scope":"link","flags":[]},{"dst":"10.5.0.1","gateway":"10.0.0.254","dev":"eth0","flags":[]},{"dst":"default","gateway":"fd00::fe","dev":"eth0","metric":1024,"flags":[],"pref":"medium"},{"type":"blackhole","dst":"10.9.0.0/16","table":"1000","flags":[]}]',
  )
  t.match(routes, [
    { destination: '0.0.0.0/0', iface: 'eth0', table: '1000', plain: true, local: false },
    { destination: '10.5.0.1/32', gateway: '10.0.0.254', table: 'main', plain: true, local: false },
    { destination: '::/0', gateway: 'fd00::fe', table: 'main', plain: true, local: false },
    { destination: '10.9.0.0/16', table: '1000', plain: false },
  ])
  t.same(
    routes.map(({ metrics }) => metrics),
    [{}, {}, {}, {}],
  )
  t.end()
})

t.test('metrics that ip prints without names, as before 5.3, hide no route', (t) => {
  // as ip/iproute.c of 5.0 to 5.2 writes them
  const rest = '"flags":[],"metrics":[1400 1300 "rto_min":5]},{"dst":"10.6.0.0/16","dev":"eth0","flags":[]}]'
  const [first, second] = parseRoutes(
    `[{"dst":"default","gateway":"10.0.0.254","dev":"eth0","table":"1000",${rest}`,
  )
  t.match(first, { destination: '0.0.0.0/0', table: '1000' })
  t.equal(first?.metrics, undefined, 'not known')
  t.same(second?.metrics, {})
  const [more] = parseRoutingFile('10.0.0.1 default 10.0.0.254 mtu 1400\n', '/conf').routes.values()
  const there = [{ ...first!, protocol: OUR_PROTOCOL }]
  const seen = seenAs({ rules: [rule], routes: there })
  t.equal(additions({ ...wanted, routes: more ?? [] }, 1000, seen, OURS), undefined, 'and so left alone')
  t.end()
})

t.test('each failure in a batch is attributed to its line', (t) => {
  const refused = refusedLines({
    err: 'Error: Nexthop has invalid gateway.\nCommand failed -:1\nRTNETLINK answers: File exists\nCommand failed -:3\nCommand failed -:4\n',
  })
  t.strictSame(
    [...refused],
    [
      [1, 'Error: Nexthop has invalid gateway.'],
      [3, 'RTNETLINK answers: File exists'],
      [4, 'ip does not say why'],
    ],
  )
  t.end()
})

// ---------------------------------------------------------------- changes to make

const route = (destination: string, gateway?: string): Route => ({
  destination,
  ...(gateway === undefined ? {} : { gateway }),
  more: [],
  origin: '/conf line 1',
})
const wanted: RoutedAddress = {
  address: '10.0.0.1',
  iface: 'eth0',
  routes: [route('10.0.0.0/24'), route('0.0.0.0/0', '10.0.0.254')],
}
const OURS: Ownership = {
  routing: ROUTING,
  names: parseTables('1000 ctdb.10.0.0.1\n'),
  publicAddresses: new Set(['10.0.0.1', '10.0.0.2']),
}
/** As an older version of ours, CTDB's script, or anybody has added it. */
const UNMARKED = { plain: true, local: false, metrics: {} }
const PLAIN = { ...UNMARKED, protocol: OUR_PROTOCOL }
const seenAs = (parts: Partial<Seen>): Seen => ({ ...NOTHING, ...parts })
const kernelRoutes = (iface = 'eth0') => [
  { destination: '0.0.0.0/0', gateway: '10.0.0.254', iface, table: 'ctdb.10.0.0.1', ...PLAIN },
  { destination: '10.0.0.0/24', iface, table: 'ctdb.10.0.0.1', ...PLAIN },
]
const rule = { pref: 100, address: '10.0.0.1', table: 'ctdb.10.0.0.1', protocol: OUR_PROTOCOL }
const texts = (change: { lines: { text: string }[] } | undefined) => change?.lines.map(({ text }) => text)

t.test('an address whose routing is correct is left alone', (t) => {
  const seen = seenAs({ rules: [rule], routes: kernelRoutes() })
  t.equal(additions(wanted, 1000, seen, OURS), undefined)
  t.strictSame(removals(new Map([['10.0.0.1', 1000]]), seen, OURS), [])
  t.end()
})

t.test('the words of ip route after a gateway are understood', (t) => {
  const more = (words: string) => {
    const { routes, bad } = parseRoutingFile(`10.0.0.1 10.5.0.0/16 10.0.0.254 ${words}\n`, '/conf')
    return bad[0]?.problem ?? routes.get('10.0.0.1')?.[0]?.more.join(' ')
  }
  for (const words of [
    'realm 5 tos 0x10 hoplimit lock 64 quickack 1 congctl cubic features ecn',
    'rto_min 5ms rtt 10ms rttvar 1s cwnd 5 ssthresh 5 reordering 5 metric 0x10 mtu 0x578',
    'proto bird',
    'proto zebra',
  ])
    t.equal(more(words), words)
  t.equal(more('preference 5'), 'metric 5')
  t.equal(more('dsfield 8 priority 7'), 'tos 8 metric 7')
  t.match(more('rto_min fast'), /"rto_min fast" behind the gateway: expected a number/)
  t.match(more('features all'), /expected ecn$/)
  t.match(more('quickack 2'), /expected a number up to 1/)
  t.match(more('mtu 0x'), /expected a number/)
  t.end()
})

t.test('metric 0 and mtu 0 mean the default, as in the kernel', (t) => {
  const zero = {
    ...wanted,
    routes: [{ ...route('0.0.0.0/0', '10.0.0.254'), more: ['metric', '0', 'mtu', '0'] }],
  }
  const seen = seenAs({ rules: [rule], routes: kernelRoutes().slice(0, 1) })
  t.equal(additions(zero, 1000, seen, OURS), undefined)
  const six = {
    address: 'fd00::1',
    iface: 'eth0',
    routes: [{ ...route('::/0', 'fe80::1'), more: ['metric', '0'] }],
  }
  const ofSix = parseTables('1001 ctdb.fd00::1\n')
  const there = seenAs({
    rules: [{ pref: 100, address: 'fd00::1', table: 'ctdb.fd00::1', protocol: OUR_PROTOCOL }],
    routes: [
      {
        destination: '::/0',
        gateway: 'fe80::1',
        iface: 'eth0',
        table: 'ctdb.fd00::1',
        ...PLAIN,
        metric: 1024,
      },
    ],
  })
  t.equal(additions(six, 1001, there, { ...OURS, names: ofSix }), undefined)
  t.end()
})

t.test('routes are added first, and the rule that leads to the routes last', (t) => {
  t.strictSame(texts(additions(wanted, 1000, NOTHING, OURS)), [
    'route add 10.0.0.0/24 dev eth0 table 1000 proto 137',
    'route add 0.0.0.0/0 via 10.0.0.254 dev eth0 table 1000 proto 137',
    'rule add from 10.0.0.1 pref 100 table 1000 protocol 137',
  ])
  t.end()
})

t.test('a partial state that a killed run has left is completed', (t) => {
  const routes = kernelRoutes()
  t.strictSame(texts(additions(wanted, 1000, seenAs({ routes }), OURS)), [
    'rule add from 10.0.0.1 pref 100 table 1000 protocol 137',
  ])
  t.strictSame(texts(additions(wanted, 1000, seenAs({ rules: [rule], routes: routes.slice(1) }), OURS)), [
    'route flush table 1000 proto 137',
    'route add 10.0.0.0/24 dev eth0 table 1000 proto 137',
    'route add 0.0.0.0/0 via 10.0.0.254 dev eth0 table 1000 proto 137',
  ])
  const moved = additions(wanted, 1000, seenAs({ rules: [rule], routes: kernelRoutes('eth1') }), OURS)
  t.equal(texts(moved)?.[0], 'route flush table 1000 proto 137', 'routes of the old interface are removed')
  const forced = additions(wanted, 1000, seenAs({ rules: [rule], routes }), OURS, true)
  t.equal(texts(forced)?.length, 3, 'reconfigure adds all routes afresh')
  t.end()
})

t.test('leftovers of addresses that are not here are removed, and nothing of anybody else', (t) => {
  const two = { pref: 100, address: '10.0.0.2', table: '1001', protocol: OUR_PROTOCOL }
  const ofTwo = { destination: '10.0.0.0/24', iface: 'eth0', table: '1001', ...PLAIN }
  const seen = seenAs({
    rules: [
      rule,
      two,
      { pref: 101, address: '10.0.0.3', table: 'ctdb.10.0.0.1' },
      { pref: 100, address: '10.0.0.4', table: 'main' },
      { pref: 100, address: '10.0.0.5', table: '77' },
    ],
    routes: [
      ...kernelRoutes(),
      ofTwo,
      { destination: '10.9.0.0/16', iface: 'eth0', table: 'main', ...UNMARKED },
      { destination: '10.9.0.0/16', iface: 'eth0', table: '1002', ...UNMARKED },
    ],
  })
  const goneTwo = [
    'rule del from 10.0.0.2 pref 100 table 1001 protocol 137',
    'route flush table 1001 proto 137',
  ]
  t.strictSame(removals(new Map([['10.0.0.1', 1000]]), seen, OURS).map(texts), [goneTwo])
  t.strictSame(removals(new Map(), seen, OURS).map(texts), [
    ['rule del from 10.0.0.1 pref 100 table 1000 protocol 137', 'route flush table 1000 proto 137'],
    goneTwo,
  ])
  t.strictSame(
    removals(new Map(), seenAs({ routes: kernelRoutes() }), OURS).map(texts),
    [['route flush table 1000 proto 137']],
    'a table that no rule names any more',
  )
  const moved = seenAs({
    rules: [{ ...rule, table: '1001' }],
    routes: [{ ...ofTwo }, { ...ofTwo, protocol: 'static', destination: '10.9.0.0/16' }],
  })
  t.strictSame(removals(new Map([['10.0.0.1', 1000]]), moved, OURS).map(texts), [
    ['rule del from 10.0.0.1 pref 100 table 1001 protocol 137', 'route flush table 1001 proto 137'],
  ])
  const otherPriority = seenAs({ rules: [{ ...rule, pref: 90 }] })
  t.strictSame(removals(new Map([['10.0.0.1', 1000]]), otherPriority, OURS).map(texts), [
    ['rule del from 10.0.0.1 pref 90 table 1000 protocol 137'],
  ])
  t.strictSame(
    strays(seenAs({ routes: [ofTwo, ...kernelRoutes()] }), OURS).map(texts),
    [['route flush table 1001 proto 137']],
    'marked, but rt_tables has lost the name and no rule leads there',
  )
  t.end()
})

t.test('a rule without our mark is ours only in its exact form and for a public address', (t) => {
  const isOurs = (parts: Partial<typeof rule>, names = OURS.names) => {
    const rules = [{ pref: 100, address: '10.0.0.1', table: 'ctdb.10.0.0.1', ...parts }]
    return ourRules({ rules }, { ...OURS, names }).length === 1
  }
  t.ok(isOurs({}))
  t.ok(isOurs({ table: '1000' }))
  t.ok(isOurs({ address: '10.0.0.2', table: '1001' }), 'its table has lost its name')
  t.ok(isOurs({ address: '10.9.9.9', table: '7', pref: 5, protocol: OUR_PROTOCOL }), 'it has our mark')
  for (const parts of [
    { address: '10.9.9.9', table: '1001' },
    { address: '10.0.0.2' },
    { pref: 101 },
    { protocol: 'static' },
    { protocol: '99' },
    { table: 'main' },
    { table: '1003' },
    { table: 'vpn' },
  ])
    t.notOk(isOurs(parts), JSON.stringify(parts))
  const vpn = parseTables('1001\tvpn\n')
  t.notOk(isOurs({ table: '1001' }, vpn), 'an admin has named the table vpn')
  t.end()
})

t.test('what is there without our mark is replaced, and the address is never without its rule', (t) => {
  const old = { pref: 100, address: '10.0.0.1', table: 'ctdb.10.0.0.1' }
  const routes = kernelRoutes().map((each) => ({ ...each, protocol: undefined }))
  const fresh = [
    'route add 10.0.0.0/24 dev eth0 table 1000 proto 137',
    'route add 0.0.0.0/0 via 10.0.0.254 dev eth0 table 1000 proto 137',
  ]
  const add = 'rule add from 10.0.0.1 pref 100 table 1000 protocol 137'
  const del = 'rule del from 10.0.0.1 pref 100 table 1000'
  const done = (rules: Seen['rules'], found: Seen['routes']) =>
    texts(additions(wanted, 1000, seenAs({ rules, routes: found }), OURS))
  t.strictSame(done([old], routes), ['route flush table 1000 proto boot', ...fresh, add, del])
  t.strictSame(done([old], kernelRoutes()), [add, del])
  for (const both of [
    [old, rule],
    [rule, old],
  ])
    t.strictSame(
      done(both, kernelRoutes()),
      [del, del, add],
      'nobody knows which of the two is deleted first',
    )
  const ofFile = routes.map((each) => ({ ...each, protocol: 'bird' }))
  t.strictSame(done([old], ofFile)?.[0], 'route flush table 1000 proto bird', 'a protocol that the file gave')
  t.strictSame(done([rule], [...kernelRoutes(), ...ofFile]), undefined, "another's route is left alone")
  const leading = { pref: 50, address: '192.168.7.5', table: 'ctdb.10.0.0.1' }
  t.strictSame(
    done([rule, leading], [...kernelRoutes(), { ...routes[0]!, destination: '10.9.0.0/16' }]),
    undefined,
    "a route without a protocol is another's when another's rule leads there",
  )
  t.end()
})

t.test("another's rules and routes are never touched, whatever they look like", (t) => {
  const table = fc.constantFrom('1000', '1001', '1002', 'ctdb.10.0.0.1', 'main', 'vpn', '7')
  const protocol = fc.constantFrom(undefined, 'static', 'bird', '99')
  // of no public address
  const foreignRule = fc.record({
    pref: fc.constantFrom(50, 100),
    address: fc.constant('192.168.7.5'),
    table,
    protocol,
  })
  const foreignRoute = fc.record({
    destination: fc.constantFrom('0.0.0.0/0', '10.5.0.0/16'),
    iface: fc.constant('eth1'),
    table: fc.constantFrom('1001', '1002', 'main', 'vpn', '7'),
    protocol,
    plain: fc.boolean(),
    local: fc.constant(false),
    metrics: fc.constant({}),
  })
  fc.assert(
    fc.property(fc.array(foreignRule), fc.array(foreignRoute), fc.boolean(), (rules, routes, isHere) => {
      const seen = seenAs({ rules: [rule, ...rules], routes: [...kernelRoutes(), ...routes] })
      const keep = new Map(isHere ? [['10.0.0.1', 1000]] : [])
      const changes = [
        ...removals(keep, seen, OURS),
        ...strays(seen, OURS),
        ...[additions(wanted, 1000, seen, OURS, true) ?? []].flat(),
      ]
      const lines = changes.flatMap((change) => texts(change) ?? [])
      const harmless =
        /^(?:(?:rule|route) add|rule del from 10\.0\.0\.1 .* protocol 137$|route flush .* proto 137$)/
      return lines.every((line) => harmless.test(line))
    }),
  )
  t.pass('no counterexample')
  t.end()
})

t.test('a number that any rule or route names is in use, and is not given out', (t) => {
  const looks = [
    seenAs({
      rules: [{ pref: 50, address: '192.168.7.5', table: '1000' }],
      others: ['1001', 'vpn', 'main'],
      routes: [{ destination: '0.0.0.0/0', iface: 'eth1', table: '1003', ...UNMARKED }],
    }),
  ]
  const inUse = numbersInUse(looks, parseTables('1005\tvpn\n'))
  t.strictSame(inUse, [1000, 1001, 1005, 254, 1003])
  const { ids } = allot([], ['10.0.0.1', '10.0.0.2', '10.0.0.3'], { low: 1000, high: 1009 }, inUse)
  t.strictSame([...ids.values()], [1002, 1004, 1006])
  t.end()
})

t.test(
  'a table is foreign when it has a rule or a route that is neither marked nor an old one of ours',
  (t) => {
    const own = { ...kernelRoutes()[0]!, table: 'ctdb.10.0.0.1' }
    const old = { ...own, protocol: undefined }
    const oldRule = { pref: 100, address: '10.0.0.1', table: 'ctdb.10.0.0.1' }
    const theirs = { pref: 50, address: '192.168.7.5', table: 'ctdb.10.0.0.1' }
    const inOurs = (some: Partial<Seen>) => foreignNumbers(seenAs(some), OURS).includes(1000)
    t.notOk(inOurs({ rules: [rule], routes: [own] }), 'marked')
    t.notOk(inOurs({ rules: [oldRule], routes: [old] }), 'of an older version')
    t.notOk(inOurs({ routes: [old] }), 'routes of an older version')
    t.ok(inOurs({ rules: [theirs] }), "another's rule")
    t.ok(inOurs({ others: ['1000'] }), 'a rule of another kind')
    t.ok(inOurs({ rules: [rule], routes: [own, { ...old, protocol: 'static' }] }), "another's route")
    t.ok(inOurs({ rules: [rule], routes: [own, { ...old, plain: false }] }), 'a route that is never ours')
    const shared = seenAs({ rules: [oldRule, theirs], routes: [old, own] })
    t.strictSame(
      oldRoutes(shared, OURS),
      [],
      "where another's rule leads as well, only marked routes are ours",
    )
    t.end()
  },
)

t.test('the table of an IPv4 address is no table of ours in IPv6', (t) => {
  const six = { destination: 'fd05::/64', iface: 'eth1', table: 'ctdb.10.0.0.1', ...UNMARKED }
  t.strictSame(removals(new Map(), seenAs({ routes: [six] }), OURS), [])
  t.end()
})

t.test('a protocol in the file gives way to ours', (t) => {
  const [more] = parseRoutingFile(
    '10.0.0.1 10.5.0.0/16 10.0.0.254 proto bird mtu 1400\n',
    '/conf',
  ).routes.values()
  const change = additions({ ...wanted, routes: more ?? [] }, 1000, NOTHING, OURS)
  t.equal(texts(change)?.[0], 'route add 10.5.0.0/16 via 10.0.0.254 dev eth0 mtu 1400 table 1000 proto 137')
  t.end()
})

t.test('a gateway must be where the interface reaches the gateway', (t) => {
  const why = (gateway: string, seen: Seen = NOTHING, before: Route[] = [], more: string[] = []) => {
    const routes = [...before, { ...route('10.9.0.0/16', gateway), more }]
    return whyNoGateway({ ...wanted, routes }, 24, seen)
  }
  t.equal(why('10.0.0.254'), undefined, "the gateway is in the address's own subnet")
  t.match(
    why('10.7.0.1'),
    '/conf line 1: gateway 10.7.0.1 is outside the subnet of 10.0.0.1/24 and of all else on eth0',
  )
  t.equal(why('10.7.0.1', NOTHING, [route('10.7.0.0/24')]), undefined, 'an earlier line reaches the gateway')
  t.equal(why('10.7.0.1', NOTHING, [], ['onlink']), undefined)
  const onLink = (iface: string) =>
    seenAs({ routes: [{ destination: '10.7.0.0/24', iface, table: 'main', ...UNMARKED }] })
  t.equal(why('10.7.0.1', onLink('eth0')), undefined, 'another address of the interface has that subnet')
  const table = (name: string) =>
    seenAs({ routes: onLink('eth0').routes.map((each) => ({ ...each, table: name })) })
  t.equal(why('10.7.0.1', table('300')), undefined, 'a table that others have made has that route')
  t.ok(why('10.7.0.1', table('ctdb.10.0.0.2')), 'a table of ours does not count')
  t.ok(why('10.7.0.1', onLink('eth1')))
  const six = { address: 'fd00::1', iface: 'eth0', routes: [route('::/0', 'fe80::1')] }
  t.equal(whyNoGateway(six, 64, NOTHING), undefined, 'link-local addresses are on every wire')
  t.end()
})

t.test('a static route waits until its interface reaches the gateway', (t) => {
  const [line] = parseStaticRoutes('eth0 10.3.0.0/16 10.0.0.254\n', '/static-routes').routes
  const onLink = { destination: '10.0.0.0/24', iface: 'eth0', table: 'main', ...PLAIN }
  t.match(line && whyNotAdd(line, []), /eth0 does not reach 10\.0\.0\.254 now/)
  t.equal(line && whyNotAdd(line, [onLink]), undefined)
  const there = {
    destination: '10.3.0.0/16',
    gateway: '10.0.0.254',
    iface: 'eth0',
    table: 'main',
    ...PLAIN,
  }
  t.equal(line && whyNotAdd(line, [onLink, there]), 'it is there')
  t.match(
    line && whyNotAdd(line, [onLink, { ...there, gateway: '10.0.0.9' }]),
    'there is one already, via 10.0.0.9 on eth0',
  )
  t.equal(
    line && whyNotAdd(line, [onLink, { ...there, table: '1000' }]),
    undefined,
    'the route is not in main',
  )
  t.end()
})

t.test(
  'a route that may be there already is looked for by destination, gateway, interface; ours by table and mark',
  (t) => {
    const words = (text: string) => showing(text)?.join(' ')
    const show = '-json -4 route show to exact'
    t.equal(
      words('route add 10.6.0.0/16 via 10.0.0.251 dev eth0 proto static'),
      `${show} 10.6.0.0/16 via 10.0.0.251 dev eth0`,
    )
    t.equal(
      words('route add ::/0 via fd00::251 dev eth0 metric 5 table 1000 proto 137'),
      '-json -6 route show to exact ::/0 via fd00::251 dev eth0 table 1000 proto 137',
    )
    t.equal(
      words('route add 10.0.0.0/24 dev eth0 table 1000 proto 137'),
      `${show} 10.0.0.0/24 dev eth0 table 1000 proto 137`,
    )
    t.equal(words('rule add from 10.0.0.1 pref 100 table 1000 protocol 137'), undefined)
    t.end()
  },
)
