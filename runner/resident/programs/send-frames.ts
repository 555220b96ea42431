import { setTimeout as sleep } from 'node:timers/promises'
import { helper } from '../../machine/live/libexec.ts'
import { startCoprocess, type Coprocess } from '../../machine/live/coprocess.ts'
import type { FrameSender, Packet } from '../../net/announce/packets.ts'
import { complainOnce } from './send-by-programs.ts'

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
      const started = startCoprocess(['perl', helper('frame-sender.pl')], {
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
