import { both, type Scenario, type Stage } from './stage.ts'

/** In a container that may not change sysctls: two public addresses, and the host's own with all that one can have. */
export async function siblings(stage: Stage): Promise<void> {
  stage.lab.configure('public_addresses', '10.0.0.1/24 eth0,eth1\n10.0.0.2/24 eth0,eth1\n')
  await stage.held('10.0.0.1/24', 'eth0')
  await stage.held('10.0.0.2/24', 'eth0')
  const own = 'label eth0:own metric 77 noprefixroute valid_lft forever preferred_lft 0'
  await stage.node(`ip addr add 10.0.0.3/24 dev eth0 ${own}`)
  await stage.readOnlySysctls()
}

export const releaseip: readonly Scenario[] = [
  ...both('releaseip', 'plain', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.hosted('10.0.0.1', 'fd00::1')
    },
  })),
  ...both('releaseip', 'other-interface', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth1'),
  })),
  ...both('releaseip', 'other-mask', ({ ip, bits, otherBits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${otherBits}`, 'eth0'),
  })),
  ...both('releaseip', 'other-interface-and-mask', ({ ip, bits, otherBits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${otherBits}`, 'eth1'),
  })),
  ...both('releaseip', 'no-interface-on-record', ({ ip, bits }) => ({
    event: `releaseip __none__ ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth0'),
  })),
  ...both('releaseip', 'held-nowhere', ({ ip, bits }) => ({ event: `releaseip eth0 ${ip} ${bits}` })),
  ...both('releaseip', 'held-nowhere-but-blocked', (family) => ({
    event: `releaseip __none__ ${family.ip} ${family.bits}`,
    prepare: (stage) => stage.leftoverRule(family, 'eth0'),
  })),
  ...both('releaseip', 'by-altname', ({ ip, bits }) => ({
    event: `releaseip storage0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.node('ip link property add dev eth0 altname storage0')
      await stage.held(`${ip}/${bits}`, 'eth0')
    },
  })),
  ...both('releaseip', 'name-with-parent', ({ ip, bits }) => ({
    event: `releaseip eth0@if5 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth0'),
  })),
  ...both('releaseip', 'on-two-interfaces', ({ ip, bits, otherBits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.held(`${ip}/${otherBits}`, 'eth1')
    },
  })),
  ...both('releaseip', 'connections-ended-by-ss', ({ ip, bits, client }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.connected(ip, 2049, client, [40001, 40002])
    },
  })),
  ...both('releaseip', 'connections-ended-by-ss-only', ({ ip, bits, client }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      stage.options('CTDB_KILLTCP_USE_SS_KILL=yes\n')
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.connected(ip, 2049, client, [40001])
    },
  })),
  ...both('releaseip', 'connections-ended-by-killtcp', ({ ip, bits, client }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      stage.options('CTDB_KILLTCP_USE_SS_KILL=no\n')
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.connected(ip, 2049, client, [40001])
      await stage.connected(ip, 445, client, [40002])
    },
  })),
  ...both('releaseip', 'connections-ss-ends-none', ({ ip, bits, client }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      stage.options('CTDB_KILLTCP_USE_SS_KILL=try\n')
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.connected(ip, 2049, client, [40001])
      // a kernel without CONFIG_INET_DIAG_DESTROY
      stage.meddle('ss', '*-K*', { before: 'exit 0' })
    },
  })),
  ...both('releaseip', 'connections-remain', ({ ip, bits, client }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      stage.options('CTDB_KILLTCP_USE_SS_KILL=yes\n')
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.connected(ip, 2049, client, [40001, 40002])
      stage.meddle('ss', '*-K*', { before: 'exit 0' })
    },
  })),
  ...both('releaseip', 'leftover-rule', (family) => ({
    event: `releaseip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      await stage.leftoverRule(family, 'eth0')
    },
  })),
  ...both('releaseip', 'leftover-rule-marked', (family) => ({
    event: `releaseip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      await stage.leftoverRule(family, 'eth0', { marked: true })
    },
  })),
  ...both('releaseip', 'rule-of-the-admin', (family) => ({
    event: `releaseip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      await stage.leftoverRule(family, 'eth7')
    },
  })),
  ...both('releaseip', 'firewall-busy', (family) => ({
    event: `releaseip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      await stage.firewallBusy(family)
    },
  })),
  ...both('releaseip', 'rule-stays', ({ ip, bits, iptables }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle(iptables, '*" -D "*', { instead: 'setpriv --bounding-set=-net_admin @ "$@"' })
    },
  })),
  ...both('releaseip', 'iptables-missing', ({ ip, bits, iptables }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.without(iptables)
    },
  })),
  ...both('releaseip', 'iptables-legacy', (family) => ({
    event: `releaseip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      const legacy = `${family.iptables}-legacy`
      stage.standIn(family.iptables, `exec ${legacy} "$@"\n`)
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      await stage.leftoverRule(family, 'eth0')
    },
  })),
  ...both('releaseip', 'delete-hangs', ({ ip, bits }) => ({
    event: `--timeout 2 releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle('ip', '"addr del"*', { before: 'exec sleep 60' })
    },
  })),
  ...both('releaseip', 'ss-missing', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.without('ss')
    },
  })),
  ...both('releaseip', 'public-addresses-dangling', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.dangling('public_addresses')
    },
  })),
  ...both('releaseip', 'options-dangling', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.dangling('script.options')
    },
  })),
  ...both('releaseip', 'delete-fails', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle('ip', '"addr del"*', { instead: 'setpriv --bounding-set=-net_admin @ "$@"' })
    },
  })),
  ...both('releaseip', 'gone-meanwhile', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle('ip', '"addr del"*', { before: `@ addr del ${ip}/${bits} dev eth0` })
    },
  })),
  ...both('releaseip', 'interface-gone-meanwhile', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle('ip', '"addr del"*', { before: '@ link del eth0' })
    },
  })),
  ...both('releaseip', 'others-of-the-subnet', ({ ip, bits, neighbour }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.held(`${neighbour}/${bits}`, 'eth0')
    },
  })),
  {
    name: 'releaseip.promote-secondaries-set-already',
    event: 'releaseip eth0 10.0.0.1 24',
    async prepare(stage) {
      await stage.sysctl('net/ipv4/conf/eth0/promote_secondaries', '1')
      await stage.held('10.0.0.1/24', 'eth0')
    },
  },
  {
    name: 'releaseip.sysctls-read-only',
    event: 'releaseip eth0 10.0.0.1 24',
    prepare: siblings,
  },
  {
    name: 'releaseip.sysctls-read-only-not-the-first',
    event: 'releaseip eth0 10.0.0.2 24',
    prepare: siblings,
  },
  {
    name: 'releaseip.sysctls-read-only-promoted-for-all',
    event: 'releaseip eth0 10.0.0.1 24',
    async prepare(stage) {
      await stage.sysctl('net/ipv4/conf/all/promote_secondaries', '1')
      await siblings(stage)
    },
  },
  {
    name: 'releaseip.sysctls-read-only-sibling-not-put-back',
    event: 'releaseip eth0 10.0.0.1 24',
    async prepare(stage) {
      await siblings(stage)
      const elsewhere = String.raw`sed "s/^\(addr add 10.0.0.3.24 dev\) eth0/\1 nosuch0/"`
      stage.meddle('ip', '*-batch*', { instead: `${elsewhere} | @ "$@"` })
    },
  },
  {
    name: 'releaseip.sysctls-read-only-gone-meanwhile',
    event: 'releaseip eth0 10.0.0.1 24',
    async prepare(stage) {
      await siblings(stage)
      stage.meddle('ip', '*-batch*', { before: '@ addr del 10.0.0.1/24 dev eth0' })
    },
  },
  {
    name: 'releaseip.sysctls-read-only-delete-fails',
    event: 'releaseip eth0 10.0.0.1 24',
    async prepare(stage) {
      await siblings(stage)
      stage.meddle('ip', '*-batch*', { instead: 'setpriv --bounding-set=-net_admin @ "$@"' })
    },
  },
  ...both('releaseip', 'no-privilege', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    as: ['setpriv', '--bounding-set=-net_admin'],
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth0'),
  })),
  {
    name: 'releaseip.firewall-lock-busy',
    event: 'releaseip eth0 10.0.0.1 24',
    async prepare(stage) {
      await stage.held('10.0.0.1/24', 'eth0')
      await stage.locked('iptables.flock')
    },
  },
  ...both('releaseip', 'state-folder-read-only', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.hosted(ip)
      await stage.readOnlyState()
    },
  })),
  ...both('releaseip', 'no-public-addresses', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.unconfigure('public_addresses')
    },
  })),
]
