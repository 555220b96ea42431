/** eth0 by hand, by ifupdown and by dhcpcd. */
import { CONNECT, write, type Group } from './group.ts'
import { BY_HAND, GATEWAY, OWN } from './machine.ts'

const IFUPDOWN = `iface eth0 inet static
  address ${OWN[0]}/24
  gateway ${GATEWAY}
iface eth0 inet6 static
  address ${OWN[1]}/64
  dad-attempts 0
  accept_ra 0`

const DHCPCD = `interface eth0
static ip_address=${OWN[0]}/24
static ip6_address=${OWN[1]}/64
static routers=${GATEWAY}
noipv6rs`
const SUBNET = 'ip -4 route show exact 10.0.0.0/24 table main'

export const BY_HAND_GROUPS: readonly Group[] = [
  {
    name: 'none',
    setup: BY_HAND,
    commands: [{ typed: 'ip link set eth0 down; ip link set eth0 up' }],
    repair: `ip addr replace ${OWN[1]}/64 dev eth0 nodad; ip route replace default via ${GATEWAY} dev eth0`,
    doctor: [],
    // what firewalld and ufw close
    shows: [{ says: "CTDB's port 4379", lines: CONNECT, prints: /^open$/ }],
  },
  {
    name: 'ifupdown',
    setup: `${write('/etc/network/interfaces', IFUPDOWN)}; ip link set eth0 down; ifup --force eth0`,
    commands: [{ typed: 'ifdown eth0' }],
    repair: 'ifdown --force eth0; ifup --force eth0',
    doctor: [['ok', 'eth0', /"ifdown" does not last under CTDB/]],
  },
  {
    name: 'dhcpcd',
    setup: `${write('/etc/dhcpcd.conf', DHCPCD)}; dhcpcd -b eth0`,
    commands: [{ typed: 'dhcpcd --rebind eth0' }, { typed: 'dhcpcd --release eth0' }],
    repair: 'dhcpcd -b eth0 2>/dev/null || dhcpcd --rebind eth0',
    doctor: [],
    shows: [
      {
        says: '`--release` of 10.1 takes the route of the subnet as well',
        of: 'trixie',
        lines: `dhcpcd --release eth0; until_so '[ -z "$(${SUBNET})" ]'; echo "$(${SUBNET}) none"`,
        prints: /^ none$/,
      },
    ],
  },
]
