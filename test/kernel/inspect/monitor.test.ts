/**
 * Monitor on bonds, VLANs and InfiniBand. A kernel without them skips these tests; `npm run test:kernel` boots one that
 * has them.
 */
import { accessSync, constants } from 'node:fs'
import type { Test } from '../../tap.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { whyMissing, whyNoKind } from '../../lab/needs.ts'
import { waitFor } from '../../lab/wait-for.ts'

/** What monitor comes to, and what the daemon is told of the interface. */
async function verdict(
  t: Test,
  lab: Lab,
  iface: string,
  expected: { error?: string },
  when: string,
): Promise<void> {
  const told = lab.ctdbCalls().length
  const result = await lab.script('monitor')
  const { error } = expected
  const errors = lines(result).filter((line) => line.startsWith('ERROR'))
  t.strictSame(errors, error === undefined ? [] : [error], when)
  t.equal(result.status, error === undefined ? 0 : 1, `${when}: exit status`)
  const calls = lab.ctdbCalls().slice(told)
  t.ok(calls.includes(`setifacelink ${iface} ${error === undefined ? 'up' : 'down'}`), calls.join(', '))
}

/** A bond of two cables: eth2 and eth3 of the node, peer2 and peer3 of the observer. */
async function bond(lab: Lab, ...options: string[]): Promise<void> {
  const { node, observer } = lab
  lab.configure('public_addresses', '10.0.0.1/24 bond0\nfd00::1/64 bond0\n')
  lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|bond0|1|0|\n')
  await node.must('ip', 'link', 'add', 'bond0', 'type', 'bond', ...options)
  for (const slave of ['2', '3']) {
    const end = ['peer', 'name', `peer${slave}`, 'netns', String(observer.pid)]
    await node.must('ip', 'link', 'add', `eth${slave}`, 'type', 'veth', ...end)
    await node.must('ip', 'link', 'set', `eth${slave}`, 'master', 'bond0')
    await observer.must('ip', 'link', 'set', `peer${slave}`, 'up')
  }
  await node.must('ip', 'link', 'set', 'bond0', 'up')
}

/** InfiniBand's number among the kernel's types of links (linux/if_arp.h). */
const ARPHRD_INFINIBAND = 32

/**
 * A device of the kernel that says it is InfiniBand: a tap device (linux/if_tun.h: TUNSETIFF) of that type (TUNSETLINK),
 * which stays (TUNSETPERSIST). Nothing holds its other end: it has no carrier, as a port without a subnet manager.
 */
const MAKE_INFINIBAND = `
use Fcntl;
sysopen(my $tun, '/dev/net/tun', O_RDWR) or die "/dev/net/tun: $!";
ioctl($tun, 0x400454ca, pack('a16 s x22', $ARGV[0], 0x1002)) or die "TUNSETIFF: $!";
ioctl($tun, 0x400454cd, ${ARPHRD_INFINIBAND}) or die "TUNSETLINK: $!";
ioctl($tun, 0x400454cb, 1) or die "TUNSETPERSIST: $!";
`

function whyNoTun(): string | undefined {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return whyMissing(['perl'])
  } catch {
    return 'this user has no /dev/net/tun'
  }
}

const cut = (lab: Lab, cable: string) => lab.observer.must('ip', 'link', 'set', cable, 'down')
const repair = (lab: Lab, cable: string) => lab.observer.must('ip', 'link', 'set', cable, 'up')

/** The bond's own report says so: miimon looks ten times a second. */
const reports = (lab: Lab, wanted: RegExp) => says(lab, wanted, 'cat', '/proc/net/bonding/bond0')

/** `ip` says so. The report names the partner of 802.3ad only to the real root. */
const shows = (lab: Lab, wanted: RegExp, iface = 'bond0') =>
  says(lab, wanted, 'ip', '-details', 'link', 'show', 'dev', iface)

async function says(lab: Lab, wanted: RegExp, ...argv: string[]): Promise<void> {
  await waitFor(`${String(wanted)} in ${argv.join(' ')}`, async () =>
    wanted.test(await lab.node.must(...argv)),
  )
}

if (!(await prepareFile())) {
  const noBond = whyNoKind('bond')
  const noVlan = whyNoKind('vlan')

  inLab(
    'a bond with one lost slave is healthy, with both lost it is not, and healthy again when one is back',
    { skip: noBond },
    async (t, lab) => {
      await bond(lab, 'mode', 'active-backup', 'miimon', '100')
      await reports(lab, /^Currently Active Slave: eth2$/m)
      await verdict(t, lab, 'bond0', {}, 'both cables are there')
      await cut(lab, 'peer2')
      await reports(lab, /^Currently Active Slave: eth3$/m)
      await verdict(t, lab, 'bond0', {}, 'one slave is lost: the other is active')
      await cut(lab, 'peer3')
      await reports(lab, /^Currently Active Slave: None$/m)
      const error = 'ERROR: No active slaves for bond device bond0'
      await verdict(t, lab, 'bond0', { error }, 'both slaves are lost')
      await repair(lab, 'peer3')
      await reports(lab, /^Currently Active Slave: eth3$/m)
      await verdict(t, lab, 'bond0', {}, 'one slave is back')
    },
  )

  inLab(
    'a bond without miimon claims to be up: its slaves are looked at, and healthy is what has one',
    { skip: noBond },
    async (t, lab) => {
      await bond(lab, 'mode', 'active-backup')
      await verdict(t, lab, 'bond0', {}, 'both cables are there')
      await cut(lab, 'peer2')
      await cut(lab, 'peer3')
      t.match(await lab.node.must('cat', '/proc/net/bonding/bond0'), /^MII Status: up$/m, 'what it claims')
      const error = 'ERROR: No active slaves for bond device bond0'
      await verdict(t, lab, 'bond0', { error }, 'both slaves are lost')
    },
  )

  inLab(
    '802.3ad with a partner: healthy with one slave lost, not with both',
    { skip: noBond },
    async (t, lab) => {
      const { observer } = lab
      await bond(lab, 'mode', '802.3ad', 'miimon', '100', 'lacp_rate', 'fast')
      const partner = ['mode', '802.3ad', 'miimon', '100']
      await observer.must('ip', 'link', 'add', 'partner', 'type', 'bond', ...partner)
      for (const cable of ['peer2', 'peer3']) {
        await cut(lab, cable)
        await observer.must('ip', 'link', 'set', cable, 'master', 'partner')
      }
      await observer.must('ip', 'link', 'set', 'partner', 'up')
      await shows(lab, /ad_num_ports 2 .*ad_partner_mac (?!00:00:00:00:00:00)/)
      await verdict(t, lab, 'bond0', {}, 'both ends speak LACP')
      await cut(lab, 'peer2')
      await reports(lab, /^Slave Interface: eth2\nMII Status: down$/m)
      await verdict(t, lab, 'bond0', {}, 'one slave is lost')
      await cut(lab, 'peer3')
      await reports(lab, /^Slave Interface: eth3\nMII Status: down$/m)
      await shows(lab, /NO-CARRIER/)
      const error = 'ERROR: public network interface bond0 is down'
      await verdict(t, lab, 'bond0', { error }, 'both slaves are lost')
    },
  )

  inLab(
    'a bond with fewer links than min_links is down although a slave is up',
    { skip: noBond },
    async (t, lab) => {
      await bond(lab, 'mode', '802.3ad', 'miimon', '100', 'min_links', '2')
      await cut(lab, 'peer3')
      await reports(lab, /^Slave Interface: eth3\nMII Status: down$/m)
      await shows(lab, /NO-CARRIER/)
      const error = 'ERROR: No link on the public network interface bond0'
      await verdict(t, lab, 'bond0', { error }, 'one link of two')
    },
  )

  inLab(
    'a VLAN is healthy while the device below has a link, and not when that is lost',
    { skip: noVlan },
    async (t, lab) => {
      await lab.node.must('ip', 'link', 'add', 'link', 'eth0', 'name', 'eth0.7', 'type', 'vlan', 'id', '7')
      await lab.node.must('ip', 'link', 'set', 'eth0.7', 'up')
      lab.configure('public_addresses', '10.0.0.1/24 eth0.7\nfd00::1/64 eth0.7\n')
      lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|eth0.7|1|0|\n')
      await verdict(t, lab, 'eth0.7', {}, 'eth0 has a link')
      await cut(lab, 'port-eth0')
      const error = 'ERROR: No link on the public network interface eth0.7'
      await verdict(t, lab, 'eth0.7', { error }, 'the cable of eth0 is cut')
      await repair(lab, 'port-eth0')
      await verdict(t, lab, 'eth0.7', {}, 'the cable of eth0 is repaired')
      await lab.node.must('ip', 'link', 'set', 'eth0', 'down')
      await verdict(t, lab, 'eth0.7', { error }, 'eth0 is switched off')
    },
  )

  inLab(
    'a VLAN on a bond is judged by the bond: healthy with one slave, not with none',
    { skip: noBond ?? noVlan },
    async (t, lab) => {
      await bond(lab, 'mode', 'active-backup', 'miimon', '100')
      await lab.node.must('ip', 'link', 'add', 'link', 'bond0', 'name', 'bond0.7', 'type', 'vlan', 'id', '7')
      await lab.node.must('ip', 'link', 'set', 'bond0.7', 'up')
      lab.configure('public_addresses', '10.0.0.1/24 bond0.7\n')
      lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|bond0.7|1|0|\n')
      await cut(lab, 'peer2')
      await reports(lab, /^Currently Active Slave: eth3$/m)
      await verdict(t, lab, 'bond0.7', {}, 'one slave is lost')
      await cut(lab, 'peer3')
      await reports(lab, /^Currently Active Slave: None$/m)
      const error = 'ERROR: No active slaves for bond device bond0'
      await verdict(t, lab, 'bond0.7', { error }, 'both slaves are lost')
    },
  )

  inLab(
    'InfiniBand counts as linked, whatever its carrier; switched off it is switched on; gone it is not healthy',
    { skip: whyNoTun() },
    async (t, lab) => {
      const { node } = lab
      lab.configure('public_addresses', '10.0.0.1/24 ib0\nfd00::1/64 ib0\n')
      lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|ib0|1|0|\n')
      await node.must('perl', '-e', MAKE_INFINIBAND, 'ib0')
      await verdict(t, lab, 'ib0', {}, 'it was switched off')
      const shown = await node.must('ip', 'link', 'show', 'dev', 'ib0')
      t.match(shown, /<NO-CARRIER,.*UP.*>[^]*link\/infiniband/, 'what the kernel says of it')
      await verdict(t, lab, 'ib0', {}, 'it has no carrier')

      const taken = await lab.script('takeip', 'ib0', '10.0.0.1', '24')
      t.equal(taken.status, 0, taken.err + taken.out)
      t.match(await node.must('ip', 'addr', 'show', 'to', '10.0.0.1'), /ib0/)
      await verdict(t, lab, 'ib0', {}, 'it has an address')
      const released = await lab.script('releaseip', 'ib0', '10.0.0.1', '24')
      t.equal(released.status, 0, released.err + released.out)
      t.equal(await node.must('ip', 'addr', 'show', 'to', '10.0.0.1'), '')
      await node.must('ip', 'link', 'del', 'ib0')
      const error = 'ERROR: Monitored interface ib0 does not exist'
      await verdict(t, lab, 'ib0', { error }, 'it is gone')
    },
  )

  inLab(
    'takeip puts addresses of both families on a VLAN of a bond, and releaseip takes them away',
    { skip: noBond ?? noVlan },
    async (t, lab) => {
      await bond(lab, 'mode', 'active-backup', 'miimon', '100')
      await lab.node.must('ip', 'link', 'add', 'link', 'bond0', 'name', 'bond0.7', 'type', 'vlan', 'id', '7')
      lab.configure('public_addresses', '10.0.0.1/24 bond0.7\nfd00::1/64 bond0.7\n')
      for (const [ip, bits] of [
        ['10.0.0.1', '24'],
        ['fd00::1', '64'],
      ] as const) {
        const taken = await lab.script('takeip', 'bond0.7', ip, bits)
        t.equal(taken.status, 0, taken.err + taken.out)
        t.match(await lab.node.must('ip', 'addr', 'show', 'to', ip), /bond0\.7@bond0/)
        const released = await lab.script('releaseip', '__none__', ip, bits)
        t.equal(released.status, 0, released.err + released.out)
        t.equal(await lab.node.must('ip', 'addr', 'show', 'to', ip), '')
      }
    },
  )
}
