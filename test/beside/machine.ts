/**
 * A booted Debian with the programs that manage a network beside us, ctdbd as the only node of a cluster, and public
 * addresses, rules and routes of both families on eth0. The other end of eth0 is in a namespace of the machine, `far`.
 */
import { boot, OURS, rootWithSystemd, type Booted } from '../lab/ctdb/booted.ts'

const PACKAGES = ['network-manager', 'netplan.io', 'firewalld', 'ufw', 'nftables', 'ifupdown']
/** For the long form alone: they make the chroot larger by half. */
export const MORE_PACKAGES = ['dhcpcd-base', 'docker.io', 'docker-cli', 'busybox-static']

/** What ctdbd and our handlers give eth0. */
export const PUBLIC = ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2']
/** What the manager of eth0 gives it: the node's own addresses, and the gateway of its own default route. */
export const OWN = ['10.0.0.99', 'fd00::99']
export const GATEWAY = '10.0.0.254'

const POLICY = `CTDB_PER_IP_ROUTING_CONF=/etc/ctdb/policy_routing
CTDB_PER_IP_ROUTING_RULE_PREF=100
CTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000
CTDB_PER_IP_ROUTING_TABLE_ID_HIGH=9000`

/** udevd does not run in a container: netplan's udevadm would fail. CTDB's times are shorter than its own. */
const SETUP = `
ip link set lo up
printf '#!/bin/sh\\nexit 0\\n' >/usr/local/sbin/udevadm; chmod 755 /usr/local/sbin/udevadm
ip netns add far
ip link add priv type veth peer name priv-far; ip link set priv up; ip link set priv-far up
ip link add eth0 type veth peer name eth0-far netns far
ip -n far link set eth0-far up
ip -n far addr add ${GATEWAY}/24 dev eth0-far; ip -n far addr add fd00::254/64 dev eth0-far nodad
ip link set eth0 up
ip addr add 10.1.0.1/24 dev priv
printf '[keyfile]\\nunmanaged-devices=interface-name:priv*\\n' >/etc/NetworkManager/conf.d/priv.conf
cd /etc/ctdb
echo 10.1.0.1 >nodes
for i in 10.0.0.1/24 10.0.0.2/24 fd00::1/64 fd00::2/64; do echo "$i eth0"; done >public_addresses
printf '[logging]\\n location = syslog\\n[cluster]\\n leader timeout = 3\\n[legacy]\\n realtime scheduling = false\\n' >ctdb.conf
printf 'RerecoveryTimeout=1\\nElectionTimeout=1\\nMonitorInterval=5\\n' >ctdb.tunables
echo '${POLICY}' >script.options
printf '%s\\n' '10.0.0.1 0.0.0.0/0 ${GATEWAY}' 'fd00::1 ::/0 fd00::254' >policy_routing
printf 'eth0 10.77.0.0/16 ${GATEWAY}\\neth0 fd77::/64 fd00::254\\n' >static-routes
mkdir -p /etc/systemd/system/ctdb.service.d
printf '[Service]\\nRuntimeDirectory=ctdb samba/ctdb\\n' >/etc/systemd/system/ctdb.service.d/runtime.conf
systemctl daemon-reload
${OURS}/dist/runner/main.js install --eventd 10.interface 11.routing 13.per_ip_routing
systemctl start ctdb`

/** Without any of the programs; eth0 keeps nothing that they gave it. */
export const ALONE = `
for i in NetworkManager systemd-networkd.socket systemd-networkd firewalld docker.socket docker; do systemctl stop $i 2>/dev/null || true; done
ufw --force disable >/dev/null 2>&1 || true
dhcpcd -x >/dev/null 2>&1 || true
ip link del docker0 2>/dev/null || true
sysctl -qw net.ipv4.ip_forward=0
nft flush ruleset
sed -i /NATGW/d /etc/ctdb/script.options 2>/dev/null || true
rm -rf /etc/systemd/network/* /etc/systemd/networkd.conf.d /run/systemd/network/* /etc/netplan/* /etc/network/interfaces /etc/dhcpcd.conf /etc/NetworkManager/system-connections/* /etc/NetworkManager/conf.d/eventscript-*
[ ! -e /run/netns/far ] || { ip -n far link set eth0-far up; ip link set eth0 up; }
${OWN.map((own) => `ip addr del ${own}/${own.includes(':') ? 64 : 24} dev eth0 2>/dev/null || true`).join('\n')}
ip route del default dev eth0 2>/dev/null || true`

/** eth0 as its admin would have it by hand. */
export const BY_HAND = `
ip addr add ${OWN[0]}/24 dev eth0; ip addr add ${OWN[1]}/64 dev eth0 nodad
ip route add default via ${GATEWAY} dev eth0`

/** `seconds` is all that it lives. Or why no such machine can be had. */
export async function besideMachine(
  release: string,
  seconds: number,
  more: readonly string[],
): Promise<Booted | { why: string }> {
  const had = await rootWithSystemd(release, [...PACKAGES, ...more])
  if ('why' in had) return had
  const node = await boot(had.root, seconds)
  try {
    await node.sh(ALONE)
    await node.sh(SETUP)
    return node
  } catch (error) {
    await node.close()
    throw error
  }
}
