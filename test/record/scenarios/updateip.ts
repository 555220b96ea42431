import { siblings } from './releaseip.ts'
import { both, type Scenario } from './stage.ts'

export const updateip: readonly Scenario[] = [
  ...both('updateip', 'moves', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.hosted(ip)
    },
  })),
  ...both('updateip', 'moves-with-the-mask-passed', ({ ip, bits, otherBits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${otherBits}`, 'eth0'),
  })),
  ...both('updateip', 'mask-only', ({ ip, bits, otherBits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${otherBits}`, 'eth1'),
  })),
  {
    name: 'updateip.v6-new-interface-has-no-link',
    event: 'updateip eth0 eth2 fd00::1 64',
    async prepare(stage) {
      await stage.node('ip link add eth2 type veth peer name eth3')
      await stage.node('ip link set dev eth2 address 02:00:00:00:00:12')
      await stage.node('ip link set dev eth3 address 02:00:00:00:00:13')
      await stage.held('fd00::1/64', 'eth0')
    },
  },
  ...both('updateip', 'redundant', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth1'),
  })),
  ...both('updateip', 'redundant-for-a-time', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth1', 'valid_lft', '3600', 'preferred_lft', '1800'),
  })),
  {
    // IPv6 has no address on an interface that is down
    name: 'updateip.redundant-interface-down',
    event: 'updateip eth0 eth1 10.0.0.1 24',
    async prepare(stage) {
      await stage.held('10.0.0.1/24', 'eth1')
      await stage.node('ip link set dev eth1 down')
    },
  },
  ...both('updateip', 'redundant-as-the-daemon-says', ({ ip, bits }) => ({
    event: `updateip eth1 eth1 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth1'),
  })),
  ...both('updateip', 'redundant-connections-tickled', ({ ip, bits, client }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth1')
      await stage.connected(ip, 2049, client, [40001])
    },
  })),
  ...both('updateip', 'redundant-by-altname', ({ ip, bits }) => ({
    event: `updateip eth0 storage1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.node('ip link property add dev eth1 altname storage1')
      await stage.held(`${ip}/${bits}`, 'eth1')
    },
  })),
  ...both('updateip', 'on-both', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.held(`${ip}/${bits}`, 'eth1')
    },
  })),
  ...both('updateip', 'new-interface-missing', ({ ip, bits }) => ({
    event: `updateip eth0 eth7 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth0'),
  })),
  ...both('updateip', 'new-interface-down', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.node('ip link set dev eth1 down')
    },
  })),
  ...both('updateip', 'add-fails-and-is-put-back', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle('ip', '"addr add"*eth1*', { before: '@ link del eth1' })
    },
  })),
  ...both('updateip', 'add-hangs', ({ ip, bits }) => ({
    event: `--timeout 2 updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle('ip', '"addr add"*eth1*', { before: 'exec sleep 60' })
    },
  })),
  ...both('updateip', 'add-and-putting-back-fail', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle('ip', '"addr add"*', { before: '@ link del eth1; @ link del eth0' })
    },
  })),
  ...both('updateip', 'no-interface-on-record', ({ ip, bits }) => ({
    event: `updateip __none__ eth1 ${ip} ${bits}`,
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth0'),
  })),
  ...both('updateip', 'held-nowhere', ({ ip, bits }) => ({ event: `updateip eth0 eth1 ${ip} ${bits}` })),
  ...both('updateip', 'connections-tickled', ({ ip, bits, client }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      await stage.connected(ip, 2049, client, [40001])
    },
  })),
  ...both('updateip', 'leftover-rule', (family) => ({
    event: `updateip eth0 eth1 ${family.ip} ${family.bits}`,
    async prepare(stage) {
      await stage.held(`${family.ip}/${family.bits}`, 'eth0')
      await stage.leftoverRule(family, 'eth1')
    },
  })),
  {
    name: 'updateip.v6-duplicate',
    event: 'updateip eth0 eth1 fd00::1 64',
    async prepare(stage) {
      await stage.held('fd00::1/64', 'eth0')
      await stage.observer('ip addr add fd00::1/64 dev lan nodad')
    },
  },
  ...both('updateip', 'delete-fails', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      await stage.held(`${ip}/${bits}`, 'eth0')
      stage.meddle('ip', '"addr del"*', { instead: 'setpriv --bounding-set=-net_admin @ "$@"' })
    },
  })),
  {
    name: 'updateip.sysctls-read-only',
    event: 'updateip eth0 eth1 10.0.0.1 24',
    prepare: siblings,
  },
  ...both('updateip', 'no-privilege', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    as: ['setpriv', '--bounding-set=-net_admin'],
    prepare: (stage) => stage.held(`${ip}/${bits}`, 'eth0'),
  })),
]
