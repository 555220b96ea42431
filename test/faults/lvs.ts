/** LVS beside the public addresses: who leads, and what this node has to have then. IPVS itself is a stand-in, `ipvsadm.pl`. */
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'
import { programPath } from '../lab/needs.ts'
import { readOr } from '../lab/paths.ts'
import type { Random } from './random.ts'

const HEADER =
  '|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|\n'

export class LvsPart {
  readonly #lab: Lab
  readonly #ip: string
  /** This node, and the other. */
  readonly #nodes: readonly string[]
  #leads = false

  /** That address is shared. */
  constructor(lab: Lab, ip: string) {
    this.#lab = lab
    this.#ip = ip
    this.#nodes = ip.includes(':') ? ['fd00::11', 'fd00::12'] : ['10.0.0.11', '10.0.0.12']
    lab.configure('lvs_nodes', this.#nodes.map((each) => `${each}\n`).join(''))
    this.#say()
  }

  /** What the options say of it. */
  static options(ip: string): string {
    return `CTDB_LVS_NODES=$CTDB_BASE/lvs_nodes\nCTDB_LVS_PUBLIC_IP=${ip}\nCTDB_LVS_PUBLIC_IFACE=eth0\n`
  }

  /** From now on this node leads, or the other. */
  elect(random: Random): void {
    this.#leads = random.chance(0.5)
    this.#say()
  }

  /** What is not as it has to be after `ipreallocated`, a line each. */
  async wrong(): Promise<string[]> {
    const services = this.#services()
    const places = await this.#places()
    const lo = this.#ip.includes(':') || this.#leads ? 'lo global' : 'lo host'
    const wanted = this.#ip.includes(':') && this.#leads ? [lo, 'eth0 global'] : [lo]
    return [
      ...(places.join() === wanted.join()
        ? []
        : [`${this.#ip} is at ${places.join(', ') || 'no place'}, expected ${wanted.join(', ')}`]),
      ...(services.length === (this.#leads ? 6 : 0) ? [] : [`services of LVS: ${services.join('; ')}`]),
    ]
  }

  /** What is left after `shutdown`, a line each. */
  async left(): Promise<string[]> {
    const announce = await this.#lab.node.must('cat', '/proc/sys/net/ipv4/conf/all/arp_announce')
    return [
      ...(await this.#places()).map((place) => `left: ${this.#ip} at ${place}`),
      ...this.#services().map((line) => `left: ${line}`),
      ...(announce.trim() === '0' ? [] : [`left: arp_announce ${announce.trim()}`]),
    ]
  }

  /** The node with the lower number leads as long as it is healthy. */
  #say(): void {
    const rows = this.#nodes.map((ip, n) => {
      const isIll = n === 0 && !this.#leads
      return `|${n}|${ip}|0|0|0|0|${isIll ? 1 : 0}|0|0|0|${n === 0 ? 'Y' : 'N'}|\n`
    })
    this.#lab.ctdbSays('nodestatus_all', `${HEADER}${rows.join('')}`)
    this.#lab.ctdbSays('nodestatus', `${HEADER}${rows[0]}`)
  }

  #services(): string[] {
    return readOr(join(this.#lab.dir, 'ipvs')).split('\n').filter(Boolean)
  }

  /** Interface and scope. */
  async #places(): Promise<string[]> {
    const text = await this.#lab.node.must(programPath('ip') ?? 'ip', '-o', 'addr', 'show', 'to', this.#ip)
    return [...text.matchAll(/^\d+: (\S+) .* scope (\S+)/gm)].map(([, iface, scope]) => `${iface} ${scope}`)
  }
}
