/** What filters packets: firewalld, ufw, docker. */
import { CONNECT, type Group, type Shown } from './group.ts'
import { BY_HAND, PUBLIC } from './machine.ts'

const closed = (says: string): Shown => ({ says, lines: CONNECT, prints: /^closed$/ })

/** A container that says hello on that port; its image is busybox alone. */
const RUN =
  'docker run -d --rm -p 445:445 box /bin/busybox nc -ll -p 445 -e /bin/busybox echo hello of the container'
const PUBLISHED = `sysctl -qw net.ipv4.ip_forward=0; systemctl start docker
mkdir -p /root/box/bin; cp /bin/busybox /root/box/bin; tar c -C /root/box . | docker import - box; ${RUN}`
const HEAR = `ip netns exec far timeout 3 bash -c "cat </dev/tcp/${PUBLIC[0]}/445"`

export const FIREWALLS: readonly Group[] = [
  {
    name: 'firewalld',
    setup: `${BY_HAND}; systemctl start firewalld`,
    commands: [{ typed: 'firewall-cmd --reload', short: true }, { typed: 'systemctl restart firewalld' }],
    doctor: [
      ['error', 'priv', /^the zone "public", of the private address/],
      ['warning', '/etc/firewalld/firewalld.conf', /^IPv6_rpfilter=strict/],
    ],
    shows: [closed("lets nobody connect to CTDB's port 4379 in its default zone `public`")],
    short: true,
  },
  {
    name: 'ufw',
    setup: `${BY_HAND}; ufw --force enable`,
    commands: [{ typed: 'ufw reload' }],
    shows: [closed('drops port 4379 as well')],
    doctor: [['error', 'priv', /^ufw is active and no rule lets port 4379\/tcp in/]],
  },
  {
    name: 'docker',
    setup: `${BY_HAND}; ${PUBLISHED}; echo CTDB_NATGW_PUBLIC_IP=10.0.0.98/24 >>/etc/ctdb/script.options`,
    commands: [{ typed: 'systemctl restart docker' }],
    doctor: [
      ['warning', 'tcp/445', /^docker publishes it on every local address/],
      ['warning', 'FORWARD', /^its policy is DROP/],
    ],
    isAdvice: true,
    shows: [
      {
        says: 'for every local address, public ones too',
        // a restart of dockerd ends its containers
        lines: `docker ps -q | grep -q . || ${RUN}; until_so '${HEAR} | grep hello'`,
        prints: /^hello of the container$/m,
      },
    ],
  },
]
