/**
 * Two hosts on one wire, without touching the machine's own network and without root: a node that runs the
 * handlers (eth0, eth1) and an observer whose bridge `lan` both of the node's interfaces are plugged into. Each is
 * a network namespace inside one user namespace; they go when this process does.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { startDaemon, type Daemon } from './daemon.ts'
import { plug, wire } from './host/cables.ts'
import type { Host } from './host/host.ts'
import type { Result } from './host/namespace.ts'
import { Namespaces } from './host/namespaces.ts'
import { PATH } from './needs.ts'
import { DIST, MAIN, readOr, SCRIPT } from './paths.ts'
import { processesOf, type Process } from './processes.ts'
import { folderWith, noStandIn, standIn, standInForCtdb } from './stand-ins.ts'
import { waitFor } from './wait-for.ts'

export interface LabOptions {
  /** Without a user namespace, which needs root: there the kernel keeps IPVS to the machine's own root. */
  asRoot?: boolean
}

export class Lab {
  readonly node: Host
  readonly observer: Host
  /**
   * A folder of its own: `etc` is CTDB_BASE, `var` is CTDB_SCRIPT_VARDIR, `bin` comes first in PATH, `iproute2` is the
   * node's /etc/iproute2.
   */
  readonly dir: string
  readonly env: Record<string, string>
  readonly #namespaces: Namespaces

  private constructor(node: Host, observer: Host, dir: string, namespaces: Namespaces) {
    this.node = node
    this.observer = observer
    this.dir = dir
    this.env = node.env
    this.#namespaces = namespaces
  }

  static async start({ asRoot = false }: LabOptions = {}): Promise<Lab> {
    const dir = mkdtempSync(join(tmpdir(), 'eventscript-lab-'))
    for (const folder of ['etc', 'var', 'bin', 'says', 'iproute2']) mkdirSync(join(dir, folder))
    standInForCtdb(dir)
    const namespaces = new Namespaces(environment(dir), asRoot)
    const node = await namespaces.first()
    const observer = await namespaces.beside(node)
    await node.must('mount', '-t', 'tmpfs', 'tmpfs', '/run') // iptables keeps a lock there
    if (hasTables()) await node.must('mount', '--bind', join(dir, 'iproute2'), '/etc/iproute2')
    await wire(node, observer)
    const lab = new Lab(node, observer, dir, namespaces)
    lab.ctdbSays('pnn', '0\n')
    lab.ctdbSays(
      'nodestatus all',
      '|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|\n|0|10.1.0.1|0|0|0|0|0|0|0|0|Y|\n',
    )
    lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|eth0|1|0|\n|eth1|1|0|\n')
    lab.configure('public_addresses', '10.0.0.1/24 eth0,eth1\nfd00::1/64 eth0,eth1\n')
    return lab
  }

  /** The same lab, with another way into its node. */
  withNode(node: Host): Lab {
    return new Lab(node, this.observer, this.dir, this.#namespaces)
  }

  /** One more host on the same wire, by its only interface `eth0`. */
  async plugIn(name: string): Promise<Host> {
    const guest = await this.#namespaces.beside(this.node)
    await guest.must('ip', 'link', 'set', 'lo', 'up')
    await plug(guest, 'eth0', this.observer, `port-${name}`)
    return guest
  }

  /** One more host, which has this IPv6 address. */
  async rival(ip: string): Promise<Host> {
    const rival = await this.plugIn('rival')
    await rival.must('ip', 'addr', 'add', `${ip}/64`, 'dev', 'eth0', 'nodad')
    await waitFor('the rival to answer', () => this.observer.reaches(ip))
    return rival
  }

  async close(): Promise<void> {
    await this.#namespaces.close()
    // a process that is being ended may still write there
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  // ---------------------------------------------------------------- running

  /** `eventscript …` on the node. */
  async eventscript(...words: string[]): Promise<Result> {
    return await this.node.run(process.execPath, MAIN, ...words)
  }

  /** `10.interface.script …` on the node, as ctdb-eventd calls it. */
  async script(...words: string[]): Promise<Result> {
    return await this.node.run(SCRIPT, ...words)
  }

  /** `NN.name.script …` on the node, as ctdb-eventd calls it. */
  async handler(name: string, ...words: string[]): Promise<Result> {
    return await this.node.run(join(DIST, `events.d/${name}.script`), ...words)
  }

  /** Run our script where PATH has these programs and no other: as on a machine that lacks the rest. */
  async scriptWithOnly(programs: readonly string[], ...words: string[]): Promise<Result> {
    return await this.node.run(
      '/usr/bin/env',
      `PATH=${this.folderWith(['node', ...programs])}`,
      SCRIPT,
      ...words,
    )
  }

  /** Our event daemon on the node. It ends with the lab, and with `parent`, which stands for ctdbd. */
  async daemon(settings = '', parent = 0): Promise<Daemon> {
    if (settings !== '') this.configure('script.options', settings)
    return await startDaemon(this.node, join(this.dir, 'etc'), parent)
  }

  /** The processes that this lab has started and that are still there. */
  processes(): Process[] {
    return processesOf(this.dir)
  }

  /** The announcers that are still at work. */
  announcers(): number[] {
    return this.processes()
      .filter(({ command }) => /\/announce\.cjs|\.script --announce /.test(command))
      .map(({ pid }) => pid)
  }

  // ---------------------------------------------------------------- what the node finds

  /** Write public_addresses, script.options … below CTDB_BASE. */
  configure(file: string, text: string): void {
    mkdirSync(join(this.dir, 'etc', file, '..'), { recursive: true })
    writeFileSync(join(this.dir, 'etc', file), text)
  }

  /** The public addresses that the node's list of hosted ones has; undefined where there is no list. */
  hosted(): string[] | undefined {
    const file = join(this.dir, 'var/my-public-ip-addresses')
    return existsSync(file) ? readOr(file).split('\n').filter(Boolean).toSorted() : undefined
  }

  /** What the stand-in for the ctdb tool was called with, a line each. */
  ctdbCalls(): string[] {
    return readOr(join(this.dir, 'calls')).split('\n').filter(Boolean)
  }

  /** What that stand-in prints for `ifaces`, `ip`, `pnn`, `gettickles ADDRESS`. */
  ctdbSays(question: string, text: string): void {
    writeFileSync(join(this.dir, 'says', question.replaceAll(' ', '_')), text)
  }

  /** A program of our own instead of the real one, for everything in this lab. `$real` is the real one. */
  standIn(program: string, shell: string): void {
    standIn(this.dir, program, shell)
  }

  /** The real program again. */
  noStandIn(program: string): void {
    noStandIn(this.dir, program)
  }

  /** A folder with these programs and no other, for PATH. */
  folderWith(programs: readonly string[]): string {
    return folderWith(this.dir, programs)
  }
}

/** The node's /etc/iproute2 is a folder of the lab: the machine's own rt_tables must never be written to. */
const hasTables = () => existsSync('/etc/iproute2')

function environment(dir: string): Record<string, string> {
  return {
    PATH: `${join(dir, 'bin')}${delimiter}${PATH}`,
    CTDB_BASE: join(dir, 'etc'),
    CTDB_SCRIPT_VARDIR: join(dir, 'var'),
    CTDB: join(dir, 'bin/ctdb'),
    NO_COLOR: '1',
    // without that folder `ip` looks nowhere: it prints numbers for names
    ...(hasTables() ? {} : { CTDB_SYS_ETCDIR: dir }),
  }
}
