import { join } from 'node:path'
import { both, type Scenario } from './stage.ts'

export const takeip: readonly Scenario[] = [
  ...both('takeip', 'plain', ({ ip, bits }) => ({ event: `takeip eth0 ${ip} ${bits}` })),
  ...both('takeip', 'other-mask-than-listed', ({ ip, otherBits }) => ({
    event: `takeip eth0 ${ip} ${otherBits}`,
  })),
  ...both('takeip', 'interface-down', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.node('ip link set dev eth0 down'),
  })),
  ...both('takeip', 'public-addresses-dangling', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.dangling('public_addresses'),
  })),
  ...both('takeip', 'interface-missing', ({ ip, bits }) => ({ event: `takeip eth7 ${ip} ${bits}` })),
  ...both('takeip', 'by-altname', ({ ip, bits }) => ({
    event: `takeip storage0 ${ip} ${bits}`,
    prepare: (stage) => stage.node('ip link property add dev eth0 altname storage0'),
  })),
  ...both('takeip', 'already-there', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.hosted(ip)
    },
  })),
  ...both('takeip', 'already-there-for-a-time', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0', 'valid_lft', '3600', 'preferred_lft', '1800')
      stage.hosted(ip)
    },
  })),
  ...both('takeip', 'already-there-other-prefix', ({ ip, bits, otherBits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${otherBits}`, 'eth0'),
  })),
  ...both('takeip', 'already-there-other-interface', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth1'),
  })),
  ...both('takeip', 'already-there-twice', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.held(`${ip}/${bits}`, 'eth1')
    },
  })),
  ...both('takeip', 'already-on-two-others', ({ ip, bits, otherBits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${otherBits}`, 'eth0')
      await stage.held(`${ip}/${bits}`, 'eth1')
    },
  })),
  {
    name: 'takeip.v6-mtu-too-small',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) => stage.node('ip link set dev eth0 mtu 1000'),
  },
  {
    name: 'takeip.v6-duplicate',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) => stage.observer('ip addr add fd00::1/64 dev lan nodad'),
  },
  {
    name: 'takeip.v6-was-duplicate',
    event: 'takeip eth0 fd00::1 64',
    async prepare(stage) {
      await stage.observer('ip addr add fd00::1/64 dev lan nodad')
      await stage.node('ip addr add fd00::1/64 dev eth0')
      await stage.until('ip addr show dev eth0', 'dadfailed')
      await stage.observer('ip addr del fd00::1/64 dev lan')
    },
  },
  {
    name: 'takeip.v6-still-duplicate',
    event: 'takeip eth0 fd00::1 64',
    async prepare(stage) {
      await stage.observer('ip addr add fd00::1/64 dev lan nodad')
      await stage.node('ip addr add fd00::1/64 dev eth0')
      await stage.until('ip addr show dev eth0', 'dadfailed')
    },
  },
  {
    name: 'takeip.v6-vanished',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) => stage.meddle('ip', '"addr add"*', { after: '@ addr del fd00::1/64 dev eth0' }),
  },
  {
    name: 'takeip.v6-removed-once',
    event: 'takeip eth0 fd00::1 64',
    prepare(stage) {
      const once = join(stage.lab.dir, 'once')
      const after = `[ -e ${once} ] || { : >${once}; @ addr del fd00::1/64 dev eth0; }`
      stage.meddle('ip', '"addr add"*', { after })
    },
  },
  {
    name: 'takeip.v6-tentative-too-long',
    event: 'takeip eth2 fd00::1 64',
    async prepare(stage) {
      // without a link from the beginning the kernel does not even start its check
      await stage.node('ip link add eth2 type veth peer name eth3')
      await stage.node('ip link set dev eth2 address 02:00:00:00:00:12')
      await stage.node('ip link set dev eth3 address 02:00:00:00:00:13')
    },
  },
  {
    name: 'takeip.v6-switched-off',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) => stage.sysctl('net/ipv6/conf/eth0/disable_ipv6', '1'),
  },
  ...both('takeip', 'somebody-adds-it-first', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.meddle('ip', '"addr add"*', { before: `@ addr add ${ip}/${bits} dev eth0` }),
  })),
  {
    // IPv4 has both prefixes then
    name: 'takeip.v6-somebody-adds-it-first-with-other-prefix',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) => stage.meddle('ip', '"addr add"*', { before: `@ addr add fd00::1/72 dev eth0` }),
  },
  ...both('takeip', 'interface-vanishes', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.meddle('ip', '"addr add"*', { before: '@ link del eth0' }),
  })),
  ...both('takeip', 'no-privilege', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    as: ['setpriv', '--bounding-set=-net_admin'],
  })),
  ...both('takeip', 'add-not-permitted', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    // a container may show the capability and still be refused
    prepare: (stage) =>
      stage.meddle('ip', '"addr add"*', { instead: 'setpriv --bounding-set=-net_admin @ "$@"' }),
  })),
  ...both('takeip', 'leftover-rule', (family) => ({
    event: `takeip eth0 ${family.ip} ${family.bits}`,
    prepare: (stage) => stage.leftoverRule(family, 'eth0'),
  })),
  ...both('takeip', 'leftover-rule-on-other-interface', (family) => ({
    event: `takeip eth0 ${family.ip} ${family.bits}`,
    prepare: (stage) => stage.leftoverRule(family, 'eth1'),
  })),
  ...both('takeip', 'leftover-rule-marked', (family) => ({
    event: `takeip eth0 ${family.ip} ${family.bits}`,
    prepare: (stage) => stage.leftoverRule(family, 'eth7', { marked: true }),
  })),
  ...both('takeip', 'rule-of-the-admin', (family) => ({
    event: `takeip eth0 ${family.ip} ${family.bits}`,
    prepare: (stage) => stage.leftoverRule(family, 'eth7'),
  })),
  ...both('takeip', 'firewall-busy', (family) => ({
    event: `takeip eth0 ${family.ip} ${family.bits}`,
    prepare: (stage) => stage.firewallBusy(family),
  })),
  ...both('takeip', 'iptables-missing', ({ ip, bits, iptables }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.without(iptables),
  })),
  {
    name: 'takeip.arping-missing',
    event: 'takeip eth0 10.0.0.1 24',
    prepare: (stage) => stage.without('arping'),
  },
  {
    name: 'takeip.v6-ndsend-there',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) => stage.standIn('ndsend', 'exit 0\n'),
  },
  {
    name: 'takeip.v6-ndsend-and-ndptool-missing',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) => stage.without('ndptool'),
  },
  ...both('takeip', 'announce-no', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.options('EVENTSCRIPT_ANNOUNCE=no\n'),
  })),
  ...both('takeip', 'on-loopback', ({ ip, bits }) => ({ event: `takeip lo ${ip} ${bits}` })),
  {
    name: 'takeip.list-lock-busy',
    event: 'takeip eth0 10.0.0.1 24',
    prepare: (stage) => stage.locked('my-public-ip-addresses.lock'),
  },
  {
    name: 'takeip.v6-list-lock-busy',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) => stage.locked('my-public-ip-addresses.lock'),
  },
  ...both('takeip', 'leftover-rule-and-lock-busy', (family) => ({
    event: `takeip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await stage.leftoverRule(family, 'eth0')
      await stage.locked('iptables.flock')
    },
  })),
  ...both('takeip', 'state-folder-read-only', (family) => ({
    event: `takeip eth0 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await stage.leftoverRule(family, 'eth0')
      stage.state('tickles/reported', '10.0.0.7\n')
      await stage.readOnlyState()
    },
  })),
  ...both('takeip', 'tickles-reported-before', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.state('tickles/reported', '10.0.0.7\n10.0.0.254:40001 10.0.0.7:445\n'),
  })),
  ...both('takeip', 'no-public-addresses', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.unconfigure('public_addresses'),
  })),
  ...both('takeip', 'ip-missing', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => stage.without('ip'),
  })),
]
