/** The events of 13.per_ip_routing and 11.routing. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { both, FAMILIES, type Family, type Scenario, type Stage } from './stage.ts'

/** The networks of each family as the lab has them; the observer is the gateway. */
function networks({ tag, ip, client }: Family) {
  return tag === ''
    ? { ip, own: '10.0.0.0/24', far: '10.5.0.0/16', all: '0.0.0.0/0', gateway: client, other: 'fd00::fe' }
    : { ip, own: 'fd00::/64', far: 'fd05::/64', all: '::/0', gateway: client, other: '10.0.0.254' }
}

function options(stage: Stage, file: string, more = ''): void {
  stage.options(`CTDB_PER_IP_ROUTING_CONF=${file}
CTDB_PER_IP_ROUTING_RULE_PREF=100
CTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000
CTDB_PER_IP_ROUTING_TABLE_ID_HIGH=1009
${more}`)
}

/** The file as it stands, at the place that the options name. */
function conf(stage: Stage, text: string): void {
  options(stage, join(stage.lab.dir, 'etc/policy_routing'))
  stage.lab.configure('policy_routing', text)
}

function usual(stage: Stage, family: Family): void {
  const { ip, own, far, gateway } = networks(family)
  conf(stage, `${ip} ${own}\n${ip} ${far} ${gateway}\n`)
}

function rtTables(stage: Stage, text: string): void {
  writeFileSync(join(stage.lab.dir, 'iproute2/rt_tables'), text)
}

interface Routed {
  iface: string
  routes: boolean
  rule: boolean
  /** Our mark; without it, as CTDB's script and older versions of ours left it. */
  mark: boolean
}

/** What an earlier takeip has left: the whole of it, or as much as a killed one had done. */
async function routed(
  stage: Stage,
  family: Family,
  { iface = 'eth0', routes = true, rule = true, mark = true }: Partial<Routed> = {},
): Promise<void> {
  const { ip, own, far, gateway } = networks(family)
  const option = family.tag === '' ? '-4' : '-6'
  await stage.held(`${ip}/${family.bits}`, iface)
  rtTables(stage, `1000\tctdb.${ip}\n`)
  const proto = mark ? ' proto 137' : ''
  await stage.node(`ip ${option} route add ${own} dev ${iface} table 1000${proto}`)
  if (routes) await stage.node(`ip ${option} route add ${far} via ${gateway} dev ${iface} table 1000${proto}`)
  if (rule) await stage.node(`ip ${option} rule add from ${ip} pref 100 table 1000${proto}`)
}

/** A table in our range, with a rule of our priority, as an admin has made them for an address of the host's own. */
async function tableOfAnother(stage: Stage): Promise<void> {
  await stage.held('192.168.7.5/24', 'eth1')
  await stage.node('ip route add default via 192.168.7.1 dev eth1 table 1000')
  await stage.node('ip rule add from 192.168.7.5 pref 100 table 1000')
}

function hosts(stage: Stage, ...rows: readonly (readonly [ip: string, iface: string])[]): void {
  const header = '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n'
  const text = rows.map(([ip, iface]) => `|${ip}|${iface === '' ? 1 : 0}|${iface}|eth0,eth1|eth0,eth1|\n`)
  stage.lab.ctdbSays('ip_-v', header + text.join(''))
}

const takeip = ({ ip, bits }: Family) => `takeip eth0 ${ip} ${bits}`

/** takeip with that file; the address is there. */
function refused(what: string, text: (of: ReturnType<typeof networks>) => string): Scenario[] {
  return both('takeip', what, (family) => ({
    event: takeip(family),
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      conf(stage, text(networks(family)))
    },
  }))
}

export const perIpRouting: readonly Scenario[] = [
  ...both('takeip', 'routed', (family) => ({
    event: takeip(family),
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      usual(stage, family)
    },
  })),
  ...both('takeip', 'routed-already', (family) => ({
    event: takeip(family),
    async prepare(stage) {
      await routed(stage, family)
      usual(stage, family)
    },
  })),
  ...both('takeip', 'killed-before-the-rule', (family) => ({
    event: takeip(family),
    async prepare(stage) {
      await routed(stage, family, { rule: false })
      usual(stage, family)
    },
  })),
  ...both('takeip', 'killed-between-routes', (family) => ({
    event: takeip(family),
    async prepare(stage) {
      await routed(stage, family, { routes: false, rule: false })
      usual(stage, family)
    },
  })),
  ...both('takeip', 'auto-link-local', (family) => ({
    event: takeip(family),
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      options(stage, '__auto_link_local__')
    },
  })),
  ...both('takeip', 'no-lines-for-it', (family) => ({
    event: takeip(family),
    prepare: (stage) => conf(stage, `# nothing yet\n${family.neighbour} nonsense\n`),
  })),
  ...refused('bad-line', ({ ip, own, far }) => `${ip} ${own}\n\n${ip} ${far}/7\n`),
  ...refused('line-of-nobody', ({ ip, own }) => `${ip} ${own}\nmistyped ${own}\n`),
  ...refused('destination-twice', ({ ip, all, gateway }) => `${ip} default ${gateway}\n${ip} ${all}\n`),
  ...refused('gateway-of-the-other-family', ({ ip, far, other }) => `${ip} ${far} ${other}\n`),
  ...refused('gateway-outside', ({ ip, own, far }) => {
    const outside = ip === '10.0.0.1' ? '10.9.9.9' : 'fd99::9'
    return `${ip} ${own}\n${ip} ${far} ${outside}\n`
  }),
  ...both('takeip', 'gateway-on-another-subnet-of-the-interface', (family) => ({
    event: takeip(family),
    async prepare(stage) {
      const { ip, far } = networks(family)
      const [net, gateway] = family.tag === '' ? ['10.9.0.1/24', '10.9.0.254'] : ['fd09::1/64', 'fd09::fe']
      await stage.held(net, 'eth0')
      conf(stage, `${ip} ${far} ${gateway}\n`)
    },
  })),
  ...both('takeip', 'route-refused-by-the-kernel', (family) => ({
    event: takeip(family),
    async prepare(stage) {
      const { ip, own, far, gateway } = networks(family)
      const source = family.tag === '' ? '10.9.9.9' : 'fd99::9'
      await stage.held(`${ip}/${family.bits}`, 'eth0')
      conf(stage, `${ip} ${own}\n${ip} ${far} ${gateway} src ${source}\n`)
    },
  })),
  {
    name: 'takeip.table-range-full',
    event: 'takeip eth0 10.0.0.1 24',
    prepare(stage) {
      options(stage, '__auto_link_local__', 'CTDB_PER_IP_ROUTING_TABLE_ID_HIGH=1001\n')
      rtTables(stage, '1000\tvpn\n1001\tctdb.fd00::1\n')
    },
  },
  {
    name: 'takeip.rt-tables-lock-busy',
    event: 'takeip eth0 10.0.0.1 24',
    async prepare(stage) {
      options(stage, '__auto_link_local__')
      stage.state('failover/per_ip_routing/rt_tables_lock', '')
      await stage.locked('failover/per_ip_routing/rt_tables_lock')
    },
  },
  {
    name: 'takeip.rt-tables-in-usr-share',
    event: 'takeip eth0 10.0.0.1 24',
    async prepare(stage) {
      options(stage, '__auto_link_local__')
      stage.lab.configure('shipped/iproute2/rt_tables', '255\tlocal\n254\tmain\n253\tdefault\n1000\tvendor\n')
      const lower = join(stage.lab.dir, 'etc/shipped')
      await stage.node(`mount -t overlay -o lowerdir=${lower}:/usr/share overlay /usr/share`)
    },
  },
  {
    name: 'takeip.conf-missing',
    event: 'takeip eth0 10.0.0.1 24',
    prepare: (stage) => options(stage, '/nowhere/policy_routing'),
  },
  {
    name: 'takeip.priority-missing',
    event: 'takeip eth0 10.0.0.1 24',
    prepare: (stage) => stage.options('CTDB_PER_IP_ROUTING_CONF=/etc/ctdb/policy_routing\n'),
  },
  {
    name: 'takeip.range-over-the-kernels-tables',
    event: 'takeip eth0 10.0.0.1 24',
    prepare: (stage) => options(stage, '__auto_link_local__', 'CTDB_PER_IP_ROUTING_TABLE_ID_LOW=100\n'),
  },
  { name: 'takeip.not-configured', event: 'takeip eth0 10.0.0.1 24' },
  {
    name: 'takeip.no-privilege',
    event: 'takeip eth0 10.0.0.1 24',
    as: ['setpriv', '--bounding-set=-net_admin'],
    prepare: (stage) => options(stage, '__auto_link_local__'),
  },
  {
    name: 'takeip.ip-missing',
    event: 'takeip eth0 10.0.0.1 24',
    prepare(stage) {
      options(stage, '__auto_link_local__')
      stage.without('ip')
    },
  },
  ...both('updateip', 'moved', (family) => ({
    event: `updateip eth1 eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await routed(stage, family, { iface: 'eth1' })
      await stage.node(`ip addr del ${family.ip}/${family.bits} dev eth1`)
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      usual(stage, family)
    },
  })),
  ...both('releaseip', 'routed', (family) => ({
    event: `releaseip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await routed(stage, family)
      // what goes needs no configuration file
      options(stage, '/nowhere/policy_routing')
    },
  })),
  ...both('releaseip', 'not-routed', (family) => ({
    event: `releaseip __none__ ${family.ip} ${family.bits}`,
    prepare: (stage) => usual(stage, family),
  })),
  {
    name: 'releaseip.delete-fails',
    event: 'releaseip eth0 10.0.0.1 24',
    async prepare(stage) {
      const [family] = FAMILIES
      await routed(stage, family)
      usual(stage, family)
      stage.meddle('ip', '*-force*', { instead: 'setpriv --bounding-set=-net_admin @ "$@"' })
    },
  },
  {
    name: 'takeip.netmask-in-dots',
    event: 'takeip eth0 10.0.0.1 24',
    async prepare(stage) {
      await stage.held('10.0.0.1/24', 'eth0')
      conf(stage, '10.0.0.1 10.5.0.0/255.255.0.0 10.0.0.254\n10.0.0.1 10.6/255.255.128.0 10.0.0.254\n')
    },
  },
  ...both('ipreallocated', 'all-right', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      await routed(stage, family)
      usual(stage, family)
      hosts(stage, [family.ip, 'eth0'])
    },
  })),
  ...both('ipreallocated', 'routes-lost', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      await routed(stage, family, { routes: false })
      usual(stage, family)
      hosts(stage, [family.ip, 'eth0'])
    },
  })),
  ...both('ipreallocated', 'unhosted', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      await routed(stage, family)
      usual(stage, family)
      hosts(stage, [family.ip, ''])
    },
  })),
  ...both('ipreallocated', 'words-changed', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      const { ip, own, far, gateway } = networks(family)
      await routed(stage, family)
      conf(stage, `${ip} ${own}\n${ip} ${far} ${gateway} mtu 1400\n`)
      hosts(stage, [ip, 'eth0'])
    },
  })),
  ...both('ipreallocated', 'one-dropped', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      const { ip, own, far, gateway } = networks(family)
      const { neighbour } = family
      await stage.held(`${ip}/${family.bits}`, 'eth0')
      conf(stage, [ip, neighbour].map((each) => `${each} ${own}\n${each} ${far} ${gateway}\n`).join(''))
      hosts(stage, [ip, 'eth0'], [neighbour, 'eth0'])
    },
  })),
  ...both('ipreallocated', 'on-another-interface', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth1')
      usual(stage, family)
      hosts(stage, [family.ip, 'eth0'])
    },
  })),
  ...both('ipreallocated', 'interface-down', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      await stage.node('ip link set eth0 down')
      usual(stage, family)
      hosts(stage, [family.ip, 'eth0'])
    },
  })),
  ...both('ipreallocated', 'gateway-outside', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      const { ip, own, far } = networks(family)
      const { neighbour } = family
      for (const each of [ip, neighbour]) await stage.held(`${each}/${family.bits}`, 'eth0')
      conf(stage, `${ip} ${far} ${family.tag === '' ? '10.99.0.9' : 'fd99::9'}\n${neighbour} ${own}\n`)
      hosts(stage, [ip, 'eth0'], [neighbour, 'eth0'])
    },
  })),
  {
    name: 'ipreallocated.numbers-for-newcomers',
    event: 'ipreallocated',
    async prepare(stage) {
      for (const family of FAMILIES) {
        await routed(stage, family, { rule: false })
        await stage.held(`${family.neighbour}/${family.bits}`, 'eth0')
      }
      rtTables(stage, '1000\tctdb.10.0.0.1\n1001\tctdb.fd00::1\n')
      options(stage, '__auto_link_local__')
      const bits = FAMILIES.map(({ ip, neighbour, bits: n }) => `${ip}/${n} eth0\n${neighbour}/${n} eth0\n`)
      stage.lab.configure('public_addresses', bits.join(''))
      hosts(
        stage,
        ...FAMILIES.flatMap(({ ip, neighbour }) => [[ip, 'eth0'] as const, [neighbour, 'eth0'] as const]),
      )
    },
  },
  {
    name: 'ipreallocated.both-families-new',
    event: 'ipreallocated',
    async prepare(stage) {
      await stage.held('10.0.0.1/24', 'eth0')
      await stage.held('fd00::1/64', 'eth1')
      options(stage, '__auto_link_local__')
      hosts(stage, ['10.0.0.1', 'eth0'], ['fd00::1', 'eth1'], ['10.0.0.2', ''])
    },
  },
  {
    name: 'ipreallocated.one-refused',
    event: 'ipreallocated',
    async prepare(stage) {
      await stage.held('10.0.0.1/24', 'eth0')
      await stage.held('10.0.0.2/24', 'eth0')
      conf(stage, '10.0.0.1 10.5.0.0/16 10.0.0.254 src 10.9.9.9\n10.0.0.2 10.5.0.0/16 10.0.0.254\n')
      stage.lab.configure('public_addresses', '10.0.0.1/24 eth0\n10.0.0.2/24 eth0\n')
      hosts(stage, ['10.0.0.1', 'eth0'], ['10.0.0.2', 'eth0'])
    },
  },
  {
    name: 'ipreallocated.nothing-hosted',
    event: 'ipreallocated',
    prepare(stage) {
      options(stage, '/nowhere/policy_routing')
      hosts(stage, ['10.0.0.1', ''])
    },
  },
  {
    name: 'ipreallocated.ctdb-not-answering',
    event: 'ipreallocated',
    prepare(stage) {
      options(stage, '__auto_link_local__')
      stage.realCtdb()
    },
  },
  {
    name: 'reconfigure.another-gateway',
    event: 'reconfigure',
    async prepare(stage) {
      const [family] = FAMILIES
      await routed(stage, family)
      conf(stage, '10.0.0.1 10.5.0.0/16 10.0.0.253\n')
      hosts(stage, ['10.0.0.1', 'eth0'])
    },
  },
  ...both('startup', 'leftovers', (family) => ({
    event: 'startup',
    async prepare(stage) {
      await routed(stage, family)
      usual(stage, family)
      await stage.node(
        `ip ${family.tag === '' ? '-4' : '-6'} rule add from ${family.neighbour} pref 100 table main`,
      )
    },
  })),
  {
    name: 'startup.bad-lines',
    event: 'startup',
    prepare: (stage) => conf(stage, '10.0.0.1 10.5.0.0/16 fd00::1\n\nfd00::1 fd05::/200\n'),
  },
  ...both('shutdown', 'routed', (family) => ({
    event: 'shutdown',
    async prepare(stage) {
      await routed(stage, family)
      usual(stage, family)
      rtTables(stage, `# ours and others\n7\tvpn\n1000\tctdb.${family.ip}\n1005\tsomebody\n`)
    },
  })),
  {
    name: 'monitor.all-right',
    event: 'monitor',
    prepare: (stage) => conf(stage, 'fd00::1 default fd00::fe\n'),
  },
  ...both('ipreallocated', 'of-an-older-version', (family) => ({
    event: 'ipreallocated',
    async prepare(stage) {
      await routed(stage, family, { mark: false })
      usual(stage, family)
      hosts(stage, [family.ip, 'eth0'])
    },
  })),
  ...both('releaseip', 'of-an-older-version', (family) => ({
    event: `releaseip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await routed(stage, family, { mark: false })
      usual(stage, family)
    },
  })),
  ...['takeip eth0 10.0.0.1 24', 'startup', 'shutdown'].map((event) => ({
    name: `${event.split(' ')[0]}.table-of-another`,
    event,
    async prepare(stage: Stage) {
      await stage.held('10.0.0.1/24', 'eth0')
      options(stage, '__auto_link_local__')
      await tableOfAnother(stage)
    },
  })),
  {
    name: 'ipreallocated.rule-of-another-seen-late',
    event: 'ipreallocated',
    async prepare(stage) {
      options(stage, '__auto_link_local__')
      await holdingBoth(stage)
      hosts(stage, ['10.0.0.1', 'eth0'], ['fd00::1', 'eth0'])
      await stage.node('ip -6 rule add from fd77::5 pref 50 table 1001')
    },
  },
  {
    name: 'ipreallocated.mark-has-a-name',
    event: 'ipreallocated',
    async prepare(stage) {
      const [family] = FAMILIES
      await routed(stage, family)
      writeFileSync(join(stage.lab.dir, 'iproute2/rt_protos'), '137\tctdb\n')
      usual(stage, family)
      hosts(stage, ['10.0.0.1', 'eth0'])
    },
  },
  {
    name: 'monitor.bad-line',
    event: 'monitor',
    prepare: (stage) => conf(stage, 'fd00::1 default fd00::fe\nfd00::1 default 10.0.0.254\n'),
  },
  { name: 'monitor.not-configured', event: 'monitor' },
  ...both('monitor', 'routed', (family) => ({
    event: 'monitor',
    async prepare(stage) {
      await routed(stage, family)
      usual(stage, family)
      stage.hosted(family.ip)
    },
  })),
  ...both('monitor', 'rule-lost', (family) => ({
    event: 'monitor',
    async prepare(stage) {
      await routed(stage, family, { rule: false })
      usual(stage, family)
      stage.hosted(family.ip)
    },
  })),
  ...both('monitor', 'all-lost', (family) => ({
    event: 'monitor',
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth1')
      rtTables(stage, `1000\tctdb.${family.ip}\n`)
      usual(stage, family)
      stage.hosted(family.ip)
    },
  })),
  {
    name: 'monitor.cannot-be-put-back',
    event: 'monitor',
    async prepare(stage) {
      const [family] = FAMILIES
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      conf(stage, '10.0.0.1 10.5.0.0/16 10.99.0.9\n')
      rtTables(stage, '1000\tctdb.10.0.0.1\n')
      stage.hosted(family.ip)
    },
  },
  {
    name: 'monitor.address-not-in-the-kernel',
    event: 'monitor',
    prepare(stage) {
      const [family] = FAMILIES
      usual(stage, family)
      rtTables(stage, '1000\tctdb.10.0.0.1\n')
      stage.hosted(family.ip)
    },
  },
]

const STATIC = `# of both families
eth0 10.5.0.0/16 10.0.0.254
eth0 fd05::/64 fd00::fe
eth1 10.6.0.0/16 10.1.0.254
`

async function holdingBoth(stage: Stage): Promise<void> {
  await stage.held('10.0.0.1/24', 'eth0')
  await stage.held('fd00::1/64', 'eth0')
}

export const staticRouting: readonly Scenario[] = [
  ...['ipreallocated', 'monitor'].flatMap((event): Scenario[] => [
    {
      name: `${event}.missing`,
      event,
      async prepare(stage) {
        await holdingBoth(stage)
        stage.lab.configure('static-routes', STATIC)
      },
    },
    {
      name: `${event}.there-already`,
      event,
      async prepare(stage) {
        await holdingBoth(stage)
        await stage.node('ip route add 10.5.0.0/16 via 10.0.0.254 dev eth0')
        await stage.node('ip route add fd05::/64 via fd00::9 dev eth0')
        stage.lab.configure('static-routes', STATIC)
      },
    },
    { name: `${event}.no-file`, event },
  ]),
  {
    name: 'ipreallocated.no-address-yet',
    event: 'ipreallocated',
    prepare: (stage) => stage.lab.configure('static-routes', STATIC),
  },
  {
    name: 'ipreallocated.bad-line',
    event: 'ipreallocated',
    async prepare(stage) {
      await holdingBoth(stage)
      stage.lab.configure('static-routes', `${STATIC}eth0 10.7.0.0/16\n`)
    },
  },
  {
    name: 'ipreallocated.route-refused-by-the-kernel',
    event: 'ipreallocated',
    async prepare(stage) {
      await holdingBoth(stage)
      stage.lab.configure('static-routes', `${STATIC}eth0 fd07::/64 fd00::1\n`)
    },
  },
  {
    name: 'monitor.bad-line',
    event: 'monitor',
    prepare: (stage) => stage.lab.configure('static-routes', `${STATIC}eth0 10.7.0.0/16\n`),
  },
  {
    name: 'updateip.its-interfaces-only',
    event: 'updateip __none__ eth1 10.1.0.1 24',
    async prepare(stage) {
      await holdingBoth(stage)
      await stage.held('10.1.0.1/24', 'eth1')
      stage.lab.configure('static-routes', STATIC)
    },
  },
]
