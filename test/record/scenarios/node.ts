/** The events of the whole node: init, startup, shutdown, ipreallocated. */
import { siblings } from './releaseip.ts'
import type { Scenario, Stage } from './stage.ts'

async function leftovers(stage: Stage): Promise<void> {
  await stage.held('10.0.0.1/25', 'eth1')
  await stage.held('fd00::1/72', 'eth1')
  await stage.held('10.0.0.99/24', 'eth1')
  stage.hosted('10.0.0.1', 'fd00::1')
}

async function twice(stage: Stage): Promise<void> {
  for (const iface of ['eth0', 'eth1']) {
    await stage.held('10.0.0.1/24', iface)
    await stage.held('fd00::1/64', iface)
  }
}

async function blocked(stage: Stage): Promise<void> {
  await stage.node('iptables -w 3 -I INPUT -i eth0 -d 10.0.0.1 -j DROP')
  await stage.node('iptables -w 3 -I INPUT -i eth0 -d 10.0.0.99 -j DROP')
  await stage.node('ip6tables -w 3 -I INPUT -i eth1 -d fd00::1 -j DROP')
}

const BROKEN = '10.0.0.1/24 eth0\n10.0.0.2 eth0\nfd00::1/129 eth0\n[fd00::2]/64 eth1\n'

/** init and shutdown let go of the same. */
function dropping(event: 'init' | 'shutdown'): Scenario[] {
  return [
    { name: `${event}.nothing-held`, event },
    { name: `${event}.leftovers`, event, prepare: leftovers },
    { name: `${event}.held-twice`, event, prepare: twice },
    { name: `${event}.leftover-rules`, event, prepare: blocked },
    {
      name: `${event}.leftover-rules-and-lock-busy`,
      event,
      async prepare(stage) {
        await leftovers(stage)
        await blocked(stage)
        await stage.locked('iptables.flock')
      },
    },
    {
      name: `${event}.state-folder-read-only`,
      event,
      async prepare(stage) {
        await leftovers(stage)
        await stage.readOnlyState()
      },
    },
    {
      name: `${event}.delete-fails`,
      event,
      async prepare(stage) {
        await leftovers(stage)
        stage.meddle('ip', '"addr del 10.0.0.1"*', { instead: 'setpriv --bounding-set=-net_admin @ "$@"' })
      },
    },
    { name: `${event}.sysctls-read-only`, event, prepare: siblings },
    {
      name: `${event}.sysctls-read-only-delete-fails`,
      event,
      async prepare(stage) {
        await siblings(stage)
        const none = 'setpriv --bounding-set=-net_admin'
        stage.meddle('ip', '*-batch*', {
          instead: `[ -e ${stage.lab.dir}/tried ] && @ "$@" || { : >${stage.lab.dir}/tried; ${none} @ "$@"; }`,
        })
      },
    },
    {
      name: `${event}.no-public-addresses`,
      event,
      prepare: (stage) => stage.unconfigure('public_addresses'),
    },
    {
      name: `${event}.public-addresses-dangling`,
      event,
      async prepare(stage) {
        await leftovers(stage)
        stage.dangling('public_addresses')
      },
    },
    {
      name: `${event}.public-addresses-unreadable-and-nothing-known`,
      event,
      prepare: (stage) => stage.unreadable('public_addresses'),
    },
    {
      name: `${event}.public-addresses-broken`,
      event,
      async prepare(stage) {
        await stage.held('10.0.0.1/24', 'eth0')
        await stage.held('fd00::2/64', 'eth1')
        stage.lab.configure('public_addresses', BROKEN)
      },
    },
    {
      name: `${event}.public-addresses-loosely-written`,
      event,
      async prepare(stage) {
        await stage.held('10.0.0.1/24', 'eth0')
        await stage.held('fd00::1/64', 'eth1')
        stage.lab.configure(
          'public_addresses',
          '# ours\n\n  10.0.0.1/24\teth0,eth1 a comment\n   # indented\n[FD00:0::1]/64  eth1',
        )
      },
    },
    {
      name: `${event}.no-privilege`,
      event,
      as: ['setpriv', '--bounding-set=-net_admin'],
      prepare: leftovers,
    },
    { name: `${event}.ip-missing`, event, prepare: (stage) => stage.without('ip') },
    {
      name: `${event}.iptables-missing`,
      event,
      async prepare(stage) {
        await leftovers(stage)
        stage.without('iptables')
      },
    },
  ]
}

export const node: readonly Scenario[] = [
  ...dropping('init'),
  ...dropping('shutdown'),
  {
    name: 'init.promote-secondaries-missing',
    event: 'init',
    // an empty folder in its place: a look finds no such entry
    prepare: (stage) => stage.node('mount -t tmpfs tmpfs /proc/sys/net/ipv4/conf/all'),
  },
  {
    name: 'init.options-syntax-error',
    event: 'init',
    prepare: (stage) => stage.options('CTDB_KILLTCP_USE_SS_KILL=$(\n'),
  },
  { name: 'startup.all-up', event: 'startup' },
  { name: 'startup.bad-link', event: 'startup', prepare: (stage) => stage.unplug('eth1') },
  {
    name: 'startup.no-public-addresses',
    event: 'startup',
    prepare: (stage) => stage.unconfigure('public_addresses'),
  },
  { name: 'startup.ctdb-not-answering', event: 'startup', prepare: (stage) => stage.realCtdb() },
  {
    name: 'ipreallocated.list-written-afresh',
    event: 'ipreallocated',
    prepare(stage) {
      stage.hosted('10.0.0.7', '10.0.0.1')
      stage.lab.ctdbSays('ip', '|Public IP|Node|\n|10.0.0.1|0|\n|10.0.0.2|1|\n|10.0.0.3|-1|\n|fd00::1|0|\n')
    },
  },
  {
    name: 'ipreallocated.public-addresses-dangling',
    event: 'ipreallocated',
    prepare(stage) {
      stage.dangling('public_addresses')
      stage.lab.ctdbSays('ip', '|Public IP|Node|\n|10.0.0.1|0|\n|10.0.0.2|1|\n')
    },
  },
  {
    name: 'ipreallocated.list-as-before',
    event: 'ipreallocated',
    prepare(stage) {
      stage.state('my-pnn', '1\n')
      stage.hosted('10.0.0.2')
      stage.lab.ctdbSays('ip', '|Public IP|Node|\n|10.0.0.1|0|\n|10.0.0.2|1|\n')
    },
  },
  {
    name: 'ipreallocated.nothing-hosted',
    event: 'ipreallocated',
    prepare: (stage) => stage.lab.ctdbSays('ip', '|Public IP|Node|\n'),
  },
  {
    name: 'ipreallocated.ctdb-not-answering',
    event: 'ipreallocated',
    prepare: (stage) => stage.realCtdb(),
  },
  {
    name: 'ipreallocated.ctdb-ip-fails',
    event: 'ipreallocated',
    prepare(stage) {
      stage.hosted('10.0.0.1')
      stage.lab.ctdbSays('ip.fails', 'Warning: All nodes are banned.\n')
    },
  },
  {
    name: 'ipreallocated.ctdb-missing',
    event: 'ipreallocated',
    prepare: (stage) => void (stage.lab.env['CTDB'] = '/nowhere/ctdb'),
  },
  {
    name: 'ipreallocated.ctdb-prints-something-else',
    event: 'ipreallocated',
    prepare: (stage) => stage.lab.ctdbSays('ip', 'Public IPs on node 0\n10.0.0.1 0\n'),
  },
  {
    name: 'shutdown.public-addresses-changed',
    event: 'shutdown',
    async prepare(stage) {
      await stage.held('10.0.0.1/24', 'eth0')
      await stage.held('fd00::1/64', 'eth1')
      stage.hosted('10.0.0.1', 'fd00::1')
      stage.lab.configure('public_addresses', '10.0.0.77/24 eth0')
    },
  },
  {
    name: 'ipreallocated.list-lock-busy',
    event: 'ipreallocated',
    async prepare(stage) {
      stage.lab.ctdbSays('ip', '|Public IP|Node|\n|10.0.0.1|0|\n')
      await stage.locked('my-public-ip-addresses.lock')
    },
  },
  {
    name: 'ipreallocated.state-folder-read-only',
    event: 'ipreallocated',
    async prepare(stage) {
      stage.lab.ctdbSays('ip', '|Public IP|Node|\n|10.0.0.1|0|\n')
      await stage.readOnlyState()
    },
  },
  {
    name: 'ipreallocated.no-public-addresses',
    event: 'ipreallocated',
    prepare: (stage) => stage.unconfigure('public_addresses'),
  },
  { name: 'recovered.none-of-our-business', event: 'recovered' },
]
