/**
 * The view from the other side of the wire: the time of the first announcement of each address. tcpdump is
 * unsuitable: it changes to another user at its start, and cannot in a user namespace. perl passes the frames on,
 * with the kernel's times.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { hexDigits } from '../../../runner/inet/address.ts'

/**
 * ARP, neighbour advertisements to all nodes, and VRRP, as "SECONDS.MICROSECONDS HEX". 17 is AF_PACKET, 3 SOCK_RAW and
 * ETH_P_ALL; 1 and 33 are SOL_SOCKET and SO_RCVBUFFORCE, 8 SO_RCVBUF; 0x8906 is SIOCGSTAMP.
 */
const FRAMES = `$| = 1;
socket(S, 17, 3, unpack("S", pack("n", 3))) or die "socket: $!\\n";
setsockopt(S, 1, 33, 1 << 24) or setsockopt(S, 1, 8, 1 << 24);
bind(S, pack("SniSCCa8", 17, 3, $ARGV[0], 0, 0, 0, "")) or die "bind: $!\\n";
$time = pack("qq", 0, 0); ioctl(S, 0x8906, $time);
print "ready\\n";
while (1) {
  defined recv(S, $frame, 100, 0) or next;
  $type = unpack("H4", substr($frame, 12, 2));
  next unless $type eq "0806" or $type eq "0800" && ord(substr($frame, 23, 1)) == 112
    or $type eq "86dd" && (ord(substr($frame, 20, 1)) == 112
      or ord(substr($frame, 20, 1)) == 58 && ord(substr($frame, 54, 1)) == 136 && ord(substr($frame, 38, 1)) == 255);
  ioctl(S, 0x8906, $time) or die "SIOCGSTAMP: $!\\n";
  printf "%d.%06d %s\\n", unpack("qq", $time), unpack("H*", $frame);
}`

export class WireWatch {
  readonly #child: ChildProcess
  /** By hexadecimal address: the time of the first announcement. */
  readonly #first = new Map<string, number>()
  #vrrp: number | undefined
  #rest = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.on('data', (data: Buffer) => this.#heard(data.toString()))
  }

  /** Watches the interface of that number, on the host whose namespaces are that process's. */
  static async start({ pid, iface }: { pid: number; iface: number }): Promise<WireWatch> {
    const argv = ['-t', String(pid), '-n', '--', 'perl', '-e', FRAMES, String(iface)]
    const child = spawn('nsenter', argv, { stdio: ['ignore', 'pipe', 'ignore'] })
    const watch = new WireWatch(child)
    const [began] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown]
    if (!Buffer.isBuffer(began)) throw new Error(`perl ended at once`)
    return watch
  }

  #heard(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const [seconds, frame] = line.split(' ')
      if (frame) this.#frame(Number(seconds) * 1000, frame)
    }
  }

  #frame(at: number, frame: string): void {
    const bytes = (from: number, to: number) => frame.slice(from * 2, to * 2)
    const type = bytes(12, 14)
    if (type === '0806') {
      // Gratuitous: sender and target are the same address.
      if (bytes(28, 32) === bytes(38, 42)) this.#announced(bytes(28, 32), at)
    } else if (type === '86dd' && bytes(20, 21) === '3a') this.#announced(bytes(62, 78), at)
    else this.#vrrp ??= at
  }

  #announced(address: string, at: number): void {
    if (!this.#first.has(address)) this.#first.set(address, at)
  }

  forget(): void {
    this.#first.clear()
    this.#vrrp = undefined
  }

  /** The time when a VRRP router declared itself master, in milliseconds since 1970. */
  get mastered(): number | undefined {
    return this.#vrrp
  }

  /** Of these addresses, the announced ones with their times, in milliseconds since 1970. */
  announced(addresses: readonly string[]): number[] {
    return addresses.flatMap((address) => this.#first.get(wireForm(address)) ?? [])
  }

  close(): void {
    this.#child.kill()
  }
}

function wireForm(address: string): string {
  return address.includes(':')
    ? hexDigits(address)
    : Buffer.from(address.split('.').map(Number)).toString('hex')
}
