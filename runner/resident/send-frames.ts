import { setTimeout as sleep } from 'node:timers/promises'
import { startCoprocess, type Coprocess } from '../machine/coprocess.ts'
import type { FrameSender, Packet } from '../net/announce/packets.ts'
import { complainOnce } from './send-by-programs.ts'

/**
 * node has no packet sockets. A line is the name of an interface and a frame; `end` is answered when all before it are
 * sent. No module is loaded, so it starts in 3 ms. 17 is AF_PACKET, 2 AF_INET; 3 SOCK_RAW, 2 SOCK_DGRAM; 0x8933
 * SIOCGIFINDEX; protocol 0 receives nothing. 0x40 is MSG_DONTWAIT: an interface that lets nothing out is told, and does not
 * keep the others from theirs.
 */
const PERL = String.raw`$| = 1;
socket(S, 17, 3, 0) && socket(I, 2, 2, 0) or exit 1;
print "ready\n";
while (<STDIN>) {
  if ($_ eq "end\n") { print "sent\n"; next }
  my ($name, $frame) = split;
  my $request = pack("a16x24", $name);
  my $sent = ioctl(I, 0x8933, $request)
    && send(S, pack("H*", $frame), 0x40, pack("SniSCCa8", 17, 0, unpack("x16i", $request), 0, 0, 0, ""));
  print STDERR "$name: $!\n" unless $sent;
}`

/** Frames in one go, and milliseconds to the next: the queue of an interface holds 1,000 as a rule. */
const MOST = 100
const PAUSE_MS = 5
/** Where it could not be begun it is tried again so many milliseconds later: memory may have been short. */
const AGAIN_MS = 60_000

/** What perl says on standard error goes to `complain`: a line for all that are sent together. */
export function transmitter(complain: (line: string) => void): FrameSender {
  let perl: Coprocess | undefined
  /** Of the monotonic clock. */
  let notBefore = 0
  let said = ''
  let heard: (line: string) => void = () => {}

  /** Undefined where there is no perl, or no packet socket for us. */
  const begin = () =>
    new Promise<Coprocess | undefined>((resolve) => {
      heard = (line) => resolve(line === 'ready' ? started : undefined)
      const started = startCoprocess(['perl', '-e', PERL], {
        out: (text) => heard(text.trim()),
        err: (text) => void (said += text),
        ended() {
          perl = undefined
          heard('ended')
        },
      })
    })

  const sendTogether = ({ send }: Coprocess, packets: readonly Packet[]) =>
    new Promise<boolean>((resolve) => {
      heard = (line) => resolve(line === 'sent')
      send(`${packets.map(({ iface, frame }) => `${iface} ${frame}\n`).join('')}end\n`)
    })

  return {
    async send(packets) {
      if (packets.length === 0) return true
      if (!perl && performance.now() < notBefore) return false
      perl ??= await begin()
      if (!perl) {
        notBefore = performance.now() + AGAIN_MS
        return false
      }
      for (let i = 0; i < packets.length; i += MOST) {
        if (i > 0) await sleep(PAUSE_MS)
        if (!(await sendTogether(perl, packets.slice(i, i + MOST)))) return false
      }
      complainOnce(said, complain)
      said = ''
      return true
    },
    close: () => perl?.finish(),
  }
}
