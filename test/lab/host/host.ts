/** A host of a lab: programs run there, its addresses and rules are looked at, its wires are watched. */
import { programPath } from '../needs.ts'
import { waitFor } from '../wait-for.ts'
import { connect, isAnswered, serve, type Client } from './clients.ts'
import { Namespace } from './namespace.ts'
import { announcementOf, capture, type Announcement, type Capture } from './wire.ts'

interface Link {
  ifname: string
  ifindex: number
  address: string
}

interface Address {
  local?: string
  prefixlen?: number
  tentative?: boolean
  dadfailed?: boolean
}

export class Host extends Namespace {
  /** The process whose namespaces these are. */
  readonly pid: number

  constructor(pid: number, enter: readonly string[], env: Record<string, string>) {
    super(enter, env)
    this.pid = pid
  }

  /** The same host, where every program is started by these words. */
  by(...words: string[]): Host {
    return new Host(this.pid, [...this.enter, ...words], this.env)
  }

  // ---------------------------------------------------------------- what it has

  /** Where the host has an address, as `eth0/24`; and whether it can be used. */
  async places(ip: string): Promise<string[]> {
    const rows = (await this.#json('addr', 'show')) as { ifname: string; addr_info: Address[] }[]
    return rows.flatMap(({ ifname, addr_info }) =>
      addr_info
        .filter(({ local }) => local === ip)
        .map(
          ({ prefixlen, tentative, dadfailed }) =>
            `${ifname}/${prefixlen}${dadfailed ? ' dadfailed' : tentative ? ' tentative' : ''}`,
        ),
    )
  }

  async macOf(iface: string): Promise<string> {
    return (await this.#link(iface))?.address ?? ''
  }

  /** The MAC under which the host knows a neighbour. */
  async neighbour(ip: string): Promise<string | undefined> {
    const rows = (await this.#json('neigh', 'show', ip)) as { lladdr?: string }[]
    return rows[0]?.lladdr
  }

  /** The DROP rules, both families. */
  async dropRules(): Promise<string[]> {
    const rules: string[] = []
    for (const program of ['iptables', 'ip6tables'])
      if (programPath(program)) rules.push(await this.must(program, '-w', '3', '-S', 'INPUT'))
    return rules
      .join('\n')
      .split('\n')
      .filter((line) => line.endsWith('-j DROP'))
  }

  /**
   * Everything that an event could have changed, as text to compare. Left out: counters, dates, and the link-local
   * addresses, which the kernel changes by itself.
   */
  async state(): Promise<string> {
    const parts = [await this.must('ip', 'addr', 'show')]
    for (const program of ['iptables-save', 'ip6tables-save'])
      if (programPath(program)) parts.push(await this.must(program))
    return parts
      .join('\n')
      .replaceAll(/^#.*\n/gm, '')
      .replaceAll(/\[\d+:\d+\]/g, '')
      .replaceAll(/^ +inet6 fe80::.*\n +valid_lft .*\n/gm, '')
  }

  /** Wait until the link-local addresses are there and nothing is tentative: a host that nobody touches then stays so. */
  async calm(): Promise<void> {
    await waitFor('the link-local addresses', async () => {
      const text = await this.must('ip', '-6', 'addr', 'show')
      return text.split('scope link').length === 3 && !text.includes('tentative')
    })
  }

  // ---------------------------------------------------------------- how it is set up

  async writeSysctl(name: string, value: number): Promise<void> {
    await this.must('sh', '-c', `echo ${value} >/proc/sys/${name}`)
  }

  /** A file system that refuses to be written: after a disk error, or /proc/sys of a container. */
  async makeReadOnly(folder: string): Promise<void> {
    await this.must('mount', '--bind', folder, folder)
    await this.must('mount', '-o', 'remount,bind,ro', folder)
  }

  // ---------------------------------------------------------------- wires and clients

  /** All frames that pass an interface from now on. */
  async capture(iface: string): Promise<Capture> {
    return await capture(this, (await this.#link(iface))?.ifindex ?? 0)
  }

  /** Watch a wire for announcements of an address. */
  async watch(iface: string, ip: string): Promise<{ seen: () => Announcement[]; stop: () => void }> {
    const { frames, stop } = await this.capture(iface)
    return { seen: () => frames().flatMap((hex) => announcementOf(hex, ip) ?? []), stop }
  }

  /** Does anybody answer at this address? */
  async reaches(address: string): Promise<boolean> {
    return await isAnswered(this, address)
  }

  /** A TCP server that sends back what it gets. */
  async serve(address: string, port: number): Promise<void> {
    await serve(this, address, port)
  }

  /** A TCP connection that is there when this resolves. */
  async connect(address: string, port: number): Promise<Client> {
    return await connect(this, address, port)
  }

  async #link(iface: string): Promise<Link | undefined> {
    return ((await this.#json('link', 'show', 'dev', iface)) as Link[])[0]
  }

  async #json(...words: string[]): Promise<unknown> {
    return JSON.parse((await this.must('ip', '-json', ...words)) || '[]')
  }
}
