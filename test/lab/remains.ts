/** Everything on a node that an event of ours may change and has to give back; and the way back to a node without it. */
import type { Lab } from './lab.ts'

const SYSCTLS = [
  'ipv4/conf/all/arp_ignore',
  ...['eth0', 'eth1'].flatMap((iface) => [
    `ipv6/conf/${iface}/router_solicitation_delay`,
    `ipv6/conf/${iface}/dad_transmits`,
    `ipv6/conf/${iface}/optimistic_dad`,
    `ipv6/neigh/${iface}/retrans_time_ms`,
  ]),
]

/** What an event makes of these is meant to stay. */
const LASTING = [
  'ipv4/conf/all/arp_filter',
  ...['eth0', 'eth1'].flatMap((iface) => [
    `ipv4/conf/${iface}/promote_secondaries`,
    `ipv6/conf/${iface}/ndisc_notify`,
  ]),
]

/** Everything that an event may change and has to give back, and the files that it leaves; locks, the history and counts of repairs are none. */
const LOOK = `ip -o addr show | sed 's/^[0-9]*: //; s/ *\\\\ *valid_lft.*preferred_lft/ preferred_lft/'
for each in iptables ip6tables; do command -v $each-save >/dev/null && $each-save -t filter | grep '^-A'; done
cd /proc/sys/net && grep '' ${SYSCTLS.join(' ')}
ip -4 rule show; ip -6 rule show
for each in -4 -6; do ip $each route show table all | grep -E 'table (ctdb|[0-9])| via ' | sed 's/ expires.*//; s/ pref .*//; s/ metric .*//'; done
cd "$0" && find var eventscript iproute2 -type f ! -name '*lock' ! -name users ! -name 'history*.jsonl' ! -path '*/upkeep/*' -exec grep -H '' {} + 2>/dev/null
find var eventscript iproute2 -name '*.new.*' 2>/dev/null
true`

export async function look({ node, dir }: Lab, { parks = false }: { parks?: boolean } = {}): Promise<string> {
  const text = await node.must('sh', '-c', LOOK, dir)
  const isFleeting = (line: string) => parks && /^eth.*(tentative|dadfailed)/.test(line)
  // which of several was the first is the kernel's affair; and who the rival is may be found out or not
  return text
    .split('\n')
    .filter((line) => line !== '' && !isFleeting(line))
    .map((line) => line.replace(' nodad', '')) // how it was checked is not where it is
    .map((line) => line.replace(/^(eventscript\/parked:\S+ \S+ \S+ \S+) .*/, '$1'))
    .toSorted()
    .join('\n')
}

/** Without what is only the addresses' own: what `init` leaves of the files may be there, or not. */
export function withoutState(text: string): string {
  const isState = (line: string) => /^(var|iproute2)\//.test(line) && !/\.new\.\d+$/.test(line)
  return text
    .split('\n')
    .filter((line) => !isState(line))
    .join('\n')
}

const WIPE = `for dev in eth0 eth1; do ip addr flush dev $dev scope global; ip link set $dev up; done
ip -o addr show dev lo | awk '$4 !~ /^(127|::1)/ { print $4 }' | while read -r each; do ip addr del $each dev lo; done
for each in iptables ip6tables; do command -v $each >/dev/null && $each -w 3 -F INPUT; done
for each in -4 -6; do
while ip $each rule del pref 100 2>/dev/null; do :; done
for table in 1000 1001; do ip $each route flush table $table 2>/dev/null; done; done
rm -rf "$0"/var "$0"/eventscript "$0"/iproute2/*; mkdir "$0"/var
cd /proc/sys/net && while read -r path value; do echo $value >$path; done`

export async function wipe(lab: Lab, sysctls: string): Promise<void> {
  for (const { pid, command } of lab.processes())
    if (command.trim() !== 'cat')
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it has ended meanwhile
      }
  await lab.node.must('sh', '-c', `${WIPE} <<'END'\n${sysctls}END`, lab.dir)
}

export async function sysctlsOf({ node }: Lab): Promise<string> {
  const text = await node.must(
    'sh',
    '-c',
    `cd /proc/sys/net && grep '' ${[...SYSCTLS, ...LASTING].join(' ')}`,
  )
  return text.replaceAll(':', ' ')
}
