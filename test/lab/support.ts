/** What the tests on the real kernel share: a lab for each test, an observer's eyes, and ways to get in the way. */
import {
  accessSync,
  chmodSync,
  constants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execaSync } from 'execa'
import t, { type Test } from '../tap.ts'
import { hexDigits } from '../../runner/inet/address.ts'
import { packageOf } from '../../runner/machine/remedy/remedy.ts'
import { SCRIPT, startLab, whyNoLab, type Host, type Lab, type Result } from './lab.ts'

/** The two families, which are tested alike. */
export const FAMILIES = [
  {
    family: 'IPv4',
    ip: '10.0.0.1',
    bits: '24',
    otherBits: '25',
    other: '10.0.0.2',
    observer: '10.0.0.254',
    iptables: 'iptables',
    host: '10.0.0.1/32',
  },
  {
    family: 'IPv6',
    ip: 'fd00::1',
    bits: '64',
    otherBits: '80',
    other: 'fd00::2',
    observer: 'fd00::fe',
    iptables: 'ip6tables',
    host: 'fd00::1/128',
  },
] as const

const PACKAGES: Record<string, string> = {
  'iptables-save': 'iptables',
  'ip6tables-save': 'iptables',
  perl: 'perl-base',
  setpriv: 'util-linux',
}

const FOLDERS = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`.split(delimiter)

/** The full path of a program of this machine. */
export function programPath(program: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Why a test that needs these programs cannot run here. */
export function whyMissing(programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => !programPath(program))
  if (missing.length === 0) return undefined
  const packages = missing.map((name) => packageOf(name) ?? `install ${PACKAGES[name] ?? name}`)
  return `${missing.join(', ')} not found: ${[...new Set(packages)].join(', ')}`
}

/** Why this kernel cannot have a network device of that kind, in a namespace of our own; undefined when it can. */
export function whyNoKind(kind: 'bond' | 'vlan'): string | undefined {
  const script = {
    bond: 'ip link add probe type bond',
    vlan: 'ip link add eth0 type veth && ip link add link eth0 name probe type vlan id 1',
  }[kind]
  const env = { PATH: FOLDERS.join(delimiter) }
  const { failed } = execaSync('unshare', ['-Urn', 'sh', '-c', script], { reject: false, env })
  return failed ? `this kernel has no ${kind}: npm run test:kernel boots one that has` : undefined
}

/** Why there can be no load balancer in a namespace here. */
export function whyNoBalancer(): string | undefined {
  const missing = whyMissing(['ipvsadm'])
  if (missing) return missing
  const env = { PATH: FOLDERS.join(delimiter) }
  const { failed } = execaSync('unshare', ['-n', 'ipvsadm', '-S', '-n'], { reject: false, env })
  return failed ? 'no IPVS in this kernel, or not root: npm run test:kernel boots one' : undefined
}

/**
 * What every file begins with. The tests of a file run some at a time: most of their time the kernel lets them wait.
 * Gives back why the file can do nothing on this machine.
 */
export async function prepareFile(): Promise<string | undefined> {
  const reason = await whyNoLab()
  if (reason) t.plan(0, reason)
  t.setTimeout(Number(process.env['LAB_SECONDS'] ?? 600) * 1000)
  t.jobs = Number(process.env['LAB_JOBS'] ?? 4)
  return reason
}

export interface Needs {
  /** Programs without which the test is skipped. */
  needs?: readonly string[]
  /** The kernel's own times for the duplicate check, up to 2 s; else 0.1 s. */
  slowDad?: boolean
  /** In namespaces of the machine's own root, for what the kernel keeps to it. */
  asRoot?: boolean
  /** Any other reason not to run it here. */
  skip?: string
}

/** One test with a lab of its own. */
export function inLab(name: string, options: Needs, body: (t: Test, lab: Lab) => Promise<void>): void {
  const skip = options.skip ?? whyMissing(options.needs ?? [])
  void t.test(name, { buffered: true, ...(skip ? { skip } : {}) }, async (test) => {
    const lab = await startLab({ asRoot: options.asRoot })
    try {
      if (!options.slowDad) await shortenDad(lab)
      await body(test, lab)
    } finally {
      end(lab)
      await lab.close()
    }
  })
}

/** What a test has started and not ended. The `cat` that holds a namespace ends when the lab closes. */
function end(lab: Lab): void {
  for (const { pid, command } of processes(lab)) {
    if (command.trim() === 'cat') continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has ended with the one before
    }
  }
}

async function shortenDad({ node }: Lab): Promise<void> {
  for (const iface of ['eth0', 'eth1']) {
    await writeSysctl(node, `net/ipv6/conf/${iface}/router_solicitation_delay`, 0)
    await writeSysctl(node, `net/ipv6/neigh/${iface}/retrans_time_ms`, 100)
  }
}

export async function writeSysctl(host: Host, name: string, value: number): Promise<void> {
  await host.must('sh', '-c', `echo ${value} >/proc/sys/${name}`)
}

/** Wait for a state of the machine; that it never comes is the failure. */
export async function waitFor(
  what: string,
  probe: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<void> {
  const last = performance.now() + seconds * 1000
  for (;;) {
    const began = performance.now()
    if (await probe()) return
    if (began > last) throw new Error(`waited ${seconds} s for ${what}`)
    // on a slow machine a look costs more than the pause: what we wait for needs the processor too
    await sleep(Math.max(30, performance.now() - began))
  }
}

/** The announcers of this lab that are still at work. */
export function announcers(lab: Lab): number[] {
  return processes(lab)
    .filter(({ command }) => /\/announce\.cjs|\.script --announce /.test(command))
    .map(({ pid }) => pid)
}

/** The processes that have this lab's folder in their environment. */
export function processes(lab: Lab): { pid: number; command: string }[] {
  const mark = `CTDB_BASE=${lab.dir}/etc\0`
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      if (!readFileSync(`/proc/${entry}/environ`, 'latin1').includes(mark)) return []
      return [
        { pid: Number(entry), command: readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ') },
      ]
    } catch {
      return [] // it has ended meanwhile, or is somebody else's
    }
  })
}

// ---------------------------------------------------------------- looking

interface Address {
  local?: string
  prefixlen?: number
  broadcast?: string
  tentative?: boolean
  dadfailed?: boolean
}

/** Where a host has an address, as `eth0/24`; and whether it can be used. */
export async function places(host: Host, ip: string): Promise<string[]> {
  const rows = JSON.parse(await host.must('ip', '-json', 'addr', 'show')) as {
    ifname: string
    addr_info: Address[]
  }[]
  return rows.flatMap(({ ifname, addr_info }) =>
    addr_info
      .filter(({ local }) => local === ip)
      .map(
        ({ prefixlen, tentative, dadfailed }) =>
          `${ifname}/${prefixlen}${dadfailed ? ' dadfailed' : tentative ? ' tentative' : ''}`,
      ),
  )
}

export async function macOf(host: Host, iface: string): Promise<string> {
  const rows = JSON.parse(await host.must('ip', '-json', 'link', 'show', 'dev', iface)) as {
    address: string
  }[]
  return rows[0]?.address ?? ''
}

/** The MAC under which a host knows a neighbour. */
export async function neighbour(host: Host, ip: string): Promise<string | undefined> {
  const rows = JSON.parse((await host.must('ip', '-json', 'neigh', 'show', ip)) || '[]') as {
    lladdr?: string
  }[]
  return rows[0]?.lladdr
}

/** The DROP rules of a node, both families. */
export async function dropRules(host: Host): Promise<string[]> {
  const rules: string[] = []
  for (const program of ['iptables', 'ip6tables'])
    if (programPath(program)) rules.push(await host.must(program, '-w', '-S', 'INPUT'))
  return rules
    .join('\n')
    .split('\n')
    .filter((line) => line.endsWith('-j DROP'))
}

/**
 * Everything that an event could have changed, as text to compare; counters, dates and what the kernel does by itself, the
 * link-local addresses, aside.
 */
export async function machine(host: Host): Promise<string> {
  const parts = [await host.must('ip', 'addr', 'show')]
  for (const program of ['iptables-save', 'ip6tables-save'])
    if (programPath(program)) parts.push(await host.must(program))
  return parts
    .join('\n')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\[\d+:\d+\]/g, '')
    .replaceAll(/^ +inet6 fe80::.*\n +valid_lft .*\n/gm, '')
}

/** Wait until the link-local addresses are there and nothing is tentative: a machine that nobody touches then stays so. */
export async function calm(host: Host): Promise<void> {
  await waitFor('the link-local addresses', async () => {
    const text = await host.must('ip', '-6', 'addr', 'show')
    return text.split('scope link').length === 3 && !text.includes('tentative')
  })
}

export function lines({ out, err }: Result): string[] {
  return `${out}${err}`.split('\n').filter(Boolean)
}

export function warnings(result: Result): string[] {
  return lines(result).filter((line) => line.startsWith('WARNING'))
}

/** A frame that tells where an address is. */
export interface Announcement {
  form: 'ARP request' | 'ARP reply' | 'neighbour advertisement'
  /** The MAC that the address is said to be at, which for ARP is also who sends it. */
  mac: string
  to: string
  /** Only of a neighbour advertisement. */
  override?: boolean
  solicited?: boolean
  hopLimit?: number
}

/**
 * Watch a wire for announcements of an address. Not with tcpdump, which wants to become another user at its start
 * and cannot in a user namespace; perl hands us the frames.
 */
export async function watch(
  host: Host,
  iface: string,
  ip: string,
): Promise<{ seen: () => Announcement[]; stop: () => void }> {
  const { frames, stop } = await capture(host, iface)
  return { seen: () => frames().flatMap((hex) => announcement(hex, ip) ?? []), stop }
}

/** All frames that pass an interface from now on, in hexadecimal. */
export async function capture(
  host: Host,
  iface: string,
): Promise<{ frames: () => string[]; stop: () => void }> {
  const rows = JSON.parse(await host.must('ip', '-json', 'link', 'show', 'dev', iface)) as {
    ifindex: number
  }[]
  const child = host.start('perl', '-e', FRAMES, String(rows[0]?.ifindex))
  let text = ''
  child.stdout?.on('data', (more: Buffer) => (text += more.toString()))
  await waitFor('perl to listen', () => text.startsWith('ready\n'))
  return { frames: () => text.split('\n').slice(1, -1), stop: () => child.kill() }
}

/** Who was asked for an address, and who answered: MACs of ARP, or of neighbour discovery without the duplicate check. */
export function questionsAndAnswers(
  frames: readonly string[],
  ip: string,
): { questions: number; answers: string[] } {
  const hex = (frame: string, from: number, to: number) => frame.slice(from * 2, to * 2)
  const from = (frame: string) => hex(frame, 6, 12).replaceAll(/..(?!$)/g, '$&:')
  const kind = (frame: string): 'question' | 'answer' | undefined => {
    if (!ip.includes(':')) {
      const address = Buffer.from(ip.split('.').map(Number)).toString('hex')
      if (hex(frame, 12, 14) !== '0806') return undefined
      const [sender, target] = [hex(frame, 28, 32), hex(frame, 38, 42)]
      if (hex(frame, 20, 22) === '0001')
        return target === address && sender !== address ? 'question' : undefined
      return sender === address && target !== address ? 'answer' : undefined
    }
    if (hex(frame, 12, 14) !== '86dd' || hex(frame, 20, 21) !== '3a' || hex(frame, 62, 78) !== hexDigits(ip))
      return undefined
    const isDad = hex(frame, 22, 38) === '0'.repeat(32)
    // 135 is a solicitation, 136 an advertisement; the flag 0x40 says that it was asked for
    if (hex(frame, 54, 55) === '87') return isDad ? undefined : 'question'
    return hex(frame, 54, 55) === '88' && parseInt(hex(frame, 58, 59), 16) & 0x40 ? 'answer' : undefined
  }
  return {
    questions: frames.filter((frame) => kind(frame) === 'question').length,
    answers: [...new Set(frames.filter((frame) => kind(frame) === 'answer').map(from))],
  }
}

/** Every frame of one interface in hexadecimal, a line each. 17 is AF_PACKET, 3 SOCK_RAW and ETH_P_ALL. */
const FRAMES = `$| = 1;
socket(S, 17, 3, unpack("S", pack("n", 3))) or die "socket: $!\\n";
bind(S, pack("SniSCCa8", 17, 3, $ARGV[0], 0, 0, 0, "")) or die "bind: $!\\n";
print "ready\\n";
while (1) { defined recv(S, $frame, 2048, 0) or next; print unpack("H*", $frame), "\\n" }`

function announcement(hex: string, ip: string): Announcement | undefined {
  const bytes = (from: number, to: number) => hex.slice(from * 2, to * 2)
  const number = (at: number) => parseInt(bytes(at, at + 1), 16)
  const mac = (at: number) => bytes(at, at + 6).replaceAll(/..(?!$)/g, '$&:')
  if (bytes(12, 14) === '0806') {
    const wanted = Buffer.from(ip.split('.').map(Number)).toString('hex')
    // gratuitous: sender and target are the same address
    if (bytes(28, 32) !== wanted || bytes(38, 42) !== wanted) return undefined
    return { form: number(21) === 1 ? 'ARP request' : 'ARP reply', mac: mac(22), to: mac(0) }
  }
  const isAdvertisement = bytes(12, 14) === '86dd' && number(20) === 58 && number(54) === 136
  if (!isAdvertisement || !ip.includes(':') || bytes(62, 78) !== hexDigits(ip)) return undefined
  return {
    form: 'neighbour advertisement',
    mac: number(78) === 2 ? mac(80) : 'none',
    to: bytes(38, 54),
    override: (number(58) & 0x20) !== 0,
    solicited: (number(58) & 0x40) !== 0,
    hopLimit: number(21),
  }
}

// ---------------------------------------------------------------- getting in the way

/** A program of our own instead of the real one, for everything in this lab. `$real` is the real one. */
export function standIn(lab: Lab, program: string, shell: string): void {
  const path = join(lab.dir, 'bin', program)
  writeFileSync(path, `#!/bin/sh\nreal=${programPath(program)}\n${shell}\n`)
  chmodSync(path, 0o755)
}

/** The real program again. */
export function noStandIn(lab: Lab, program: string): void {
  rmSync(join(lab.dir, 'bin', program), { force: true })
}

/** Run our script where PATH has these programs and no other: as on a machine that lacks the rest. */
export function scriptWithOnly(lab: Lab, programs: readonly string[], ...words: string[]): Promise<Result> {
  const folder = folderWith(lab, ['node', ...programs])
  return lab.node.run('/usr/bin/env', `PATH=${folder}`, SCRIPT, ...words)
}

/** A folder with these programs and no other, for PATH. */
export function folderWith(lab: Lab, programs: readonly string[]): string {
  const folder = mkdtempSync(join(lab.dir, 'only-'))
  const own: Record<string, string> = { node: process.execPath, ctdb: join(lab.dir, 'bin/ctdb') }
  for (const program of programs) {
    const path = own[program] ?? programPath(program)
    if (path) symlinkSync(path, join(folder, program))
  }
  return folder
}

/** What our script uses, all of it. */
export const ALL_PROGRAMS = ['ip', 'ss', 'iptables', 'ip6tables', 'flock', 'sh', 'arping', 'ndptool', 'ctdb']

// ---------------------------------------------------------------- TCP

/** Does anybody answer at this address? An ordinary machine may lack ping; a refused connection tells as much. */
export async function reaches(host: Host, address: string): Promise<boolean> {
  const { out } = await host.run(process.execPath, '-e', KNOCK, address)
  return out === 'ECONNREFUSED'
}

const KNOCK = `setTimeout(() => process.exit(), 5000).unref()
require('net').connect(9, process.argv[1]).on('error', e => process.stdout.write(e.code))`

/** A TCP server that says what it is asked to. */
export async function serve(host: Host, address: string, port: number): Promise<void> {
  const server = host.start(process.execPath, '-e', SERVER, address, String(port))
  let text = ''
  server.stdout?.on('data', (more: Buffer) => (text += more.toString()))
  await waitFor(`a server on ${address}`, () => text.includes('listening'))
}

const SERVER = `const server = require('net').createServer(c => { c.on('data', d => c.write(d)); c.on('error', () => {}) })
server.listen({ host: process.argv[1], port: Number(process.argv[2]) }, () => console.log('listening'))
setTimeout(() => process.exit(), 120000)`

export interface Client {
  /** `connected`, then `ECONNRESET`, `end` or what else became of it; `echo` when the server answered. */
  events: () => string[]
  /** Send something. */
  speak: () => void
}

/** A TCP connection that is there when this returns. */
export async function connect(host: Host, address: string, port: number): Promise<Client> {
  const file = join(tmpdir(), `eventscript-speak.${process.pid}.${(clients += 1)}`)
  const client = host.start(process.execPath, '-e', CLIENT, address, String(port), file)
  let text = ''
  client.stdout?.on('data', (more: Buffer) => (text += more.toString()))
  const events = () => text.split('\n').filter(Boolean)
  await waitFor(`a connection to ${address}`, () => events().includes('connected'))
  return { events, speak: () => writeFileSync(file, '') }
}

let clients = 0

/** It speaks when a file appears: a child of the lab has no standard input. */
const CLIENT = `const fs = require('fs'), [address, port, file] = process.argv.slice(1)
const c = require('net').connect(Number(port), address, () => console.log('connected'))
c.on('data', () => console.log('echo')); c.on('end', () => console.log('end'))
c.on('error', e => { console.log(e.code); process.exit() })
setInterval(() => { if (fs.existsSync(file)) { fs.rmSync(file); c.write('x') } }, 20)
setTimeout(() => process.exit(), 120000)`
