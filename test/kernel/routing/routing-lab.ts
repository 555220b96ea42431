/** What the tests of policy routing and static routes share: two public addresses of each family, and looks at what is there. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../../lab/lab.ts'

export interface Family {
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
  /** A gateway in the network of that. */
  near: string
  /** For a static route. */
  static: string
}

export const FAMILIES: readonly Family[] = [
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
    near: '10.77.0.254',
    static: '10.6.0.0/16',
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
    near: 'fd77::fe',
    static: 'fd06::/64',
  },
]

export const NAME = '13.per_ip_routing'
export const STATIC = '11.routing'
export const LABELS = join('iproute2', 'rt_tables')

/** Options as an admin has them; `conf` is the text of the file, or `__auto_link_local__`. */
export function configure(lab: Lab, conf: string, range = [1000, 9000]): void {
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
export function confOf({ one, other, gateways, farNet, ownNet, default: all }: Family): string {
  return [one, other]
    .map((ip, i) => `${ip} ${ownNet}\n${ip} ${farNet} ${gateways[i]}\n${ip} ${all} ${gateways[i]}\n`)
    .join('')
}

/** Public addresses as the daemon has distributed them: `iface` where it is here, else ''. */
export function hosts(lab: Lab, rows: readonly (readonly [string, string])[]): void {
  const header = '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n'
  const row = ([ip, iface]: readonly [string, string]) =>
    `|${ip}|${iface === '' ? 1 : 0}|${iface}|eth0,eth1|eth0,eth1|\n`
  lab.ctdbSays('ip_-v', header + rows.map(row).join(''))
}

/** The first public address of each family is here, and the daemon knows that; `__auto_link_local__` gives it its routes. */
export async function hostFirsts(lab: Lab, range?: number[]): Promise<void> {
  publicAddresses(lab)
  configure(lab, '__auto_link_local__', range)
  for (const of of FAMILIES) await hold(lab, of, of.one)
  hosts(
    lab,
    FAMILIES.map(({ one }) => [one, 'eth0']),
  )
}

/** In place of `ip`: a batch of changes is refused, as to a process without the right. */
export const REFUSING_BATCHES =
  'case "$*" in *-force*) exec setpriv --bounding-set=-net_admin $real "$@" ;; esac\nexec $real "$@"'

export function publicAddresses(lab: Lab): void {
  const of = (ips: readonly string[], bits: string) => ips.map((ip) => `${ip}/${bits} eth0,eth1\n`).join('')
  lab.configure('public_addresses', FAMILIES.map(({ one, other, bits }) => of([one, other], bits)).join(''))
}

export async function hold(lab: Lab, { bits, option }: Family, ip: string, iface = 'eth0'): Promise<void> {
  const nodad = option === '-6' ? ['nodad'] : []
  await lab.node.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', iface, ...nodad)
}

/** The list of this node, which the events of 10.interface keep. */
export function listed(lab: Lab, ips: readonly string[]): void {
  writeFileSync(join(lab.dir, 'var/my-public-ip-addresses'), ips.map((ip) => `${ip}\n`).join(''))
}

/** Our rules and the routes of our tables, and the names of these: all that the handler may leave behind. */
export async function left(lab: Lab): Promise<string[]> {
  const found: string[] = []
  for (const option of ['-4', '-6']) {
    const rules = await lab.node.must('ip', option, 'rule', 'show')
    found.push(...rules.split('\n').filter((line) => line.startsWith('100:')))
    const routes = await lab.node.must('ip', option, 'route', 'show', 'table', 'all')
    found.push(...routes.split('\n').filter((line) => /table (ctdb\.|\d)/.test(line)))
  }
  return found.map((line) => line.trim().replaceAll(/\s+/g, ' '))
}

export async function ruleOf(lab: Lab, { option }: Family, ip: string): Promise<string[]> {
  const rules = await lab.node.must('ip', option, 'rule', 'show')
  return rules.split('\n').filter((line) => line.includes(`from ${ip} `))
}

/** The routes of an address's own table, without what IPv6 adds to each. */
export async function routesOf(lab: Lab, { option }: Family, ip: string): Promise<string[]> {
  const { out } = await lab.node.run('ip', option, 'route', 'show', 'table', `ctdb.${ip}`)
  const plain = (line: string) =>
    line
      .replace(/ metric 1024/, '')
      .replace(/ scope link/, '')
      .replace(/ pref medium/, '')
      .replace(/ proto 137/, '')
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => plain(line).trim())
    .toSorted()
}

export function expectedRoutes({ ownNet, farNet, gateways }: Family, which: 0 | 1, iface = 'eth0'): string[] {
  const gateway = gateways[which]
  return [
    `${ownNet} dev ${iface}`,
    `${farNet} via ${gateway} dev ${iface}`,
    `default via ${gateway} dev ${iface}`,
  ].toSorted()
}

export const labels = (lab: Lab) =>
  existsSync(join(lab.dir, LABELS)) ? readFileSync(join(lab.dir, LABELS), 'utf8') : ''

export const silent = { status: 0, out: '', err: '' }

export async function staticRoutesOf(lab: Lab): Promise<string[]> {
  const found: string[] = []
  for (const option of ['-4', '-6']) {
    const routes = await lab.node.must('ip', option, 'route', 'show')
    found.push(...routes.split('\n').filter((line) => line.includes(' via ')))
  }
  return found.map((line) => line.replace(/ proto static| metric.*/g, '').trim())
}
