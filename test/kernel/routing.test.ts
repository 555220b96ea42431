/** 13.per_ip_routing and 11.routing on the real kernel: where packets go, and what is left when somebody is killed. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { parseTables } from '../../runner/net/rt-tables.ts'
import { DIST, type Host, type Lab } from '../lab/lab.ts'
import { inLab, lines, noStandIn, prepareFile, standIn, waitFor, writeSysctl } from './support.ts'

interface Family {
  family: string
  option: '-4' | '-6'
  bits: string
  /** Two public addresses, each with a gateway of its own. */
  one: string
  other: string
  gateways: readonly [string, string]
  /** The networks between the gateways and the far host, and the address of that host. */
  wans: readonly [string, string]
  far: string
  farNet: string
  ownNet: string
  default: string
  /** Of no network here. */
  nowhere: string
}

const FAMILIES: readonly Family[] = [
  {
    family: 'IPv4',
    option: '-4',
    bits: '24',
    one: '10.0.0.1',
    other: '10.0.0.2',
    gateways: ['10.0.0.251', '10.0.0.252'],
    wans: ['192.168.1.', '192.168.2.'],
    far: '10.5.0.9',
    farNet: '10.5.0.0/16',
    ownNet: '10.0.0.0/24',
    default: '0.0.0.0/0',
    nowhere: '10.77.0.1',
  },
  {
    family: 'IPv6',
    option: '-6',
    bits: '64',
    one: 'fd00::1',
    other: 'fd00::2',
    gateways: ['fd00::251', 'fd00::252'],
    wans: ['fd01::', 'fd02::'],
    far: 'fd05::9',
    farNet: 'fd05::/64',
    ownNet: 'fd00::/64',
    default: '::/0',
    nowhere: 'fd77::1',
  },
]

const NAME = '13.per_ip_routing'
const LABELS = join('iproute2', 'rt_tables')

/** Options as an admin has them; `conf` is the text of the file, or `__auto_link_local__`. */
function configure(lab: Lab, conf: string, range = [1000, 9000]): void {
  const auto = conf.startsWith('__')
  if (!auto) lab.configure('policy_routing', conf)
  lab.configure(
    'script.options',
    `CTDB_PER_IP_ROUTING_CONF=${auto ? conf : `${lab.dir}/etc/policy_routing`}
CTDB_PER_IP_ROUTING_RULE_PREF=100
CTDB_PER_IP_ROUTING_TABLE_ID_LOW=${range[0]}
CTDB_PER_IP_ROUTING_TABLE_ID_HIGH=${range[1]}
`,
  )
}

/** A plausible file for both addresses of a family: their subnet, the far network, everything else. */
function confOf({ one, other, gateways, farNet, ownNet, default: all }: Family): string {
  return [one, other]
    .map((ip, i) => `${ip} ${ownNet}\n${ip} ${farNet} ${gateways[i]}\n${ip} ${all} ${gateways[i]}\n`)
    .join('')
}

/** Public addresses as the daemon has distributed them: `iface` where it is here, else ''. */
function hosts(lab: Lab, rows: readonly (readonly [string, string])[]): void {
  const header = '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n'
  const row = ([ip, iface]: readonly [string, string]) =>
    `|${ip}|${iface === '' ? 1 : 0}|${iface}|eth0,eth1|eth0,eth1|\n`
  lab.ctdbSays('ip_-v', header + rows.map(row).join(''))
}

function publicAddresses(lab: Lab): void {
  const of = (ips: readonly string[], bits: string) => ips.map((ip) => `${ip}/${bits} eth0,eth1\n`).join('')
  lab.configure('public_addresses', FAMILIES.map(({ one, other, bits }) => of([one, other], bits)).join(''))
}

async function hold(lab: Lab, { bits, option }: Family, ip: string, iface = 'eth0'): Promise<void> {
  const nodad = option === '-6' ? ['nodad'] : []
  await lab.node.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', iface, ...nodad)
}

/** Our rules and the routes of our tables, and the names of these: all that the handler may leave behind. */
async function left(lab: Lab): Promise<string[]> {
  const found: string[] = []
  for (const option of ['-4', '-6']) {
    const rules = await lab.node.must('ip', option, 'rule', 'show')
    found.push(...rules.split('\n').filter((line) => line.startsWith('100:')))
    const routes = await lab.node.must('ip', option, 'route', 'show', 'table', 'all')
    found.push(...routes.split('\n').filter((line) => /table (ctdb\.|\d)/.test(line)))
  }
  return found.map((line) => line.trim().replaceAll(/\s+/g, ' '))
}

async function ruleOf(lab: Lab, { option }: Family, ip: string): Promise<string[]> {
  const rules = await lab.node.must('ip', option, 'rule', 'show')
  return rules.split('\n').filter((line) => line.includes(`from ${ip} `))
}

/** The routes of an address's own table, without what IPv6 adds to each. */
async function routesOf(lab: Lab, { option }: Family, ip: string): Promise<string[]> {
  const { out } = await lab.node.run('ip', option, 'route', 'show', 'table', `ctdb.${ip}`)
  const plain = (line: string) =>
    line
      .replace(/ metric 1024/, '')
      .replace(/ scope link/, '')
      .replace(/ pref medium/, '')
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => plain(line).trim())
    .toSorted()
}

function expectedRoutes({ ownNet, farNet, gateways }: Family, which: 0 | 1, iface = 'eth0'): string[] {
  const gateway = gateways[which]
  return [
    `${ownNet} dev ${iface}`,
    `${farNet} via ${gateway} dev ${iface}`,
    `default via ${gateway} dev ${iface}`,
  ].toSorted()
}

const labels = (lab: Lab) =>
  existsSync(join(lab.dir, LABELS)) ? readFileSync(join(lab.dir, LABELS), 'utf8') : ''

const silent = { status: 0, out: '', err: '' }

// ---------------------------------------------------------------- packets

/**
 * Two gateways on the node's wire, and a host behind both of them that answers each public address by the gateway that
 * address is meant to use. The node's own default route is the second gateway.
 */
async function withGateways(lab: Lab, of: Family): Promise<readonly [Host, Host]> {
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
    await writeSysctl(host, option === '-6' ? 'net/ipv6/conf/all/forwarding' : 'net/ipv4/ip_forward', 1)
    await host.must('ip', 'route', 'add', of.farNet, 'via', `${wans[i]}2`)
    await farHost.must('ip', 'route', 'add', i === 0 ? one : other, 'via', `${wans[i]}1`, 'dev', `wan${i}`)
    // a gateway sends what is for a public address back by its own wire, wherever the far host sent it from
    if (option === '-4') await writeSysctl(host, 'net/ipv4/conf/all/rp_filter', 0)
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
async function ping(lab: Lab, of: Family, from: string, gateways: readonly [Host, Host]): Promise<string> {
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

const nothing = await prepareFile()
if (!nothing) {
  for (const of of FAMILIES) {
    const { family, one, other, bits, farNet, ownNet, gateways } = of

    inLab(
      `${family}: what is sent from each public address leaves by the gateway that is meant for it`,
      { needs: ['perl'] },
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        await writeSysctl(lab.node, 'net/ipv4/conf/eth0/promote_secondaries', 1)
        for (const ip of [one, other]) await hold(lab, of, ip)
        await packets(t, lab, of, await withGateways(lab, of))
      },
    )

    inLab(`${family}: takeip, updateip, releaseip: rule and routes come, move and go`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      await hold(lab, of, one)
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      t.match(await ruleOf(lab, of, one), [new RegExp(`^100:\\s+from ${one} lookup ctdb\\.${one}`)])
      t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
      t.equal(labels(lab), `1000\tctdb.${one}\n`)

      await lab.node.must('ip', 'addr', 'del', `${one}/${bits}`, 'dev', 'eth0')
      await hold(lab, of, one, 'eth1')
      t.strictSame(await lab.handler(NAME, 'updateip', 'eth0', 'eth1', one, bits), silent)
      t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0, 'eth1'))
      t.equal((await ruleOf(lab, of, one)).length, 1)

      t.strictSame(await lab.handler(NAME, 'releaseip', 'eth1', one, bits), silent)
      t.strictSame(await left(lab), [])
      t.equal(labels(lab), `1000\tctdb.${one}\n`, 'the number of its table is kept for its return')
      t.strictSame(await lab.handler(NAME, 'releaseip', '__none__', one, bits), silent, 'once more')
    })

    inLab(`${family}: an event that is repeated changes nothing`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      await hold(lab, of, one)
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      const before = await left(lab)
      standIn(lab, 'ip', 'case "$*" in *-force*) echo "$*" >>"$CTDB_BASE/changes" ;; esac\nexec $real "$@"')
      hosts(lab, [[one, 'eth0']])
      for (const words of [['takeip', 'eth0', one, bits], ['ipreallocated']])
        t.strictSame(await lab.handler(NAME, ...words), silent)
      t.notOk(existsSync(join(lab.dir, 'etc/changes')), 'ip is not even asked to change anything')
      t.strictSame(await left(lab), before)
    })

    inLab(
      `${family}: ipreallocated adds what has gone, and removes what is not hosted any more`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        for (const ip of [one, other]) {
          await hold(lab, of, ip)
          t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', ip, bits), silent)
        }
        const all = await left(lab)
        hosts(lab, [
          [one, 'eth0'],
          [other, 'eth0'],
        ])
        const damages: string[][] = [
          ['route', 'flush', 'table', `ctdb.${one}`],
          ['route', 'del', farNet, 'table', `ctdb.${one}`],
          ['rule', 'del', 'from', one, 'table', `ctdb.${one}`],
        ]
        for (const damage of damages) {
          await lab.node.must('ip', of.option, ...damage)
          t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
          t.strictSame((await left(lab)).toSorted(), all.toSorted(), damage.join(' '))
        }
        hosts(lab, [
          [one, 'eth0'],
          [other, ''],
        ])
        t.strictSame(await lab.handler(NAME, 'ipreallocated'), {
          ...silent,
          out: `Removing ip rule/routes for unhosted public address ${other}\n`,
        })
        t.strictSame(await routesOf(lab, of, other), [])
        t.strictSame(await ruleOf(lab, of, other), [])
        t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
      },
    )

    inLab(`${family}: startup removes what a crash has left, shutdown leaves nothing`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      const foreign = '# mine\n7\tvpn\n'
      writeFileSync(join(lab.dir, LABELS), foreign)
      const rule = ['from', of.nowhere, 'pref', '100', 'table', '7']
      await lab.node.must('ip', of.option, 'rule', 'add', ...rule)
      for (const event of ['startup', 'shutdown']) {
        await hold(lab, of, one)
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
        await lab.node.must('ip', 'addr', 'del', `${one}/${bits}`, 'dev', 'eth0')
        t.strictSame(await lab.handler(NAME, event), {
          ...silent,
          out: `Removing ip rule for public address ${one} for routing table ctdb.${one}\n`,
        })
        t.strictSame(
          await left(lab),
          [`100: from ${of.nowhere} lookup vpn`],
          `${event}: only what is somebody else's is left`,
        )
        const filter = await lab.node.must('cat', '/proc/sys/net/ipv4/conf/all/arp_filter')
        t.equal(filter, '1\n', 'ARP is answered where the address is')
      }
      t.equal(labels(lab), foreign)
    })

    inLab(
      `${family}: a route that the kernel refuses fails the event, with its line, and nothing of it stays`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        const gateway = gateways[0]
        configure(
          lab,
          `${one} ${ownNet}\n${one} ${farNet} ${gateway} src ${of.nowhere}\n${other} ${ownNet}\n`,
        )
        for (const ip of [one, other]) await hold(lab, of, ip)
        const refusal = new RegExp(
          `^${lab.dir}/etc/policy_routing line 2: add_routing_for_ip: failed to add route: ${farNet} via ${gateway} dev eth0 src ${of.nowhere} table ctdb.${one} \\(1000\\): .*Invalid.*: ${one} is left without policy routing: mend that line$`,
        )
        const taken = await lab.handler(NAME, 'takeip', 'eth0', one, bits)
        t.equal(taken.status, 1)
        t.match(lines(taken), [refusal])
        t.strictSame(await left(lab), [])
        hosts(lab, [
          [one, 'eth0'],
          [other, 'eth0'],
        ])
        const run = await lab.handler(NAME, 'ipreallocated')
        t.equal(run.status, 1)
        t.match(lines(run), [refusal])
        t.strictSame(await ruleOf(lab, of, one), [])
        t.strictSame(await routesOf(lab, of, one), [])
        t.strictSame(await routesOf(lab, of, other), [`${ownNet} dev eth0`], 'the other has its routes')
        t.equal((await ruleOf(lab, of, other)).length, 1)
      },
    )

    inLab(`${family}: wrong configuration is refused before anything is changed`, {}, async (t, lab) => {
      publicAddresses(lab)
      await hold(lab, of, one)
      hosts(lab, [[one, 'eth0']])
      const [mixed] = FAMILIES.filter((each) => each !== of).map(({ gateways: [address] }) => address)
      const wrong: [string, RegExp][] = [
        [`${one} ${ownNet}\n${one} lan\n`, /line 2: .*"lan" is no network/],
        [`${one} ${ownNet}\nthis is broken\n`, /line 2: .*"this" is no IP address/],
        [`${one} ${farNet} ${mixed}\n`, /line 1: .* is IPv[46]: expected IPv[46]/],
        [`${one} ${ownNet}\n${one} ${farNet} ${of.nowhere}\n`, /line 2: gateway .* is outside the subnet of/],
      ]
      for (const [conf, expected] of wrong) {
        configure(lab, conf)
        for (const words of [
          ['takeip', 'eth0', one, bits],
          ['updateip', 'eth1', 'eth0', one, bits],
          ['ipreallocated'],
        ]) {
          const result = await lab.handler(NAME, ...words)
          t.equal(result.status, 1, words.join(' '))
          t.match(lines(result), [expected])
        }
        t.strictSame(await left(lab), [])
        t.equal(labels(lab), '')
      }
      configure(lab, confOf(of), [1000, 1001])
      writeFileSync(join(lab.dir, LABELS), '1000\tvpn\n1001\tctdb.10.0.0.77\n')
      const full = await lab.handler(NAME, 'takeip', 'eth0', one, bits)
      t.match(full, {
        status: 1,
        err: `add_routing_for_ip: out of table ids in range 1000 - 1001: /etc/iproute2/rt_tables has none left for ${one}: `,
      })
      t.strictSame(await left(lab), [])
    })

    inLab(
      `${family}: a line that is wrong for one address keeps no other from its routes`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, `${other} nonsense\n${one} ${ownNet}\n`)
        await hold(lab, of, one)
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
        t.strictSame(await routesOf(lab, of, one), [`${ownNet} dev eth0`])
        const monitor = await lab.handler(NAME, 'monitor')
        t.match(monitor, { status: 1, err: /policy_routing line 1: .*"nonsense" is no network/ })
      },
    )

    inLab(
      `${family}: an event that is killed after any of its commands is completed or undone by the next`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        await hold(lab, of, one)
        const whole = async () => {
          t.strictSame(await routesOf(lab, of, one), expectedRoutes(of, 0))
          t.equal((await ruleOf(lab, of, one)).length, 1)
        }
        const gone = async () => t.strictSame(await left(lab), [])
        // takeip is four lines, releaseip two; behind none of them there is a table in rt_tables and nothing else
        const stories = [
          [0, 'takeip', 'takeip', whole] as const,
          [0, 'takeip', 'ipreallocated', whole] as const,
          ...[1, 3].flatMap((upTo) => [
            [upTo, 'takeip', 'takeip', whole] as const,
            [upTo, 'takeip', 'ipreallocated', whole] as const,
            [upTo, 'takeip', 'releaseip', gone] as const,
          ]),
          [4, 'takeip', 'releaseip', gone] as const,
          [2, 'takeip', 'startup', gone] as const,
          [3, 'takeip', 'shutdown', gone] as const,
          ...[0, 1, 2].flatMap((upTo) => [
            [upTo, 'releaseip', 'takeip', whole] as const,
            [upTo, 'releaseip', 'unhosted', gone] as const,
          ]),
        ]
        for (const [upTo, event, next, state] of stories) {
          const words = (name: string) =>
            ['takeip', 'releaseip'].includes(name) ? [name, 'eth0', one, bits] : [name]
          if (event === 'releaseip') await lab.handler(NAME, ...words('takeip'))
          killAfter(lab, upTo)
          const killed = await lab.handler(NAME, ...words(event))
          t.equal(killed.status, 255, `${event} is killed after ${upTo} commands`)
          noStandIn(lab, 'ip')
          hosts(lab, [[one, next === 'unhosted' ? '' : 'eth0']])
          t.equal((await lab.handler(NAME, ...words(next === 'unhosted' ? 'ipreallocated' : next))).status, 0)
          await state()
          await lab.handler(NAME, 'shutdown')
          t.strictSame(await left(lab), [])
          t.equal(labels(lab), '')
        }
      },
    )

    inLab(`${family}: __auto_link_local__ needs no file`, {}, async (t, lab) => {
      publicAddresses(lab)
      configure(lab, '__auto_link_local__')
      await hold(lab, of, one)
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
      t.strictSame(await routesOf(lab, of, one), [`${ownNet} dev eth0`])
      await hold(lab, of, other, 'eth1')
      hosts(lab, [
        [one, 'eth0'],
        [other, 'eth1'],
      ])
      t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
      t.strictSame(await routesOf(lab, of, other), [`${ownNet} dev eth1`])
      t.equal((await ruleOf(lab, of, other)).length, 1)
    })

    inLab(
      `${family}: reconfigure brings a changed file into effect, and an address without lines loses its rule`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        for (const ip of [one, other]) {
          await hold(lab, of, ip)
          t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', ip, bits), silent)
        }
        configure(lab, `${one} ${ownNet}\n${one} ${farNet} ${gateways[1]}\n`)
        hosts(lab, [
          [one, 'eth0'],
          [other, 'eth0'],
        ])
        t.strictSame(await lab.handler(NAME, 'reconfigure'), {
          ...silent,
          out: `Reconfiguring service "per_ip_routing"...\nRemoving ip rule/routes for public address ${other}\n`,
        })
        t.strictSame(
          await routesOf(lab, of, one),
          [`${ownNet} dev eth0`, `${farNet} via ${gateways[1]} dev eth0`].toSorted(),
        )
        t.strictSame(await ruleOf(lab, of, other), [])
      },
    )
  }

  inLab('250 addresses of both families cost ipreallocated at most five programs', {}, async (t, lab) => {
    const ips = Array.from({ length: 125 }, (_each, i) => [`10.0.0.${i + 1}`, `fd00::${i + 1}`]).flat()
    lab.configure('public_addresses', ips.map((ip) => `${ip}/${ip.includes(':') ? 64 : 24} eth0\n`).join(''))
    const conf = ips.map((ip) =>
      ip.includes(':')
        ? `${ip} fd00::/64\n${ip} ::/0 fd00::fe\n`
        : `${ip} 10.0.0.0/24\n${ip} 0.0.0.0/0 10.0.0.254\n`,
    )
    configure(lab, conf.join(''))
    await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
    await lab.node.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth0', 'nodad')
    hosts(
      lab,
      ips.map((ip) => [ip, 'eth0']),
    )
    const programs = ['ip', 'flock', 'sh', 'sed', 'awk', 'ss', 'mv', 'grep']
    for (const program of programs)
      standIn(lab, program, `echo ${program} >>"$CTDB_BASE/started"\nexec $real "$@"`)
    const started = async (...words: string[]) => {
      rmSync(join(lab.dir, 'etc/started'), { force: true })
      const asked = lab.ctdbCalls().length
      t.match(await lab.handler(NAME, ...words), { status: 0 })
      const own = readFileSync(join(lab.dir, 'etc/started'), 'utf8').split('\n').filter(Boolean)
      return [...own, ...lab.ctdbCalls().slice(asked)]
    }
    const complete = async () => {
      const rules = (await left(lab)).filter((line) => line.startsWith('100:'))
      t.equal(rules.length, 250)
      t.equal((await left(lab)).length, 750, 'a rule and two routes for each')
    }
    const first = await started('ipreallocated')
    t.comment(`the first: ${first.join(', ')}`)
    t.ok(first.length <= 5, first.join(', '))
    await complete()
    const steady = await started('ipreallocated')
    t.comment(`nothing to do: ${steady.join(', ')}`)
    t.ok(steady.length <= 3, steady.join(', '))
    for (const option of ['-4', '-6']) await lab.node.must('ip', option, 'rule', 'flush', 'pref', '100')
    const mended = await started('ipreallocated')
    t.comment(`all rules gone, both families: ${mended.join(', ')}`)
    t.ok(mended.length <= 5, mended.join(', '))
    await complete()
    hosts(
      lab,
      ips.map((ip) => [ip, '']),
    )
    const emptied = await started('ipreallocated')
    t.comment(`none hosted any more: ${emptied.join(', ')}`)
    t.ok(emptied.length <= 5, emptied.join(', '))
    t.strictSame(await left(lab), [])
  })

  const stock = '/usr/share/ctdb/events/legacy/13.per_ip_routing.script'
  inLab(
    "rules, routes and rt_tables are those of CTDB's own script, and either cleans up behind the other",
    { skip: existsSync(stock) && existsSync('/etc/ctdb/functions') ? undefined : 'install ctdb' },
    async (t, lab) => {
      const [of] = FAMILIES
      if (!of) return
      const { one, bits } = of
      publicAddresses(lab)
      lab.configure('functions', readFileSync('/etc/ctdb/functions', 'utf8'))
      writeFileSync(join(lab.dir, LABELS), '255\tlocal\n254\tmain\n')
      await hold(lab, of, one)
      for (const conf of [confOf(of), '__auto_link_local__']) {
        configure(lab, conf)
        const theirs = (...words: string[]) => lab.node.run(stock, ...words)
        const ours = (...words: string[]) => lab.handler(NAME, ...words)
        const found: unknown[] = []
        for (const [take, release] of [
          [theirs, ours],
          [ours, theirs],
        ] as const) {
          t.match(await take('takeip', 'eth0', one, bits), { status: 0 })
          found.push({ left: (await left(lab)).toSorted(), labels: labels(lab) })
          t.match(await release('releaseip', 'eth0', one, bits), { status: 0 })
          t.strictSame(await left(lab), [])
          t.match(await release('shutdown'), { status: 0 })
          t.equal(labels(lab), '255\tlocal\n254\tmain\n')
        }
        t.strictSame(found[1], found[0])
        t.match(found[0], { labels: `1000\tctdb.${one}\n` })
      }
    },
  )

  inLab('the example of docs/routing.md goes as it says', {}, async (t, lab) => {
    const text = readFileSync(join(DIST, '../docs/routing.md'), 'utf8')
    const blocks = [...text.matchAll(/^```\n([^]*?)^```$/gm)].map(([, block = '']) => block)
    const here = (block: string) => block.replaceAll('/etc/ctdb/', `${lab.dir}/etc/`)
    for (const block of blocks) {
      const [, file, content = ''] = /^# \/etc\/ctdb\/(\S+)\n([^]*)$/.exec(block) ?? []
      if (file !== undefined) lab.configure(file, here(content))
    }
    const [rehearsal, shown] = blocks.filter((block) => /^# (eventscript|ip) /.test(block))
    const [command = '', ...expected] = (rehearsal ?? '').split('\n')
    const dry = await lab.eventscript(...command.split(' ').slice(2))
    // the kernel has that sysctl outside of namespaces only
    t.equal(dry.out, expected.filter((line) => !line.includes('ipv6/route/flush')).join('\n'))
    for (const [iface, ip] of [
      ['eth0', '2001:db8:a::10'],
      ['eth1', '2001:db8:b::10'],
    ] as const) {
      const took = await lab.eventscript('run', 'takeip', iface, ip, '64')
      t.match(took, { status: 0, out: /^10\.interface +OK[^]*^13\.per_ip_routing +OK/m })
    }
    for (const part of (shown ?? '').split(/^# /m).filter(Boolean)) {
      const [words = '', ...printed] = part.split('\n')
      const squeeze = (lines: string) => lines.replaceAll(/[ \t]+$/gm, '')
      t.equal(squeeze(await lab.node.must(...words.split(' '))), squeeze(printed.join('\n')), words)
    }
    t.ok(shown, 'it is there')
  })

  inLab('takeips that run at once never share a table', {}, async (t, lab) => {
    const ips = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1', 'fd00::2', 'fd00::3']
    configure(lab, '__auto_link_local__')
    const bits = (ip: string) => (ip.includes(':') ? '64' : '24')
    const results = await Promise.all(ips.map((ip) => lab.handler(NAME, 'takeip', 'eth0', ip, bits(ip))))
    for (const result of results) t.strictSame(result, silent)
    const entries = parseTables(labels(lab))
    const sorted = (words: string[]) => words.toSorted()
    t.strictSame(sorted(entries.map(({ id }) => String(id))), [
      '1000',
      '1001',
      '1002',
      '1003',
      '1004',
      '1005',
    ])
    t.strictSame(sorted(entries.map(({ name }) => name)), sorted(ips.map((ip) => `ctdb.${ip}`)))
    t.equal((await left(lab)).length, 12)
  })

  inLab(
    'where the distribution keeps rt_tables elsewhere, its names come along into the one in /etc',
    {},
    async (t, lab) => {
      configure(lab, '__auto_link_local__')
      const shipped = '#\n255\tlocal\n254\tmain\n253\tdefault\n1000\tvendor\n'
      for (const folder of ['/usr/share/iproute2', '/usr/lib/iproute2']) {
        await mountOver(lab, folder, shipped)
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent, folder)
        t.equal(labels(lab), `${shipped}1001\tctdb.10.0.0.1\n`)
        t.equal((await lab.handler(NAME, 'shutdown')).status, 0)
        t.equal(labels(lab), shipped)
        t.strictSame(await left(lab), [])
        rmSync(join(lab.dir, LABELS))
        await lab.node.must('umount', '-l', folder.replace('/iproute2', ''))
      }
      t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent)
      t.equal(labels(lab), '1000\tctdb.10.0.0.1\n', 'where there is none at all')
    },
  )

  inLab('without configuration nothing is done and nothing said, whatever the event', {}, async (t, lab) => {
    lab.ctdbSays('ip_-v.fails', 'no\n')
    const four = ['eth0', '10.0.0.1', '24']
    for (const words of [
      ['init'],
      ['startup'],
      ['monitor'],
      ['takeip', ...four],
      ['releaseip', ...four],
      ['updateip', 'eth1', ...four],
      ['ipreallocated'],
      ['reconfigure'],
      ['shutdown'],
    ])
      for (const name of [NAME, '11.routing'])
        t.strictSame(await lab.handler(name, ...words), silent, `${name} ${words[0]}`)
    t.strictSame(await left(lab), [])
    t.strictSame(lab.ctdbCalls(), [])
  })

  inLab('wrong options fail every event that needs them, in the words of CTDB', {}, async (t, lab) => {
    configure(lab, '10.0.0.1 10.0.0.0/24\n')
    rmSync(join(lab.dir, 'etc/policy_routing'))
    for (const words of [['startup'], ['monitor'], ['takeip', 'eth0', '10.0.0.1', '24']])
      t.match(await lab.handler(NAME, ...words), {
        status: 1,
        err: `error: CTDB_PER_IP_ROUTING_CONF=${lab.dir}/etc/policy_routing file not found`,
      })
    t.strictSame(
      await lab.handler(NAME, 'releaseip', 'eth0', '10.0.0.1', '24'),
      silent,
      'what goes needs no file',
    )
    lab.configure('script.options', 'CTDB_PER_IP_ROUTING_CONF=/x\n')
    t.match(await lab.handler(NAME, 'monitor'), {
      status: 1,
      err: /^error: CTDB_PER_IP_ROUTING_RULE_PREF not configured/,
    })
  })

  inLab('a daemon that does not answer leaves the rules as they are', {}, async (t, lab) => {
    publicAddresses(lab)
    configure(lab, '__auto_link_local__')
    t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', 'fd00::1', '64'), silent)
    const before = await left(lab)
    lab.ctdbSays('ip_-v.fails', 'Warning: All nodes are banned.\n')
    const result = await lab.handler(NAME, 'ipreallocated')
    t.match(result, { status: 0, out: /^WARNING: policy routing is left as it is, .*All nodes are banned/ })
    t.strictSame(await left(lab), before)
  })

  inLab('a rule that cannot be deleted is a WARNING, and the event goes on', {}, async (t, lab) => {
    publicAddresses(lab)
    configure(lab, '__auto_link_local__')
    t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', '10.0.0.1', '24'), silent)
    standIn(
      lab,
      'ip',
      'case "$*" in *-force*) exec setpriv --bounding-set=-net_admin $real "$@" ;; esac\nexec $real "$@"',
    )
    const result = await lab.handler(NAME, 'releaseip', 'eth0', '10.0.0.1', '24')
    t.equal(result.status, 0)
    t.match(
      lines(result)[0],
      /^WARNING: Failed to delete policy routing rule of 10\.0\.0\.1: "ip rule del .*not permitted/,
    )
    noStandIn(lab, 'ip')
    t.strictSame(await lab.handler(NAME, 'releaseip', 'eth0', '10.0.0.1', '24'), silent)
    t.strictSame(await left(lab), [])
  })

  // ---------------------------------------------------------------- 11.routing

  inLab(
    'static routes of both families are there as soon as their interface is ready',
    {},
    async (t, lab) => {
      lab.configure(
        'static-routes',
        `# of both families
eth0 10.5.0.0/16 10.0.0.254
eth0 fd05::/64 fd00::fe
eth1 10.6.0.0/16 10.1.0.254
eth1 fd06::/64 fd01::fe
eth7 10.7.0.0/16 10.0.0.254
`,
      )
      t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent, 'no address anywhere')
      t.strictSame(await staticRoutesOf(lab), [])
      for (const of of FAMILIES) await hold(lab, of, of.one)
      t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent)
      const first = ['10.5.0.0/16 via 10.0.0.254 dev eth0', 'fd05::/64 via fd00::fe dev eth0']
      t.strictSame(await staticRoutesOf(lab), first)
      t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent, 'once more')
      t.strictSame(await staticRoutesOf(lab), first)
      await lab.node.must('ip', 'addr', 'add', '10.1.0.1/24', 'dev', 'eth1')
      await lab.node.must('ip', 'addr', 'add', 'fd01::1/64', 'dev', 'eth1', 'nodad')
      t.strictSame(await lab.handler('11.routing', 'updateip', '__none__', 'eth0', '10.0.0.2', '24'), silent)
      t.strictSame(await staticRoutesOf(lab), first, 'updateip looks after its two interfaces only')
      t.strictSame(await lab.handler('11.routing', 'updateip', 'eth1', 'eth0', '10.0.0.2', '24'), silent)
      t.strictSame(await staticRoutesOf(lab), [
        '10.5.0.0/16 via 10.0.0.254 dev eth0',
        '10.6.0.0/16 via 10.1.0.254 dev eth1',
        'fd05::/64 via fd00::fe dev eth0',
        'fd06::/64 via fd01::fe dev eth1',
      ])
    },
  )

  inLab('a static route that somebody has set otherwise is left alone', {}, async (t, lab) => {
    for (const of of FAMILIES) await hold(lab, of, of.one)
    lab.configure('static-routes', 'eth0 10.5.0.0/16 10.0.0.254\neth0 fd05::/64 fd00::fe\n')
    await lab.node.must('ip', 'route', 'add', '10.5.0.0/16', 'via', '10.0.0.9', 'dev', 'eth0')
    await lab.node.must('ip', 'route', 'add', 'fd05::/64', 'via', 'fd00::9', 'dev', 'eth0')
    t.strictSame(await lab.handler('11.routing', 'ipreallocated'), silent)
    t.strictSame(await staticRoutesOf(lab), [
      '10.5.0.0/16 via 10.0.0.9 dev eth0',
      'fd05::/64 via fd00::9 dev eth0',
    ])
  })

  inLab('a bad line of static-routes is told with its number, and no route is added', {}, async (t, lab) => {
    for (const of of FAMILIES) await hold(lab, of, of.one)
    lab.configure('static-routes', 'eth0 10.5.0.0/16 10.0.0.254\neth0 fd05::/64 10.0.0.254\n')
    const result = await lab.handler('11.routing', 'ipreallocated')
    t.match(result, { status: 1, err: /\/static-routes line 2: .*fd05::\/64 is IPv6: expected IPv4\n$/ })
    t.strictSame(await staticRoutesOf(lab), [])
  })

  inLab(
    'a static route that the kernel refuses fails the event when the others are there',
    {},
    async (t, lab) => {
      for (const of of FAMILIES) await hold(lab, of, of.one)
      // IPv6 refuses a gateway that is this node itself
      lab.configure('static-routes', 'eth0 fd05::/64 fd00::1\neth0 fd06::/64 fd00::fe\n')
      const result = await lab.handler('11.routing', 'ipreallocated')
      t.match(result, {
        status: 1,
        err: /static-routes line 1: failed to add route: "ip route add fd05::\/64 via fd00::1 dev eth0": Error: Gateway can not be a local address\.: mend that line\n$/,
      })
      t.strictSame(await staticRoutesOf(lab), ['fd06::/64 via fd00::fe dev eth0'])
    },
  )
}

const RIGHT = { one: '3 answers, forwarded 6 and 0', other: '3 answers, forwarded 0 and 6' }
/** The requests by the second gateway, the answers by the first. */
const ASTRAY = '3 answers, forwarded 3 and 3'

/**
 * Before, both addresses use the node's default route, the second gateway; then each its own, also after one has moved
 * to the other interface; and when nothing is left of ours, as before.
 */
async function packets(t: Test, lab: Lab, of: Family, gateways: readonly [Host, Host]): Promise<void> {
  const { one, other, bits } = of
  // the link-local addresses of IPv6 are checked for duplicates first
  await waitFor('the far host to answer', async () => (await ping(lab, of, one, gateways)) === ASTRAY)
  t.equal(await ping(lab, of, other, gateways), RIGHT.other, 'the default route')
  t.equal(await ping(lab, of, one, gateways), ASTRAY, 'without policy routing')
  for (const ip of [one, other]) t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', ip, bits), silent)
  t.equal(await ping(lab, of, one, gateways), RIGHT.one)
  t.equal(await ping(lab, of, other, gateways), RIGHT.other)

  await lab.node.must('ip', 'addr', 'del', `${one}/${bits}`, 'dev', 'eth0')
  await hold(lab, of, one, 'eth1')
  t.equal((await lab.handler(NAME, 'updateip', 'eth0', 'eth1', one, bits)).status, 0)
  t.equal(await ping(lab, of, one, gateways), RIGHT.one, 'on the other interface')

  await lab.node.must('ip', of.option, 'rule', 'del', 'from', one)
  hosts(lab, [
    [one, 'eth1'],
    [other, 'eth0'],
  ])
  t.equal(await ping(lab, of, one, gateways), ASTRAY, 'the rule is what does it')
  t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
  t.equal(await ping(lab, of, one, gateways), RIGHT.one, 'ipreallocated mends it')

  t.equal((await lab.handler(NAME, 'shutdown')).status, 0)
  t.equal(await ping(lab, of, one, gateways), ASTRAY, 'after shutdown')
  t.strictSame(await left(lab), [])
}

/** The next change that is to be made is killed behind so many of its lines, with the handler and all. */
function killAfter(lab: Lab, count: number): void {
  const some = count === 0 ? ':' : `head -n ${count} | $real "$@"`
  standIn(lab, 'ip', `case "$*" in *-force*) ${some}; kill -9 $PPID; exit 0 ;; esac\nexec $real "$@"`)
}

async function staticRoutesOf(lab: Lab): Promise<string[]> {
  const found: string[] = []
  for (const option of ['-4', '-6']) {
    const routes = await lab.node.must('ip', option, 'route', 'show')
    found.push(...routes.split('\n').filter((line) => line.includes(' via ')))
  }
  return found.map((line) => line.replace(/ metric.*/, '').trim())
}

/** As a distribution that ships the file there, and none in /etc. */
async function mountOver(lab: Lab, folder: string, text: string): Promise<void> {
  const parent = folder.replace('/iproute2', '')
  const own = join(lab.dir, `shipped${parent.replaceAll('/', '-')}`)
  mkdirSync(join(own, 'iproute2'), { recursive: true })
  writeFileSync(join(own, 'iproute2/rt_tables'), text)
  await lab.node.must('mount', '-t', 'overlay', '-o', `lowerdir=${own}:${parent}`, 'overlay', parent)
}
