/** The findings that an audit derives from observed state. */
import t from '../tap.ts'
import { addressFaults } from '../../runner/inspect/audit/addresses.ts'
import { commandOf, isSame, type Fault } from '../../runner/inspect/audit/fault.ts'
import { filterFaults, toTrace } from '../../runner/inspect/audit/filters.ts'
import { blockFaults, routingFaults } from '../../runner/inspect/audit/rules.ts'
import { sysctlFaults, sysctlsOf } from '../../runner/inspect/audit/sysctls.ts'
import { addressState, type AddressRow } from '../../runner/inspect/addresses.ts'
import type { Held, Link } from '../../runner/net/ip-json.ts'
import { neighbourOf } from '../../runner/inet/network.ts'

const held = (address: string, place: string, more: Partial<Held> = {}): Held => {
  const [iface = '', bits] = place.split('/')
  return { iface, altnames: [], address, bits: Number(bits), state: 'ready', ...more }
}

/** A row as seen on node 0. */
function row(
  address: string,
  node: number | undefined,
  places: readonly Held[],
  more: Partial<AddressRow> = {},
) {
  const active = node === 0 ? ['eth0'] : []
  const seen = {
    address,
    believed:
      node === undefined ? undefined : { address, node, active, available: ['eth0'], configured: ['eth0'] },
    listed: { address, bits: address.includes(':') ? 64 : 24, ifaces: ['eth0', 'eth1'] },
    held: places,
    parked: false,
    ...more,
  }
  return { ...seen, state: addressState(seen, 0) }
}

const inShort = ({ state, kind, seen, expected, repair }: Fault) =>
  `${state} ${kind}: ${seen}: ${expected}${repair ? ` -> ${commandOf(repair)}` : ''}`

/** Rows of fd00::1 on node 0, each with the fault that an audit reports. */
const PLACES: [AddressRow, string | undefined][] = [
  [row('fd00::1', 0, [held('fd00::1', 'eth0/64')]), undefined],
  [row('fd00::1', 1, []), undefined],
  [row('fd00::1', -1, []), undefined],
  [row('fd00::1', 0, [held('fd00::1', 'eth0/64', { state: 'tentative' })]), undefined],
  [
    row('fd00::1', 0, [held('fd00::1', 'eth0/64', { validFor: 5 })]),
    'error expiring: on eth0/64 for a limited time (valid_lft): on eth0/64, as the daemon believes, for ever -> eventscript run takeip eth0 fd00::1 64',
  ],
  [
    row('fd00::1', 0, []),
    'error missing: not here: on eth0/64, as the daemon believes -> eventscript run takeip eth0 fd00::1 64',
  ],
  [
    row('fd00::1', 0, [held('fd00::1', 'eth1/64')]),
    'error wrong-interface: on eth1/64: on eth0/64, as the daemon believes -> eventscript run takeip eth0 fd00::1 64',
  ],
  [
    row('fd00::1', 0, [held('fd00::1', 'eth0/80')]),
    'error wrong-netmask: on eth0/80: on eth0/64, as the daemon believes -> eventscript run takeip eth0 fd00::1 64',
  ],
  [
    row('fd00::1', 0, [held('fd00::1', 'eth0/64'), held('fd00::1', 'eth1/64')]),
    'error double: on eth0/64 and eth1/64: on eth0/64, as the daemon believes -> eventscript run takeip eth0 fd00::1 64',
  ],
  [
    row('fd00::1', 1, [held('fd00::1', 'eth1/80')]),
    'error stray: on eth1/80: on node 1, as the daemon believes -> eventscript run releaseip eth1 fd00::1 80',
  ],
  [
    row('fd00::1', -1, [held('fd00::1', 'eth0/64'), held('fd00::1', 'eth1/64')]),
    'error double: on eth0/64 and eth1/64: on no node, as the daemon believes -> eventscript run releaseip eth0 fd00::1 64',
  ],
  [
    row('fd00::1', 0, [held('fd00::1', 'eth0/64', { state: 'duplicate' })]),
    'error duplicate: on eth0/64, where its duplicate check has failed: another host has it: on eth0/64, as the daemon believes -> eventscript run takeip eth0 fd00::1 64',
  ],
  [
    row('fd00::1', 1, [held('fd00::1', 'eth0/64', { state: 'duplicate' })]),
    'error duplicate: on eth0/64, where its duplicate check has failed: another host has it: on node 1, as the daemon believes -> eventscript run releaseip eth0 fd00::1 64',
  ],
  [
    row('fd00::1', 0, [], { listed: undefined }),
    'error missing: not here: here, as the daemon believes; which netmask, public_addresses does not say',
  ],
  [
    row('fd00::1', undefined, [held('fd00::1', 'eth0/64')]),
    'warning stray: on eth0/64: the daemon to know fd00::1: "ctdb reloadips" makes it read public_addresses, unless failover is disabled',
  ],
  [
    row('fd00::1', undefined, []),
    'warning unloaded: in public_addresses: the daemon to know fd00::1: "ctdb reloadips" makes it read public_addresses, unless failover is disabled',
  ],
  [
    row('fd00::1', 0, [held('fd00::1', 'lo/128')], { parked: true, rival: '52:54:00:12:34:56 on eth0' }),
    'warning parked: parked on lo: another host has it: 52:54:00:12:34:56 on eth0: on eth0 or eth1/64: take it away there, then it goes to its place by itself',
  ],
  ...(['tentative', 'duplicate'] as const).map((state): [AddressRow, string] => [
    row('fd00::1', 0, [held('fd00::1', 'eth0/64', { state }), held('fd00::1', 'lo/128')], { parked: true }),
    'warning parked: parked on lo: another host has it: nobody knows who: on eth0 or eth1/64: take it away there, then it goes to its place by itself',
  ]),
  [
    row('fd00::1', 0, [held('fd00::1', 'eth0/64'), held('fd00::1', 'lo/128')], { parked: true }),
    undefined, // its check has ended well, and it leaves lo now
  ],
]

t.test('an address is in its expected place, or a repair exists', (t) => {
  for (const [seen, expected] of PLACES)
    t.same(
      addressFaults([seen], 0).map(inShort),
      expected === undefined ? [] : [expected],
      expected ?? seen.state,
    )
  t.end()
})

t.test('a takeip is no repair where another host has the address', (t) => {
  const missing = row('fd00::1', 0, [])
  t.same(addressFaults([missing], 0, new Map([['fd00::1', '52:54:00:12:34:56 on eth0']])).map(inShort), [
    'error missing: not here: on eth0/64, as the daemon believes: another host has it: 52:54:00:12:34:56 on eth0: take it away there first',
  ])
  t.end()
})

t.test('without the daemon only faults that need no daemon are reported, and none is repaired', (t) => {
  const ip = '10.0.0.1'
  const unknown = (...places: Held[]) => ({ ...row(ip, undefined, places), state: 'unknown' as const })
  t.same(addressFaults([unknown(), unknown(held(ip, 'eth0/24'))], undefined), [])
  t.match(addressFaults([unknown(held(ip, 'eth0/24'), held(ip, 'eth1/24'))], undefined), [
    { state: 'error', kind: 'double', repair: undefined },
  ])
  t.match(addressFaults([unknown(held(ip, 'eth0/24', { state: 'duplicate' }))], undefined), [
    { kind: 'duplicate', repair: undefined },
  ])
  t.end()
})

t.test('only rules of ours are reported: by our mark, or by an interface that the list names', (t) => {
  const rows = [row('10.0.0.1', 0, []), row('fd00::1', 1, [])]
  const blocks = [
    { address: 'fd00::1', iface: 'eth0', marked: false },
    { address: 'fd00::1', iface: 'eth7', marked: false },
    { address: '10.0.0.9', iface: 'eth0', marked: false },
    { address: '10.0.0.9', iface: 'eth7', marked: true },
  ]
  const flock = 'flock -w 10 /var/lib/ctdb/scripts/iptables.flock'
  t.same(
    blockFaults(rows, [], blocks, '/var/lib/ctdb/scripts/iptables.flock').map(
      ({ repair }) => repair && commandOf(repair),
    ),
    [
      `${flock} ip6tables -w 3 -D INPUT -i eth0 -d fd00::1 -j DROP`,
      `${flock} iptables -w 3 -D INPUT -i eth7 -d 10.0.0.9 -m comment --comment eventscript -j DROP`,
    ],
  )
  const lines = [
    { text: 'rule del from fd00::1 pref 100 table 1000', kind: 'rule del' as const },
    { text: 'route flush table 1000', kind: 'route flush' as const },
  ]
  const [fault] = routingFaults(rows, [{ address: 'fd00::1', kind: 'remove', why: '', lines }])
  t.equal(
    fault?.seen,
    'policy routing of an address that is not here: rule from fd00::1 pref 100 table 1000, route table 1000',
  )
  t.equal(
    fault?.repair && commandOf(fault.repair, '/etc/my events'),
    "eventscript run --events '/etc/my events' --only 13.per_ip_routing releaseip __none__ fd00::1 64",
  )
  t.end()
})

const link = (name: string, ...places: Held[]): Link => ({
  name,
  altnames: [],
  below: undefined,
  master: undefined,
  kind: undefined,
  mac: undefined,
  type: 'ether',
  up: true,
  carrier: true,
  addresses: places,
})

/** The faults where these sysctls have these values and all others are 0, as `kind sysctl=value`. */
function sysctls(
  rows: readonly AddressRow[],
  links: readonly Link[],
  values: Record<string, number>,
): string[] {
  const read = new Set(sysctlsOf(rows))
  const name = (path: string) => path.replace('/proc/sys/net/', '')
  return sysctlFaults(rows, links, (path) => {
    if (!read.has(path)) throw new Error(`${path} was not read`)
    return values[name(path)] ?? 0
  }).map(({ state, kind, repair }) =>
    repair?.kind === 'write' ? `${state} ${kind} ${name(repair.path)}=${repair.value}` : `${state} ${kind}`,
  )
}

t.test('sysctls are reported where they do harm', (t) => {
  const one = held('10.0.0.1', 'eth0/24')
  const two = held('10.0.0.2', 'eth0/24')
  const other = held('10.1.0.1', 'eth0/24')
  const rows = [row('10.0.0.1', 0, [one])]
  const eth0 = link('eth0', one)
  t.same(sysctls(rows, [eth0], {}), [])
  t.same(sysctls(rows, [eth0], { 'ipv4/ip_nonlocal_bind': 1, 'ipv6/ip_nonlocal_bind': 1 }), [
    'error nonlocal-bind ipv4/ip_nonlocal_bind=0',
  ])
  t.same(sysctls([row('fd00::1', 1, [])], [eth0], { 'ipv6/ip_nonlocal_bind': 1 }), [
    'error nonlocal-bind ipv6/ip_nonlocal_bind=0',
  ])

  t.same(sysctls(rows, [link('eth0', one, other)], {}), [], 'the address is alone in its subnet')
  t.same(sysctls(rows, [link('eth0', one, two)], {}), [
    'warning promote-secondaries ipv4/conf/eth0/promote_secondaries=1',
  ])
  t.same(sysctls(rows, [link('eth0', one, two)], { 'ipv4/conf/all/promote_secondaries': 1 }), [])

  const ignore = (all: number, own: number) => ({
    'ipv4/conf/all/arp_ignore': all,
    'ipv4/conf/eth0/arp_ignore': own,
  })
  for (const fine of [0, 1, 2, 3]) t.same(sysctls(rows, [eth0], ignore(fine, 0)), [], `arp_ignore ${fine}`)
  t.same(sysctls(rows, [eth0], ignore(8, 0)), ['error arp-ignore ipv4/conf/all/arp_ignore=0'])
  t.same(sysctls(rows, [eth0], ignore(3, 8)), ['error arp-ignore ipv4/conf/eth0/arp_ignore=0'])
  const alone = held('10.0.0.1', 'eth0/32')
  t.same(sysctls([row('10.0.0.1', 0, [alone])], [link('eth0', alone)], ignore(0, 2)), [
    'error arp-ignore ipv4/conf/eth0/arp_ignore=1',
  ])
  t.same(
    sysctls([row('10.0.0.1', 0, [alone])], [link('eth0', alone, two)], ignore(0, 2)),
    [],
    'another address has the subnet',
  )
  t.end()
})

t.test('a parked address must not be answered for', (t) => {
  const onLo = held('10.0.0.1', 'lo/32')
  const parked = row('10.0.0.1', 0, [onLo], { parked: true, belongs: ['eth0'] })
  const links = [link('lo', onLo), link('eth0')]
  t.same(sysctls([parked], links, {}), ['error arp-ignore ipv4/conf/all/arp_ignore=3'])
  for (const where of ['all', 'eth0'])
    t.same(sysctls([parked], links, { [`ipv4/conf/${where}/arp_ignore`]: 3 }), [])
  const here = held('10.0.0.2', 'eth0/24')
  t.same(
    sysctls([parked, row('10.0.0.2', 0, [here])], [links[0]!, link('eth0', here)], {
      'ipv4/conf/all/arp_ignore': 8,
    }),
    ['error arp-ignore ipv4/conf/all/arp_ignore=3'],
  )
  t.same(
    sysctls([row('fd00::1', 0, [held('fd00::1', 'lo/128')], { parked: true, belongs: ['eth0'] })], links, {}),
    [],
  )
  t.end()
})

t.test('filters are reported where an address answers by another interface than its own', (t) => {
  const ip = '10.0.0.1'
  const rows = [row(ip, 0, [held(ip, 'eth1/24')]), row('fd00::1', 0, [held('fd00::1', 'eth1/64')])]
  const filters = (iface: string, values: Record<string, number>) => {
    const value = (path: string) => values[path.replace('/proc/sys/net/ipv4/conf/', '')] ?? 0
    return filterFaults(rows, new Map([[ip, iface]]), value).map(
      ({ kind, repair }) => `${kind} -> ${repair && commandOf(repair)}`,
    )
  }
  const conf = '/proc/sys/net/ipv4/conf'
  const strict = `rp-filter -> echo 2 >${conf}/eth1/rp_filter`
  t.same(filters('eth0', { 'all/rp_filter': 1 }), [strict])
  t.same(filters('eth0', { 'eth1/rp_filter': 1 }), [strict])
  t.same(filters('eth0', { 'all/rp_filter': 1, 'eth1/rp_filter': 2 }), [], 'the higher value holds')
  t.same(
    filters('eth1', { 'all/rp_filter': 1, 'all/arp_filter': 1, 'all/arp_ignore': 1 }),
    [],
    'by its own interface',
  )
  for (const ignore of [1, 2])
    t.same(filters('eth0', { 'all/arp_filter': 1, 'eth1/arp_ignore': ignore }), [
      `arp-filter -> echo 0 >${conf}/all/arp_filter`,
    ])
  const harmless: Record<string, number>[] = [
    { 'all/arp_filter': 1 },
    { 'all/arp_ignore': 1 },
    { 'all/arp_filter': 1, 'all/arp_ignore': 3 },
  ]
  for (const values of harmless) t.same(filters('eth0', values), [], JSON.stringify(values))
  t.same(
    toTrace(rows, () => 1).map(({ address }) => address),
    [ip],
    'IPv6 has neither filter',
  )
  t.equal(neighbourOf(ip, 24, []), '10.0.0.254')
  t.equal(neighbourOf(ip, 24, ['10.0.0.254']), '10.0.0.253')
  t.equal(neighbourOf('10.0.0.2', 30, []), '10.0.0.1')
  for (const bits of [31, 32]) t.equal(neighbourOf(ip, bits, []), undefined)
  t.end()
})

t.test('a fault that has changed between two looks is another fault', (t) => {
  const fault: Fault = { state: 'error', kind: 'stray', subject: 'fd00::1', seen: 'on eth0/64', expected: '' }
  t.ok(isSame(fault, { ...fault, expected: 'on node 2' }))
  t.notOk(isSame(fault, { ...fault, seen: 'on eth1/64' }))
  t.notOk(isSame(fault, { ...fault, kind: 'wrong-netmask' }))
  t.notOk(isSame(fault, { ...fault, subject: 'fd00::2' }))
  t.end()
})
