/** Learns from the kernel, by `ip monitor` with its own times, which addresses are up: present and not tentative. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { ALL, type Family } from './addresses.ts'
import { now, within } from './clock.ts'

/** A socket buffer that holds the events of a thousand addresses. */
const BUFFER = String(4 << 20)

export class PresentWatch {
  readonly #child: ChildProcess
  readonly #since = new Map<string, number>()
  #rest = ''

  constructor() {
    this.#child = spawn('ip', ['-rcvbuf', BUFFER, '-ts', '-o', 'monitor', 'address'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, TZ: 'UTC' },
    })
    this.#child.stdout?.on('data', (data: Buffer) => this.#heard(data.toString()))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  #heard(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, time = '', more = ''] = /^\[([^\]]+)\](.*)$/.exec(line) ?? []
      const address = / inet6? ([^/ ]+)\//.exec(more)?.[1]
      if (!address || more.startsWith('Deleted') || / tentative/.test(more)) continue
      // node has milliseconds only, ip gives microseconds.
      const at = Date.parse(`${time.slice(0, 23)}Z`) + Number(time.slice(23)) / 1000
      if (!this.#since.has(address)) this.#since.set(address, at)
    }
  }

  forget(): void {
    this.#since.clear()
  }

  /**
   * The time when the last of these addresses was up, in milliseconds since 1970. Undefined when some are not up in
   * time.
   */
  async all(addresses: readonly string[], ms: number): Promise<number | undefined> {
    const told = () => addresses.every((address) => this.#since.has(address))
    if (await within(ms, told)) return Math.max(...addresses.map((address) => this.#since.get(address) ?? 0))
    // The kernel drops events when the buffers are full.
    const family: Family = addresses[0]?.includes(':') ? 'IPv6' : 'IPv4'
    return upNow(family).size >= addresses.length ? now() : undefined
  }

  close(): void {
    this.#child.kill()
  }
}

/** The bench's addresses that the kernel has and that can be bound. */
export function upNow(family: Family): Set<string> {
  const argv = ['-o', family === 'IPv4' ? '-4' : '-6', 'addr', 'show', 'dev', 'eth0', 'to', ALL[family]]
  const text = execFileSync('ip', argv, { encoding: 'utf8' })
  const up = text.split('\n').filter((line) => line !== '' && !/ tentative| dadfailed/.test(line))
  return new Set(up.map((line) => / inet6? ([^/ ]+)\//.exec(line)?.[1] ?? ''))
}
