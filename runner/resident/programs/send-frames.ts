import { setTimeout as sleep } from 'node:timers/promises'
import { AnswerLimit, silentHelper } from '../../machine/live/answer-limit.ts'
import { helper } from '../../machine/live/libexec.ts'
import { Coprocess } from '../../machine/live/coprocess.ts'
import type { FrameSender, Packet } from '../../net/announce/packets.ts'
import { byReason } from '../../net/announce/unannounced.ts'

const COMMAND = helper('frame-sender.pl')

/** Frames in one go, and milliseconds to the next: the queue of an interface holds 1,000 as a rule. */
const MOST = 100
const PAUSE_MS = 5
/** Milliseconds to the next try where the helper could not be started: memory may have been short. */
const AGAIN_MS = 60_000

/** Sends frames by a helper in perl, as node has no packet sockets. The helper stays, and is replaced when it does not answer. */
export class PerlFrameSender implements FrameSender {
  readonly #complain: (line: string) => void
  readonly #limit = new AnswerLimit()
  #perl: Coprocess | undefined
  #isClosed = false
  /** Of the monotonic clock. */
  #notBefore = 0
  #errors = ''
  #heard: (line: string) => void = () => {}

  /** `complain` gets a line for each reason why frames were not sent, with the addresses. */
  constructor(complain: (line: string) => void) {
    this.#complain = complain
  }

  async send(packets: readonly Packet[]): Promise<boolean> {
    if (packets.length === 0) return true
    const isNew = !this.#perl
    // a helper that has stayed may have been stopped or killed since: a new one sends all again
    const isSent = (await this.#trySending(packets)) || (!isNew && (await this.#trySending(packets)))
    if (isSent)
      for (const line of failuresIn(this.#errors, packets)) this.#complain(`announcement failed: ${line}`)
    this.#errors = ''
    return isSent
  }

  close(): void {
    this.#isClosed = true
    this.#perl?.kill()
  }

  async #trySending(packets: readonly Packet[]): Promise<boolean> {
    if (this.#isClosed || (!this.#perl && performance.now() < this.#notBefore)) return false
    const perl = (this.#perl ??= await this.#begin())
    if (!perl) {
      this.#notBefore = performance.now() + AGAIN_MS
      return false
    }
    for (let i = 0; i < packets.length; i += MOST) {
      if (i > 0) await sleep(PAUSE_MS)
      if (!(await this.#sendTogether(perl, packets.slice(i, i + MOST)))) return false
    }
    return true
  }

  /** Undefined where there is no perl, or no packet socket for us. */
  #begin(): Promise<Coprocess | undefined> {
    return new Promise((resolve) => {
      const started = new Coprocess(COMMAND, {
        out: (text) => this.#heard(text.trim()),
        err: (text) => void (this.#errors += text),
        ended: () => {
          this.#perl = undefined
          this.#heard('ended')
        },
      })
      this.#await(started, (line) => resolve(line === 'ready' ? started : undefined))
    })
  }

  #sendTogether(perl: Coprocess, packets: readonly Packet[]): Promise<boolean> {
    return new Promise((resolve) => {
      // it has ended meanwhile
      if (this.#perl !== perl) return resolve(false)
      this.#await(perl, (line) => resolve(line === 'sent'))
      perl.send(`${packets.map(({ iface, frame }) => `${iface} ${frame}\n`).join('')}end\n`)
    })
  }

  /** Its next line, in time; else it is killed, and `heard` gets another line. */
  #await(perl: Coprocess, heard: (line: string) => void): void {
    const answered = this.#limit.begin((ms) => {
      this.#complain(silentHelper('the process that sends announcements', perl.pid, ms))
      perl.kill()
    })
    this.#heard = (line) => {
      answered(line !== 'ended')
      heard(line)
    }
  }
}

/** The helper's `INTERFACE HEX: reason`, by reason and address; any other line of its as it is. */
function failuresIn(errors: string, packets: readonly Packet[]): string[] {
  const sent = new Map(packets.map((packet) => [`${packet.iface} ${packet.frame}`, packet]))
  const lines = errors.split('\n').filter((line) => line !== '')
  const known = lines.flatMap((line) => {
    const [, frame = '', reason = ''] = /^(\S+ [0-9a-f]+): (.*)$/.exec(line) ?? []
    const packet = sent.get(frame)
    return packet ? [{ line, address: packet.address, iface: packet.iface, reason }] : []
  })
  return [
    ...byReason(known),
    ...lines.filter((line) => !known.some((each) => each.line === line)).slice(0, 1),
  ]
}
