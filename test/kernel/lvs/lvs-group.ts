/** Three nodes that share an LVS address, and clients on the same wire that come from six addresses each. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '../../lab/host/host.ts'
import type { Namespace, Result } from '../../lab/host/namespace.ts'
import { questionsAndAnswers } from '../../lab/host/wire.ts'
import type { Lab } from '../../lab/lab.ts'
import { programPath } from '../../lab/needs.ts'
import { DIST } from '../../lab/paths.ts'
import { writeProgram } from '../../lab/stand-ins.ts'
import { waitFor } from '../../lab/wait-for.ts'

export const LVS_FAMILIES = [
  {
    family: 'IPv4',
    ip: '10.0.0.100',
    node: (n: number) => `10.0.0.1${n}`,
    client: (n: number) => `10.0.0.20${n}`,
    bits: '24',
  },
  {
    family: 'IPv6',
    ip: 'fd00::100',
    node: (n: number) => `fd00::1${n}`,
    client: (n: number) => `fd00::20${n}`,
    bits: '64',
  },
] as const
export type LvsFamily = (typeof LVS_FAMILIES)[number]

/** The shared address, and those of its clients. */
export interface Shared {
  ip: string
  client: (n: number) => string
  bits: string
}

/** The columns of `ctdb -X nodestatus` after number and address, of ctdb 4.17. */
const HEADER =
  '|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|\n'
const FLAGS = {
  ok: '0|0|0|0|0|0|0|0',
  unhealthy: '0|0|0|0|1|0|0|0',
  disabled: '0|0|0|1|0|0|0|0',
  stopped: '0|0|0|0|0|1|1|0',
  disconnected: '1|0|0|0|0|0|1|0',
}
export type Health = keyof typeof FLAGS
/** What `ctdb nodestatus` ends with: the flags of all nodes, no sign of trouble. */
const EXIT = { ok: 0, unhealthy: 2, disabled: 4, stopped: 32, disconnected: 1 }

export interface GroupNode {
  host: Host
  number: number
  address: string
  dir: string
  env: Record<string, string>
  lvs: (event: string) => Promise<Result>
}

export class LvsGroup {
  readonly nodes: GroupNode[] = []
  readonly lab: Lab
  readonly family: LvsFamily

  private constructor(lab: Lab, family: LvsFamily) {
    this.lab = lab
    this.family = family
  }

  static async start(lab: Lab, family: LvsFamily, members = ['', '', '']): Promise<LvsGroup> {
    const group = new LvsGroup(lab, family)
    await lab.node.must('ip', 'link', 'set', 'eth1', 'down')
    const hosts = [lab.node, await lab.plugIn('b'), await lab.plugIn('c')]
    for (const [number, host] of hosts.entries()) await group.#addNode(host, number)
    const file = members.map((option, i) => `${family.node(i)} ${option}\n`).join('')
    writeFileSync(join(lab.dir, 'lvs_nodes'), file)
    group.health('ok', 'ok', 'ok')
    return group
  }

  async #addNode(host: Host, number: number): Promise<void> {
    const { node, bits, ip } = this.family
    const address = node(number)
    const dad = address.includes(':') ? ['nodad'] : []
    await host.must('ip', 'addr', 'add', `${address}/${bits}`, 'dev', 'eth0', ...dad)
    await host.must(
      'sh',
      '-c',
      'cd /proc/sys/net/ipv6; echo 0 >conf/eth0/router_solicitation_delay; echo 100 >neigh/eth0/retrans_time_ms',
    )
    const dir = join(this.lab.dir, `node${number}`)
    for (const folder of ['etc', 'var', 'says']) mkdirSync(join(dir, folder), { recursive: true })
    writeFileSync(join(dir, 'says/pnn'), `echo ${number}\n`)
    const options = `CTDB_LVS_NODES=${this.lab.dir}/lvs_nodes\nCTDB_LVS_PUBLIC_IP=${ip}\nCTDB_LVS_PUBLIC_IFACE=eth0\n`
    writeFileSync(join(dir, 'etc/script.options'), options)
    standInForCtdb(dir)
    const env = { CTDB_BASE: join(dir, 'etc'), CTDB_SCRIPT_VARDIR: join(dir, 'var'), CTDB: join(dir, 'ctdb') }
    const words = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const script = join(DIST, 'events.d/91.lvs.script')
    const lvs = (event: string) => host.run('/usr/bin/env', ...words, script, event)
    this.nodes.push({ host, number, address, dir, env, lvs })
  }

  /** What the daemon of each node says of all of them. */
  health(...all: Health[]): void {
    for (const { number, dir } of this.nodes) {
      const row = (n: number) =>
        `|${n}|${this.family.node(n)}|${FLAGS[all[n] ?? 'ok']}|${n === number ? 'Y' : 'N'}|\n`
      const status = all.map((each) => EXIT[each]).reduce((a, b) => a | b)
      const say = (what: string, text: string, exit: number) =>
        writeFileSync(join(dir, 'says', what), `cat <<'TABLE'\n${text}TABLE\nexit ${exit}\n`)
      say('-X_nodestatus_all', HEADER + all.map((_, n) => row(n)).join(''), status)
      say('-X_nodestatus', HEADER + row(number), EXIT[all[number] ?? 'ok'])
    }
  }

  /** The daemon of that node does not answer. */
  silence({ dir }: GroupNode): void {
    for (const what of ['-X_nodestatus_all', '-X_nodestatus'])
      writeFileSync(join(dir, 'says', what), 'echo "connect() failed, errno=2" >&2\nexit 1\n')
  }

  /** An event on all nodes at once, as ctdbd sends them. */
  async all(event: string): Promise<Result[]> {
    return await Promise.all(this.nodes.map((node) => node.lvs(event)))
  }

  /** On every node a server of TCP and UDP that says which node it is. After startup: UDP answers from an address of its own. */
  async serve(): Promise<void> {
    for (const { host, number } of this.nodes) await serveOn(host, number, this.family.ip)
  }

  /** Six clients, by address: each keeps a connection, sends something time and again, and connects anew when it ends. */
  async clients(): Promise<Clients> {
    return await clientsOn(this.lab.observer, 'lan', this.family)
  }

  /** Of clients to the shared address: both ends of each. */
  async connections({ host }: GroupNode): Promise<string[]> {
    const out = await host.must('ss', '-tnH', 'state', 'established', 'src', `[${this.family.ip}]`)
    return out
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim().split(/\s+/).slice(2, 4).join(' '))
  }

  async services({ host }: GroupNode): Promise<string[]> {
    return (await host.must(programPath('ipvsadm') ?? 'ipvsadm', '-S', '-n'))
      .split('\n')
      .filter(Boolean)
      .toSorted()
  }
}

export interface Clients {
  addresses: string[]
  log: () => string
  /** How much has happened: give it to `servers`. */
  mark: () => number
  /** Which node has answered which client last, since that mark: over TCP (`echo`) or UDP (`udp`). */
  servers: (since: number, kind?: 'echo' | 'udp') => Map<string, string>
  stop: () => void
}

/** A server of TCP and UDP that says which node it is. */
export async function serveOn(host: Namespace, number: number, ip: string): Promise<void> {
  const { text } = host.listen(process.execPath, '-e', SERVER, String(number), ip)
  await waitFor(`the server of node ${number}`, () => text().includes('listening'))
}

/** Clients with addresses of their own on that interface; see LvsGroup.clients. */
export async function clientsOn(
  host: Namespace,
  iface: string,
  { client, ip, bits }: Shared,
): Promise<Clients> {
  const addresses = [1, 2, 3, 4, 5, 6].map(client)
  const dad = ip.includes(':') ? ['nodad'] : []
  for (const address of addresses)
    await host.must('ip', 'addr', 'add', `${address}/${bits}`, 'dev', iface, ...dad)
  const { text, stop } = host.listen(process.execPath, '-e', CLIENTS, ip, ...addresses)
  const rows = () =>
    text()
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' '))
  return {
    addresses,
    log: text,
    mark: () => rows().length,
    servers: (since, kind = 'echo') => {
      const found = new Map<string, string>()
      for (const [what, from = '', by = ''] of rows().slice(since)) if (what === kind) found.set(from, by)
      return found
    },
    stop,
  }
}

/** Prints what the test has left for the question; writes its words down. */
function standInForCtdb(dir: string): void {
  const text = `echo "$*" >>'${dir}/calls'\nsays='${dir}/says/'$(echo "$*" | tr ' ' _)\n[ ! -e "$says" ] || . "$says"`
  writeProgram(join(dir, 'ctdb'), text)
}

const SERVER = `const [number, ip] = process.argv.slice(1), v6 = ip.includes(':')
const server = require('net').createServer(c => { c.on('data', () => c.write(number)); c.on('error', () => {}) })
const udp = require('dgram').createSocket(v6 ? 'udp6' : 'udp4')
udp.on('message', (_, { port, address }) => udp.send(number, port, address))
server.listen({ host: v6 ? '::' : '0.0.0.0', port: 445 }, () => udp.bind(445, ip, () => console.log('listening')))
setTimeout(() => process.exit(), 600000)`

const CLIENTS = `const net = require('net'), [ip, ...addresses] = process.argv.slice(1)
const say = (...words) => console.log(words.join(' '))
for (const localAddress of addresses) {
  const open = () => {
    const c = net.connect({ host: ip, port: 445, localAddress })
    const timer = setInterval(() => c.write('x'), 300)
    // a packet that nobody takes is no news: another connection is tried
    const patience = setTimeout(() => c.destroy(new Error('unanswered')), 4000)
    c.on('data', d => { patience.refresh(); say('echo', localAddress, String(d).at(-1)) })
    c.on('error', e => say('error', localAddress, e.code ?? e.message))
    c.on('close', () => { clearInterval(timer); clearTimeout(patience); say('close', localAddress); setTimeout(open, 300) })
  }
  open()
  const udp = require('dgram').createSocket(ip.includes(':') ? 'udp6' : 'udp4')
  udp.on('message', d => say('udp', localAddress, String(d)))
  udp.on('error', () => {})
  udp.bind(0, localAddress, () => setInterval(() => udp.send('x', 445, ip), 500))
}
setTimeout(() => process.exit(), 600000)`

/** Who was asked for the address on the wire, and who answered, while that went on. */
export async function whileWatching(lab: Lab, ip: string, work: () => Promise<unknown>) {
  const { frames, stop } = await lab.observer.capture('lan')
  await work()
  const seen = questionsAndAnswers(frames(), ip)
  stop()
  return seen
}
