/** The programs that the handlers start: whether they exist, are new enough and do what we need. */
import { isNewEnough, OLDEST } from '../../install/interpreter.ts'
import { busyBoxIn } from '../../machine/remedy/busybox.ts'
import { packageOf, toBeAllowed } from '../../machine/remedy/remedy.ts'
import { whichArping, type Arping } from '../../net/arping.ts'
import { OLDEST_IP } from '../../net/oldest-ip.ts'
import type { Door } from '../../machine/machine.ts'
import { isOlder } from '../../base/version.ts'
import { about, type Examination } from '../finding.ts'
import { iptables } from './iptables.ts'
import { tryKill } from './try-kill.ts'

/** The first version of node that runs TypeScript by itself. */
const TYPESCRIPT_NODE = [22, 18] as const

const NEWER_IP = `install ${OLDEST_IP.text} or newer`

const ip: Examination = async ({ door }) => {
  const { ok, error } = about('ip')
  if (!(await door.find('ip')))
    return error('ip', 'not found in PATH: nothing works without it', packageOf('ip'))
  const { out, err } = await door.ask`ip -V`
  const [, date, major, minor] = /iproute2-(?:ss(\d{6})|v?(\d+)\.(\d+))/.exec(out + err) ?? []
  const busyBox = busyBoxIn(out + err)
  if (busyBox) return error('ip', `${busyBox}: expected ${OLDEST_IP.text} or later`, packageOf('ip'))
  const seen = (out + err).trim()
  if (date === undefined && major === undefined)
    return error('ip', `"ip -V" printed "${seen}": expected its version`, NEWER_IP)
  const old =
    date === undefined
      ? isOlder([Number(major), Number(minor)], OLDEST_IP.version)
      : Number(date) < OLDEST_IP.date
  if (old) return error('ip', `${seen}: too old, its -json is not complete`, NEWER_IP)
  return ok('ip', seen)
}

const needed: Examination = async ({ door, settings }) => {
  const { ok, error } = about('program')
  const [ctdb = 'ctdb'] = settings?.ctdb ?? []
  const all = []
  for (const [program, what] of [
    ['flock', 'locks are taken with it'],
    [ctdb, 'the daemon is asked with it'],
  ] as const) {
    const path = await door.find(program)
    const name = program.slice(program.lastIndexOf('/') + 1)
    const remedy = packageOf(name) ?? 'correct PATH'
    const busyBox = path && program === 'flock' ? await busyBoxAs(door, program) : undefined
    if (!path) all.push(...error(program, `not found: ${what}`, remedy))
    else if (busyBox) all.push(...error(program, `${busyBox}: it cannot wait (-w), and ${what}`, remedy))
    else all.push(...ok(program, path))
  }
  return all
}

async function busyBoxAs(door: Door, program: string): Promise<string | undefined> {
  const { out, err } = await door.ask`${program} --version`
  return busyBoxIn(out + err)
}

const KINDS: Record<Arping, string> = {
  iputils: 'of iputils',
  busybox: "BusyBox's",
  habets: "Thomas Habets'",
}

/** Any of the three programs of that name is good; which one it is decides how we call it. */
const arping: Examination = async ({ door, uses, settings }) => {
  const { ok, warn } = about('arping')
  const path = await door.find('arping')
  if (!path)
    return uses.inet
      ? warn('arping', 'not found: IPv4 addresses are not announced', packageOf('arping'))
      : ok('arping', 'not installed, and not needed without IPv4 addresses')
  if (uses.inet && settings?.sendsPackets === false)
    return warn('arping', `${NO_PACKETS}: IPv4 addresses are not announced`, toBeAllowed('CAP_NET_RAW'))
  const { out, err } = await door.ask`arping -V`
  const kind = whichArping(out + err)
  return kind
    ? ok('arping', `${path}, ${KINDS[kind]}`)
    : warn('arping', `${path}: none that we know: IPv4 addresses are not announced`, packageOf('arping'))
}

const NO_PACKETS = 'no privilege to send packets (CAP_NET_RAW)'

const advertiser: Examination = async ({ door, uses, settings }) => {
  const { ok, warn } = about('advertiser')
  if (uses.inet6 && settings?.sendsPackets === false)
    return warn('ndptool', `${NO_PACKETS}: ${BY_KERNEL}`, toBeAllowed('CAP_NET_RAW'))
  for (const program of ['ndsend', 'ndptool']) {
    const path = await door.find(program)
    if (path) return ok(program, path)
  }
  if (!uses.inet6) return ok('ndptool', 'not installed, and not needed without IPv6 addresses')
  return warn('ndptool', `neither ndsend nor ndptool found: ${BY_KERNEL}`, packageOf('ndptool'))
}

const BY_KERNEL = 'the kernel announces IPv6 addresses, once'

/** Tries `ss -K` on a connection of our own. */
const ssKill: Examination = async ({ door, settings, facts }) => {
  const { ok, warn } = about('ss -K')
  if (settings?.option('CTDB_KILLTCP_USE_SS_KILL') === 'no')
    return ok('ss', 'not used: CTDB_KILLTCP_USE_SS_KILL is no')
  const remedy = 'a kernel with CONFIG_INET_DIAG_DESTROY'
  const instead = 'connections of an address that leaves are ended by ctdb_killtcp, one by one'
  if (!(await door.find('ss'))) return warn('ss', `not found: ${instead}`, packageOf('ss'))
  if (!facts.privileged) return warn('ss', `not tried: ${toBeAllowed('CAP_NET_ADMIN')}`)
  const ended = await tryKill(door)
  if (ended === undefined) return warn('ss', 'not tried: there is no connection to 127.0.0.1')
  return ended ? ok('ss', 'ends connections') : warn('ss', `does not end connections: ${instead}`, remedy)
}

/** CTDB's own scripts need ethtool; ours ask the kernel. */
const ethtool: Examination = async ({ door }) => {
  const path = await door.find('ethtool')
  return about('ethtool').ok('ethtool', path ?? 'not installed: our handlers do not need it')
}

const node: Examination = () => {
  const { ok, error } = about('node')
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const seen = `${process.version}, ${process.execPath}`
  if (!isNewEnough(process.versions.node))
    return error('node', `${seen}: too old`, `install node ${OLDEST} or newer`)
  const typescript = isOlder([major, minor], TYPESCRIPT_NODE)
    ? ': handlers in TypeScript must be compiled'
    : ''
  return ok('node', `${seen}${typescript}`)
}

/** In the order in which an admin would look. */
export const PROGRAMS = { ip, needed, arping, advertiser, iptables, ssKill, ethtool, node }
