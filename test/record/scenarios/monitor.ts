import { both, type Scenario } from './stage.ts'

const HEADER = '|Source IP|Port|Destiation IP|Port|\n' // as ctdb 4.17 spells it

export const monitor: readonly Scenario[] = [
  { name: 'monitor.all-up', event: 'monitor' },
  {
    name: 'monitor.public-addresses-dangling',
    event: 'monitor',
    prepare: (stage) => stage.dangling('public_addresses'),
  },
  ...both('monitor', 'rule-that-stayed', (family) => ({
    event: 'monitor',
    async prepare(stage) {
      stage.kept('blocked', `${family.ip}\n`)
      await stage.leftoverRule(family, 'eth0', { marked: true })
    },
  })),
  { name: 'monitor.one-down', event: 'monitor', prepare: (stage) => stage.unplug('eth1') },
  {
    name: 'monitor.all-down',
    event: 'monitor',
    async prepare(stage) {
      await stage.unplug('eth0')
      await stage.unplug('eth1')
    },
  },
  {
    name: 'monitor.one-down-partially-online',
    event: 'monitor',
    async prepare(stage) {
      stage.options('CTDB_PARTIALLY_ONLINE_INTERFACES=yes\n')
      await stage.unplug('eth1')
    },
  },
  {
    name: 'monitor.all-down-partially-online',
    event: 'monitor',
    async prepare(stage) {
      stage.options('CTDB_PARTIALLY_ONLINE_INTERFACES="yes"\n')
      await stage.unplug('eth0')
      await stage.unplug('eth1')
    },
  },
  {
    name: 'monitor.interface-missing',
    event: 'monitor',
    prepare: (stage) => stage.lab.configure('public_addresses', '10.0.0.1/24 eth0,eth7\n'),
  },
  {
    name: 'monitor.interface-of-the-daemon-missing',
    event: 'monitor',
    prepare: (stage) =>
      stage.lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|eth0|1|0|\n|eth1|1|0|\n|eth9|1|0|\n'),
  },
  {
    name: 'monitor.daemon-has-no-interfaces',
    event: 'monitor',
    prepare: (stage) => stage.lab.ctdbSays('ifaces', 'No interfaces configured on node 0\n'),
  },
  {
    name: 'monitor.switched-off',
    event: 'monitor',
    prepare: (stage) => stage.node('ip link set dev eth1 down'),
  },
  {
    name: 'monitor.switched-off-and-unplugged',
    event: 'monitor',
    async prepare(stage) {
      await stage.unplug('eth1')
      await stage.node('ip link set dev eth1 down')
    },
  },
  {
    name: 'monitor.switched-off-no-privilege',
    event: 'monitor',
    as: ['setpriv', '--bounding-set=-net_admin'],
    prepare: (stage) => stage.node('ip link set dev eth1 down'),
  },
  {
    name: 'monitor.by-altname',
    event: 'monitor',
    async prepare(stage) {
      await stage.node('ip link property add dev eth0 altname storage0')
      stage.lab.configure('public_addresses', '10.0.0.1/24 storage0\nfd00::1/64 storage0\n')
      stage.lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|storage0|1|0|\n')
    },
  },
  {
    name: 'monitor.loopback',
    event: 'monitor',
    async prepare(stage) {
      await stage.node('ip link set dev lo down')
      stage.lab.configure('public_addresses', '10.0.0.1/24 lo\n')
      stage.lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|lo|1|0|\n')
    },
  },
  { name: 'monitor.ctdb-not-answering', event: 'monitor', prepare: (stage) => stage.realCtdb() },
  {
    name: 'monitor.ctdb-missing',
    event: 'monitor',
    prepare: (stage) => void (stage.lab.env['CTDB'] = '/nowhere/ctdb'),
  },
  {
    name: 'monitor.ctdb-hangs',
    event: '--timeout 2 monitor',
    prepare: (stage) => stage.standIn('ctdb', 'exec sleep 60\n'),
  },
  {
    name: 'monitor.no-public-addresses',
    event: 'monitor',
    prepare: (stage) => stage.unconfigure('public_addresses'),
  },
  {
    name: 'monitor.public-addresses-broken',
    event: 'monitor',
    prepare: (stage) => stage.lab.configure('public_addresses', '10.0.0.1/24 eth0\n10.0.0.300/24 eth0\n'),
  },
  { name: 'monitor.ip-missing', event: 'monitor', prepare: (stage) => stage.without('ip') },
  {
    name: 'monitor.bad-option',
    event: 'monitor',
    prepare: (stage) => stage.options('CTDB_PARTIALLY_ONLINE_INTERFACES=maybe\n'),
  },
  {
    name: 'monitor.options-misspelt',
    event: 'monitor',
    prepare: (stage) => stage.options('EVENTSCRIPT_DAD_CONFLICT = park\nEVENTSCRIPT_DDA=off\n'),
  },
  {
    name: 'monitor.options-syntax-error',
    event: 'monitor',
    prepare: (stage) => stage.options('CTDB_PARTIALLY_ONLINE_INTERFACES="yes\n'),
  },
  {
    name: 'monitor.own-options-win',
    event: 'monitor',
    async prepare(stage) {
      stage.options('# for all\nCTDB_PARTIALLY_ONLINE_INTERFACES=no\n')
      stage.lab.configure(
        'events/legacy/10.interface.options',
        'if true; then CTDB_PARTIALLY_ONLINE_INTERFACES=$(echo yes); fi\n',
      )
      await stage.unplug('eth1')
    },
  },
  ...both('monitor', 'tickles-added', ({ ip, bits, client }) => ({
    event: 'monitor',
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.hosted(ip)
      stage.lab.ctdbSays(`gettickles ${ip}`, HEADER)
      await stage.connected(ip, 2049, client, [40001, 40002])
    },
  })),
  ...both('monitor', 'tickles-deleted', ({ ip, bits, client }) => ({
    event: 'monitor',
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.hosted(ip)
      stage.lab.ctdbSays(`gettickles ${ip}`, `${HEADER}|${client}|40001|${ip}|2049|\n`)
    },
  })),
  ...both('monitor', 'tickles-known', ({ ip, bits, client }) => ({
    event: 'monitor',
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.hosted(ip)
      stage.lab.ctdbSays(`gettickles ${ip}`, `${HEADER}|${client}|40001|${ip}|2049|\n`)
      await stage.connected(ip, 2049, client, [40001])
    },
  })),
  ...both('monitor', 'tickles-as-at-the-last-look', ({ ip, bits, client }) => ({
    event: 'monitor',
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.hosted(ip)
      const local = ip.includes(':') ? `[${ip}]` : ip
      const peer = ip.includes(':') ? `[${client}]` : client
      stage.state('tickles/reported', `${ip}\n${peer}:40001 ${local}:2049\n`)
      await stage.connected(ip, 2049, client, [40001])
    },
  })),
  {
    name: 'monitor.tickles-of-both-families',
    event: 'monitor',
    async prepare(stage) {
      await stage.held('10.0.0.1/24', 'eth0')
      await stage.held('fd00::1/64', 'eth1')
      stage.hosted('10.0.0.1', 'fd00::1')
      stage.lab.ctdbSays('gettickles 10.0.0.1', `${HEADER}|10.0.0.254|40009|10.0.0.1|2049|\n`)
      stage.lab.ctdbSays('gettickles fd00::1', `${HEADER}|fd00::fe|40002|fd00::1|2049|\n`)
      await stage.connected('10.0.0.1', 2049, '10.0.0.254', [40001])
      await stage.connected('fd00::1', 2049, 'fd00::fe', [40002])
    },
  },
  {
    name: 'monitor.tickles-of-a-dual-stack-server',
    event: 'monitor',
    async prepare(stage) {
      await stage.held('10.0.0.1/24', 'eth0')
      stage.hosted('10.0.0.1')
      stage.lab.ctdbSays('gettickles 10.0.0.1', HEADER)
      await stage.connected('10.0.0.1', 2049, '10.0.0.254', [40001], '::')
    },
  },
  {
    name: 'monitor.state-folder-read-only',
    event: 'monitor',
    async prepare(stage) {
      stage.hosted('10.0.0.1')
      stage.lab.ctdbSays('gettickles 10.0.0.1', HEADER)
      await stage.readOnlyState()
    },
  },
  {
    name: 'monitor.tickles-not-told',
    event: 'monitor',
    prepare(stage) {
      stage.hosted('10.0.0.1')
      stage.lab.ctdbSays('gettickles 10.0.0.1.fails', 'Failed to get list of tickles\n')
    },
  },
  {
    name: 'monitor.ss-missing',
    event: 'monitor',
    prepare(stage) {
      stage.hosted('10.0.0.1')
      stage.lab.ctdbSays('gettickles 10.0.0.1', `${HEADER}|10.0.0.254|40001|10.0.0.1|2049|\n`)
      stage.without('ss')
    },
  },
]
