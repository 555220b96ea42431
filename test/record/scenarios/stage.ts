/** What scenarios are told in: a few words for getting a lab into the state in which an event finds it. */
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ResultPromise } from 'execa'
import type { Lab } from '../../lab/lab.ts'

/** One recording: how the lab is prepared, and the event. It becomes `<event>.<what happens>.txt`. */
export interface Scenario {
  /** `releaseip.other-mask`: the event first. */
  name: string
  /** The event as `eventscript run` is given it. */
  event: string
  prepare?: (stage: Stage) => Promise<void> | void
  /** The words before `eventscript`: a lesser privilege. */
  as?: readonly string[]
}

/** The two families, so that what holds for one is recorded for the other too. */
export interface Family {
  /** In front of what happens: nothing for IPv4, `v6-` for IPv6. */
  tag: '' | 'v6-'
  ip: string
  bits: number
  /** Another prefix length than the one in public_addresses. */
  otherBits: number
  /** Another address of the same subnet. */
  neighbour: string
  client: string
  iptables: 'iptables' | 'ip6tables'
}

/** IPv4 first. */
export const FAMILIES = [
  {
    tag: '',
    ip: '10.0.0.1',
    bits: 24,
    otherBits: 25,
    neighbour: '10.0.0.2',
    client: '10.0.0.254',
    iptables: 'iptables',
  },
  {
    tag: 'v6-',
    ip: 'fd00::1',
    bits: 64,
    otherBits: 72,
    neighbour: 'fd00::2',
    client: 'fd00::fe',
    iptables: 'ip6tables',
  },
] as const satisfies readonly Family[]

/** The same scenario for IPv4 and IPv6: `what` is told without the event, `rest` is made for each family. */
export function both(
  event: string,
  what: string,
  rest: (family: Family) => Omit<Scenario, 'name'>,
): Scenario[] {
  return FAMILIES.map((family) => ({ name: `${event}.${family.tag}${what}`, ...rest(family) }))
}

export class Stage {
  readonly lab: Lab
  readonly #started: ResultPromise[] = []

  constructor(lab: Lab) {
    this.lab = lab
  }

  /** A command on the node, typed as a line: no quoting. */
  async node(line: string): Promise<void> {
    await this.lab.node.must(...line.split(' '))
  }

  async observer(line: string): Promise<void> {
    await this.lab.observer.must(...line.split(' '))
  }

  /**
   * The lab's MAC addresses are the kernel's choice; fixed ones make two recordings comparable. The link-local
   * addresses that follow from them are there at once.
   */
  async settle(): Promise<void> {
    await this.observer('ip link set dev lan address 02:00:00:00:00:fe')
    for (const [i, name] of ['eth0', 'eth1'].entries()) {
      await this.sysctl(`net/ipv6/conf/${name}/accept_dad`, '0')
      await this.node(`ip link set dev ${name} down`)
      await this.node(`ip link set dev ${name} address 02:00:00:00:00:1${i}`)
      await this.node(`ip link set dev ${name} up`)
      await this.until(`ip addr show dev ${name}`, 'inet6 fe80::ff:fe00:1')
      await this.sysctl(`net/ipv6/conf/${name}/accept_dad`, '1')
    }
  }

  async sysctl(name: string, value: string): Promise<void> {
    await this.lab.node.must('sh', '-c', `echo ${value} >/proc/sys/${name}`)
  }

  /** The address is there already. */
  async held(address: string, iface: string, ...more: string[]): Promise<void> {
    const words = address.includes(':') ? ['nodad'] : ['brd', '+']
    await this.lab.node.must('ip', 'addr', 'add', address, ...words, 'dev', iface, ...more)
  }

  /** A rule that a killed releaseip has left: of CTDB's script and of our older versions, or with our mark. */
  async leftoverRule({ iptables, ip }: Family, iface: string, { marked = false } = {}): Promise<void> {
    const mark = marked ? ' -m comment --comment eventscript' : ''
    await this.node(`${iptables} -w 3 -I INPUT -i ${iface} -d ${ip}${mark} -j DROP`)
  }

  /** Another program has the lock of the firewall, which only the legacy iptables takes. */
  async firewallBusy({ iptables }: Family): Promise<void> {
    this.standIn(iptables, `exec ${iptables}-legacy "$@"\n`)
    const hold = 'echo locked; exec sleep 60'
    await this.#ready(this.lab.node.start('flock', '-F', '/run/xtables.lock', 'sh', '-c', hold))
  }

  /** The list of what this node hosts, as the events before have left it. */
  hosted(...addresses: string[]): void {
    writeFileSync(join(this.lab.dir, 'var/my-public-ip-addresses'), addresses.map((ip) => `${ip}\n`).join(''))
  }

  options(text: string): void {
    this.lab.configure('script.options', text)
  }

  /** A file below CTDB_SCRIPT_VARDIR. */
  state(file: string, text: string): void {
    const path = join(this.lab.dir, 'var', file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /** A file beside CTDB_SCRIPT_VARDIR, which CTDB does not empty. */
  kept(file: string, text: string): void {
    const path = join(this.lab.dir, 'eventscript', file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /** A file system that refuses to be written, as after a disk error. */
  async readOnlyState(): Promise<void> {
    await this.lab.node.makeReadOnly(join(this.lab.dir, 'var'))
  }

  /** As in a container: what the sysctls are, they stay. */
  async readOnlySysctls(): Promise<void> {
    await this.lab.node.makeReadOnly('/proc/sys')
  }

  unconfigure(file: string): void {
    rmSync(join(this.lab.dir, 'etc', file))
  }

  /** The file is a link onto a file system that is not mounted. */
  dangling(file: string): void {
    const path = join(this.lab.dir, 'etc', file)
    rmSync(path, { force: true })
    symlinkSync(`/cluster/${file}`, path)
  }

  /** The file is there, and cannot be read, not even by root. */
  unreadable(file: string): void {
    const path = join(this.lab.dir, 'etc', file)
    rmSync(path, { force: true })
    mkdirSync(path)
  }

  /** The other end of the cable is switched off. */
  async unplug(iface: string): Promise<void> {
    await this.observer(`ip link set dev port-${iface} down`)
  }

  /** Look at the node until a text is there. */
  async until(line: string, wanted: string): Promise<void> {
    for (let looks = 0; looks < 100; looks += 1) {
      if ((await this.lab.node.must(...line.split(' '))).includes(wanted)) return
      await sleep(50)
    }
    throw new Error(`${line}: no "${wanted}" within 5 s`)
  }

  /** Established connections from the observer, one for each of its ports. The address must be held. */
  async connected(
    address: string,
    port: number,
    from: string,
    clientPorts: readonly number[],
    listen = address,
  ): Promise<void> {
    await this.#ready(this.lab.node.start(process.execPath, '-e', SERVE, String(port), listen))
    const words = [address, String(port), from, ...clientPorts.map(String)]
    await this.#ready(this.lab.observer.start(process.execPath, '-e', CONNECT, ...words))
    await sleep(100)
  }

  /** Something on the node keeps the lock that CTDB's scripts and we share. */
  async locked(name: string): Promise<void> {
    const lock = join(this.lab.dir, 'var', name)
    await this.#ready(this.lab.node.start('flock', '-F', lock, 'sh', '-c', 'echo locked; exec sleep 60'))
  }

  /** Another event has that lock too, which several may have. */
  async sharing(name: string): Promise<void> {
    const lock = join(this.lab.dir, 'eventscript', name)
    mkdirSync(dirname(lock), { recursive: true })
    await this.#ready(
      this.lab.node.start('flock', '-s', '-F', lock, 'sh', '-c', 'echo locked; exec sleep 60'),
    )
  }

  /** A program that is not installed: PATH has the others only, each as a link. */
  without(program: string): void {
    for (const name of PROGRAMS) {
      const link = join(this.lab.dir, 'bin', name)
      const target = realPath(this.lab, name)
      if (name !== program && !existsSync(link) && target) symlinkSync(target, link)
    }
    this.lab.env['PATH'] = join(this.lab.dir, 'bin')
  }

  /** Another program of that name comes first in PATH. */
  standIn(program: string, script: string): void {
    const file = join(this.lab.dir, 'bin', program)
    writeFileSync(file, `#!/bin/sh\n${script}`)
    chmodSync(file, 0o755)
  }

  /**
   * Somebody else does something right before, or right after, a command of that program; the command itself is the
   * real one (`@`), and so is what it says.
   */
  meddle(
    program: string,
    when: string,
    { before = ':', instead = '@ "$@"', after = ':' }: { before?: string; instead?: string; after?: string },
  ): void {
    const real = realPath(this.lab, program) ?? program
    const script = `case "$*" in ${when})
  { ${before}; } >/dev/null 2>&1
  ${instead}; status=$?
  { ${after}; } >/dev/null 2>&1
  exit $status ;;
esac
exec @ "$@"
`
    this.standIn(program, script.replaceAll(/@(?= )/g, real))
  }

  /** The real ctdb tool, and no daemon. */
  realCtdb(): void {
    this.lab.env['CTDB'] = 'ctdb'
    this.lab.configure('nodes', '10.1.0.1\n')
    this.standIn('ctdb', `exec ${realPath(this.lab, 'ctdb') ?? 'ctdb'} "$@"\n`)
  }

  async end(): Promise<void> {
    for (const child of this.#started) {
      child.kill()
      await child
    }
  }

  async #ready(child: ResultPromise): Promise<void> {
    this.#started.push(child)
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve())
      void child.then(({ stderr }) => reject(new Error(`a program of the stage ended: ${String(stderr)}`)))
    })
  }
}

const SERVE = `const [port, host] = process.argv.slice(1)
const server = require('net').createServer((socket) => socket.on('error', () => {}))
server.listen(port, host, () => console.log('listening'))`

const CONNECT = `const [host, port, localAddress, ...ports] = process.argv.slice(1)
let connected = 0
for (const localPort of ports) {
  const tell = () => (connected += 1) === ports.length && console.log('connected')
  require('net').connect({ host, port, localAddress, localPort: Number(localPort) }, tell).on('error', () => {})
}
setInterval(() => {}, 60_000)`

/** All that a handler, the announcer and the lab itself start. */
const PROGRAMS = [
  'ip',
  'ss',
  'iptables',
  'ip6tables',
  'arping',
  'ndptool',
  'ndisc6',
  'flock',
  'logger',
  'sh',
  'cat',
  'tr',
  'nsenter',
  'env',
  'sleep',
  'setpriv',
]

function realPath(lab: Lab, program: string): string | undefined {
  const own = join(lab.dir, 'bin')
  return (lab.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== own)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path))
}
