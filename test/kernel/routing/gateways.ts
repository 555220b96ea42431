/** Where packets go: two gateways beside the node, and a host beyond both. */
import type { Host } from '../../lab/host/host.ts'
import type { Lab } from '../../lab/lab.ts'
import type { Family } from './routing-lab.ts'

export const RIGHT = { one: '3 answers, forwarded 6 and 0', other: '3 answers, forwarded 0 and 6' }
/** The requests by the second gateway, the answers by the first. */
export const ASTRAY = '3 answers, forwarded 3 and 3'

/**
 * Two gateways on the node's wire, and a host beyond both of them that answers each public address by the gateway that
 * address is meant to use. The node's own default route is the second gateway.
 */
export async function withGateways(lab: Lab, of: Family): Promise<readonly [Host, Host]> {
  const { one, other, gateways, wans, far, bits, option } = of
  const nodad = option === '-6' ? ['nodad'] : []
  const farHost = await lab.plugIn('far')
  await farHost.must('ip', 'link', 'set', 'eth0', 'down')
  await farHost.must('ip', 'addr', 'add', `${far}/${option === '-6' ? 128 : 32}`, 'dev', 'lo')
  const hosts: Host[] = []
  for (const [i, gateway] of gateways.entries()) {
    const host = await lab.plugIn(`gw${i}`)
    await host.must('ip', 'addr', 'add', `${gateway}/${bits}`, 'dev', 'eth0', ...nodad)
    const end = ['peer', 'name', `wan${i}`, 'netns', String(farHost.pid)]
    await host.must('ip', 'link', 'add', 'wan', 'type', 'veth', ...end)
    await host.must('ip', 'link', 'set', 'wan', 'up')
    await farHost.must('ip', 'link', 'set', `wan${i}`, 'up')
    await host.must('ip', 'addr', 'add', `${wans[i]}1/${bits}`, 'dev', 'wan', ...nodad)
    await farHost.must('ip', 'addr', 'add', `${wans[i]}2/${bits}`, 'dev', `wan${i}`, ...nodad)
    await host.writeSysctl(option === '-6' ? 'net/ipv6/conf/all/forwarding' : 'net/ipv4/ip_forward', 1)
    await host.must('ip', 'route', 'add', of.farNet, 'via', `${wans[i]}2`)
    await farHost.must('ip', 'route', 'add', i === 0 ? one : other, 'via', `${wans[i]}1`, 'dev', `wan${i}`)
    // a gateway sends what is for a public address back by its own wire, wherever the far host sent it from
    if (option === '-4') await host.writeSysctl('net/ipv4/conf/all/rp_filter', 0)
    hosts.push(host)
  }
  await lab.node.must('ip', option, 'route', 'add', 'default', 'via', gateways[1], 'dev', 'eth0')
  return [hosts[0]!, hosts[1]!]
}

/** How many packets a host has forwarded so far, by its kernel's own counters. */
async function forwarded(host: Host, { option }: Family): Promise<number> {
  if (option === '-6') {
    const text = await host.must('cat', '/proc/net/snmp6')
    return Number(/^Ip6OutForwDatagrams\s+(\d+)$/m.exec(text)?.[1])
  }
  const [names, values] = (await host.must('cat', '/proc/net/snmp'))
    .split('\n')
    .filter((line) => /^Ip:/.test(line))
  return Number(values?.split(' ')[names?.split(' ').indexOf('ForwDatagrams') ?? -1])
}

/**
 * Three pings from that address to the far host: how many were answered, and what has each gateway forwarded? The answers
 * to the first address come by the first gateway, those to the other by the second.
 */
export async function ping(
  lab: Lab,
  of: Family,
  from: string,
  gateways: readonly [Host, Host],
): Promise<string> {
  const before = await Promise.all(gateways.map((host) => forwarded(host, of)))
  const { out, err } = await lab.node.run('perl', '-e', PING, from, of.far)
  const after = await Promise.all(gateways.map((host) => forwarded(host, of)))
  const counts = after.map((count, i) => count - before[i]!)
  return `${out || err.trim()} answers, forwarded ${counts.join(' and ')}`
}

/** Echo requests from one address to another, three; prints how many were answered. A machine may lack ping(8). */
const PING = `use Socket qw(:all);
my ($from, $to) = @ARGV;
my $six = $to =~ /:/;
my $family = $six ? AF_INET6 : AF_INET;
my $at = sub { $six ? pack_sockaddr_in6(0, inet_pton($family, $_[0])) : pack_sockaddr_in(0, inet_pton($family, $_[0])) };
socket(my $s, $family, SOCK_RAW, $six ? 58 : 1) or die "socket: $!\\n";
bind($s, $at->($from)) or die "bind $from: $!\\n";
my $answers = 0;
for my $number (1 .. 3) {
  my $echo = pack("C2n3", $six ? 128 : 8, 0, 0, $$ & 65535, $number);
  my $sum = 0;
  $sum += $_ for unpack("n*", $echo);
  $sum = ($sum & 65535) + ($sum >> 16);
  substr($echo, 2, 2) = pack("n", ~$sum & 65535) unless $six;
  send($s, $echo, 0, $at->($to)) or die "send: $!\\n";
  my $until = time + 2;
  while (time < $until) {
    vec(my $ready = "", fileno($s), 1) = 1;
    next unless select($ready, undef, undef, 0.2);
    recv($s, my $reply, 1500, 0);
    $reply = substr($reply, 20) unless $six;
    my ($type, undef, undef, $id, $n) = unpack("C2n3", $reply);
    next unless $type == ($six ? 129 : 0) && $id == ($$ & 65535) && $n == $number;
    $answers++;
    last;
  }
}
print $answers`
