/** Frames of a wire: all that pass an interface, and what they say of an address. */
import { hexDigits } from '../../../runner/inet/address.ts'
import { waitFor } from '../wait-for.ts'
import type { Namespace } from './namespace.ts'

export interface Capture {
  /** All frames so far, in hexadecimal. */
  frames: () => string[]
  stop: () => void
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

/** Every frame of one interface in hexadecimal, a line each. 17 is AF_PACKET, 3 SOCK_RAW and ETH_P_ALL. */
const FRAMES = `$| = 1;
socket(S, 17, 3, unpack("S", pack("n", 3))) or die "socket: $!\\n";
bind(S, pack("SniSCCa8", 17, 3, $ARGV[0], 0, 0, 0, "")) or die "bind: $!\\n";
print "ready\\n";
while (1) { defined recv(S, $frame, 2048, 0) or next; print unpack("H*", $frame), "\\n" }`

/**
 * All frames that pass an interface from now on. Perl hands them to us: tcpdump wants to become another user at its
 * start, and cannot in a user namespace.
 */
export async function capture(host: Namespace, ifindex: number): Promise<Capture> {
  const { text, stop } = host.listen('perl', '-e', FRAMES, String(ifindex))
  await waitFor('perl to listen', () => text().startsWith('ready\n'))
  return { frames: () => text().split('\n').slice(1, -1), stop }
}

const bytes = (frame: string, from: number, to = from + 1) => frame.slice(from * 2, to * 2)
const byte = (frame: string, at: number) => parseInt(bytes(frame, at), 16)
const mac = (frame: string, at: number) => bytes(frame, at, at + 6).replaceAll(/..(?!$)/g, '$&:')
const ipv4Digits = (ip: string) => Buffer.from(ip.split('.').map(Number)).toString('hex')
const isArp = (frame: string) => bytes(frame, 12, 14) === '0806'
/** Of neighbour discovery: 135 is a solicitation, 136 an advertisement. */
const icmpType = (frame: string) =>
  bytes(frame, 12, 14) === '86dd' && byte(frame, 20) === 58 ? byte(frame, 54) : undefined
const SOLICITED = 0x40
const OVERRIDE = 0x20

/** What a frame announces of an address; undefined where it announces something else. */
export function announcementOf(frame: string, ip: string): Announcement | undefined {
  if (isArp(frame)) {
    const wanted = ipv4Digits(ip)
    // gratuitous: sender and target are the same address
    if (bytes(frame, 28, 32) !== wanted || bytes(frame, 38, 42) !== wanted) return undefined
    const form = byte(frame, 21) === 1 ? 'ARP request' : 'ARP reply'
    return { form, mac: mac(frame, 22), to: mac(frame, 0) }
  }
  if (icmpType(frame) !== 136 || !ip.includes(':') || bytes(frame, 62, 78) !== hexDigits(ip)) return undefined
  return {
    form: 'neighbour advertisement',
    mac: byte(frame, 78) === 2 ? mac(frame, 80) : 'none',
    to: bytes(frame, 38, 54),
    override: (byte(frame, 58) & OVERRIDE) !== 0,
    solicited: (byte(frame, 58) & SOLICITED) !== 0,
    hopLimit: byte(frame, 21),
  }
}

/** Who was asked for an address, and who answered: MACs of ARP, or of neighbour discovery without the duplicate check. */
export function questionsAndAnswers(
  frames: readonly string[],
  ip: string,
): { questions: number; answers: string[] } {
  const kindOf = ip.includes(':') ? kindOfNeighbourDiscovery : kindOfArp
  const answers = frames.filter((frame) => kindOf(frame, ip) === 'answer')
  return {
    questions: frames.filter((frame) => kindOf(frame, ip) === 'question').length,
    answers: [...new Set(answers.map((frame) => mac(frame, 6)))],
  }
}

type Kind = 'question' | 'answer' | undefined

function kindOfArp(frame: string, ip: string): Kind {
  if (!isArp(frame)) return undefined
  const address = ipv4Digits(ip)
  const [sender, target] = [bytes(frame, 28, 32), bytes(frame, 38, 42)]
  if (bytes(frame, 20, 22) === '0001')
    return target === address && sender !== address ? 'question' : undefined
  return sender === address && target !== address ? 'answer' : undefined
}

function kindOfNeighbourDiscovery(frame: string, ip: string): Kind {
  if (bytes(frame, 62, 78) !== hexDigits(ip)) return undefined
  const isDad = bytes(frame, 22, 38) === '0'.repeat(32)
  if (icmpType(frame) === 135) return isDad ? undefined : 'question'
  return icmpType(frame) === 136 && byte(frame, 58) & SOLICITED ? 'answer' : undefined
}
