import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DIST } from '../../lab/paths.ts'
import type { Edited } from '../edited.ts'

const LINKS = 'ask ip -json -details link show'
const ADDRESSES = 'ask ip -json addr show'

/** What the real tools printed, recorded in namespaces and in a user-mode Linux. */
function printed(file: string): string {
  return readFileSync(join(DIST, '../fixtures/ip', file), 'utf8')
}

/** monitor where the public addresses are on `iface`, and the links are as recorded in `state`. */
function links(name: string, iface: string, state: string, more: Edited['answers'] = {}): Edited {
  return {
    name: `monitor.${name}`,
    from: 'monitor.all-up',
    why: `public addresses on ${iface}, links as in fixtures/ip/${state}: no such device on the recording machine`,
    event: 'monitor',
    answers: {
      'read /lab/etc/public_addresses': { out: `10.0.0.1/24 ${iface}\nfd00::1/64 ${iface}\n` },
      'ask /lab/bin/ctdb -X ifaces': { out: `|Name|LinkStatus|References|\n|${iface}|1|0|\n` },
      [LINKS]: { out: printed(state) },
      ...more,
    },
  }
}

/** The same on a bond, or on something built on one. */
function bond(name: string, state: string, iface = 'bond0', kind = 'bond-'): Edited {
  return links(name, iface, `link-show.${kind}${state}.json`, {
    'read /proc/net/bonding/bond0': { out: printed(`bonding.${kind}${state}.txt`) },
  })
}

/** As `ip` before 4.14 answers. */
const TOO_OLD = { status: 255, err: 'Option "-json" is unknown, try "ip -help".\n' }

const tooOld = (event: string, from: string, asked: string): Edited => ({
  name: `${event}.ip-too-old`,
  from,
  why: 'an ip that does not know -json, as before 4.14: the text is that of iproute2 6.1 for an unknown option',
  answers: { [asked]: TOO_OLD },
})

const unexpected = (event: string, from: string, ...asked: string[]): Edited => ({
  name: `${event}.ip-prints-something-else`,
  from,
  why: 'ip prints a table instead of JSON, as a wrapper in its place may',
  answers: Object.fromEntries(asked.map((line) => [line, { out: printed('addr-show.veth.txt') }])),
})

/** ctdb 4.18 and later. */
const TICKLES = '|Source IP|Port|Destination IP|Port|\n'

export const edited: readonly Edited[] = [
  bond('bond', 'active-backup'),
  bond('bond-no-active-slave', 'active-backup-no-active'),
  bond('bond-without-slaves', 'active-backup-no-slaves'),
  bond('bond-failed-over', 'active-backup-failed-over'),
  bond('bond-switched-off', 'active-backup-admin-down'),
  bond('bond-without-miimon', 'without-miimon'),
  bond('bond-round-robin', 'balance-rr'),
  bond('bond-round-robin-all-slaves-down', 'balance-rr-all-down'),
  bond('bond-802.3ad', '802.3ad'),
  bond('bond-802.3ad-one-slave-down', '802.3ad-one-down'),
  bond('bond-802.3ad-all-slaves-down', '802.3ad-all-down'),
  bond('bond-802.3ad-too-few-links', '802.3ad-min-links'),
  bond('bond-802.3ad-no-partner', '802.3ad-no-partner'),
  bond('bond-802.3ad-without-slaves', '802.3ad-no-slaves'),
  bond('vlan-on-bond', 'vlan', 'bond0.100', ''),
  bond('vlan-on-bond-without-slaves', 'vlan-no-carrier', 'bond0.100', ''),
  bond('vlan-on-bond-switched-off', 'vlan-lower-down', 'bond0.100', ''),
  links('vlan', 'eth0.100', 'link-show.vlan.json'),
  links('vlan-on-lost-link', 'eth0.100', 'link-show.vlan-no-carrier.json'),
  links('vlan-on-device-switched-off', 'eth0.100', 'link-show.vlan-lower-down.json'),
  links('infiniband', 'ib0', 'link-show.infiniband.edited.json'),
  links('links-of-an-old-ip', 'eth0', 'link-show.old-ip.edited.json'),
  tooOld('monitor', 'monitor.all-up', LINKS),
  tooOld('takeip', 'takeip.plain', ADDRESSES),
  tooOld('releaseip', 'releaseip.plain', 'ask ip -json addr show to 10.0.0.1'),
  tooOld('init', 'init.leftovers', ADDRESSES),
  unexpected('monitor', 'monitor.all-up', LINKS, 'ask ip -json link show'),
  unexpected('takeip', 'takeip.plain', ADDRESSES),
  unexpected('releaseip', 'releaseip.plain', 'ask ip -json addr show to 10.0.0.1'),
  unexpected('shutdown', 'shutdown.leftovers', ADDRESSES),
  {
    name: 'takeip.addresses-of-an-old-ip',
    from: 'takeip.plain',
    why: 'addresses without the keys that an old ip does not print',
    answers: { [ADDRESSES]: { out: printed('addr-show.old-ip.edited.json') } },
  },
  {
    name: 'monitor.tickles-of-a-later-ctdb',
    from: 'monitor.tickles-known',
    why: 'the header of gettickles as ctdb spells it after 4.17',
    answers: {
      'ask /lab/bin/ctdb -X gettickles 10.0.0.1': {
        out: `${TICKLES}|10.0.0.254|40001|10.0.0.1|2049|\n`,
      },
    },
  },
  {
    name: 'monitor.tickles-in-an-unknown-table',
    from: 'monitor.tickles-known',
    why: 'a table of gettickles without the columns that we know',
    answers: {
      'ask /lab/bin/ctdb -X gettickles 10.0.0.1': { out: '|From|To|\n|10.0.0.254|10.0.0.1|\n' },
    },
  },
  {
    name: 'takeip.add-file-exists',
    from: 'takeip.v6-somebody-adds-it-first-with-other-prefix',
    why: 'the message of kernels before 6.3, recorded in fixtures/ip on a 6.1',
    answers: {
      'change ip addr add fd00::1/64 dev eth0': {
        status: 2,
        err: printed('error.add-v6-present-other-prefix.kernel-6.1.txt'),
      },
    },
  },
  {
    name: 'releaseip.v6-gone-meanwhile-kernel-6.1',
    from: 'releaseip.v6-gone-meanwhile',
    why: 'the message of a kernel 6.1, recorded in fixtures/ip',
    answers: {
      'change ip addr del fd00::1/64 dev eth0': {
        status: 2,
        err: printed('error.del-v6-absent.kernel-6.1.txt'),
      },
    },
  },
  {
    name: 'takeip.retrans-time-missing',
    from: 'takeip.v6-plain',
    why: 'a kernel without the sysctls that tell how long duplicate address detection takes',
    answers: {
      'read /proc/sys/net/ipv6/conf/eth0/dad_transmits': undefined,
      'read /proc/sys/net/ipv6/conf/eth0/router_solicitation_delay': undefined,
      'read /proc/sys/net/ipv6/neigh/eth0/retrans_time_ms': undefined,
    },
  },
  {
    name: 'releaseip.ss-fails',
    from: 'releaseip.connections-ended-by-ss',
    why: 'a kernel without inet_diag, where ss cannot list anything',
    answers: {
      "ask ss -tnH state established src '[10.0.0.1]'": {
        status: 255,
        err: 'Cannot open netlink socket: Protocol not supported\n',
      },
    },
  },
]
