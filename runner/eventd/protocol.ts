import { isUtf8 } from 'node:buffer'
import { endianness } from 'node:os'

/*
 * The protocol of CTDB's event daemon: bytes to messages and back, and nothing else.
 *
 * Integers are in the machine's own byte order and lie wherever they fall, unaligned. A packet is a header
 * (length of all, version, reqid), the command, in a reply the result, and the body. A string is its length with
 * the NUL counted, and its bytes: NULL is length 0, "" is length 1.
 *
 * Text is UTF-8. A byte that is none becomes a lone surrogate, 0xff is U+DCFF, and goes back as that byte: what was
 * read is written again byte for byte. C's strings end at the first NUL, and so does every text here.
 */

/** What a client asks for. `timeout` is in seconds; bit 0 of `flags` is "go on after a failure". */
export type Request =
  | {
      kind: 'run'
      reqid: number
      component: string
      event: string
      /** The event's words, joined by spaces; none when undefined or empty. */
      args: string | undefined
      timeout: number
      flags: number
    }
  | { kind: 'status'; reqid: number; component: string; event: string }
  /** `action`: 0 disables the script, 1 enables it. */
  | { kind: 'script'; reqid: number; component: string; script: string; action: number }

/** Since the epoch. */
export interface Time {
  seconds: number
  microseconds: number
}

/** How a script ended: `result` is 0, its exit status, or an errno less than 0. */
export interface ScriptStatus {
  name: string
  begin: Time
  end: Time
  result: number
  output: string | undefined
}

/** How an event ended: 0, or the `result` of the script that failed. */
export interface EventStatus {
  summary: number
  scripts: ScriptStatus[]
}

/** `result` is 0 or an errno; `status` is there with kind status and result 0 only. */
export type Reply = { kind: Request['kind']; reqid: number; result: number; status?: EventStatus }

/** Bytes that are no message: the sender is to be hung up on, its next packet cannot be found. */
export class BadPacket extends Error {
  override name = 'BadPacket'
  constructor(seen: string, expected: string) {
    super(`${seen}: expected ${expected}`)
  }
}

/** The numbers that the protocol carries: Linux's, on every machine. */
export const ERRNO = {
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENOEXEC: 8,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOMSG: 42,
  EPROTO: 71,
  EADDRINUSE: 98,
  ETIMEDOUT: 110,
  ECANCELED: 125,
} as const

const LITTLE = endianness() === 'LE'
const HEADER = 12
const KINDS = { run: 1, status: 2, script: 3 } as const
const MEBIBYTE = 1024 * 1024

// ---------------------------------------------------------------- writing

export function encodeRequest(request: Request): Buffer {
  switch (request.kind) {
    case 'run':
      return packet(request, [
        stringn(request.component),
        stringn(request.event),
        stringn(request.args),
        int32(request.timeout),
        int32(request.flags),
      ])
    case 'status':
      return packet(request, [stringn(request.component), stringn(request.event)])
    case 'script':
      return packet(request, [stringn(request.component), stringn(request.script), int32(request.action)])
  }
}

/** A status that is missing where the protocol wants one is sent as that of an event without scripts. */
export function encodeReply(reply: Reply): Buffer {
  const body = reply.kind === 'status' && reply.result === 0 ? eventStatus(reply.status) : []
  return packet(reply, [int32(reply.result), ...body])
}

function eventStatus({ summary, scripts }: EventStatus = { summary: 0, scripts: [] }): Buffer[] {
  return [int32(summary), int32(scripts.length), ...scripts.flatMap(scriptStatus)]
}

function scriptStatus({ name, begin, end, result, output }: ScriptStatus): Buffer[] {
  return [stringn(name), timeval(begin), timeval(end), int32(result), stringn(output)]
}

function packet({ kind, reqid }: { kind: Request['kind']; reqid: number }, body: Buffer[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, HEADER + 4)
  return Buffer.concat([int32(length), int32(0), int32(reqid), int32(KINDS[kind]), ...body], length)
}

/** Signed and unsigned are the same bits; a number too large loses its upper ones, as in C. */
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  viewOf(bytes).setInt32(0, value, LITTLE)
  return bytes
}

/** Two 64-bit numbers, as `struct timeval` is on 64-bit Linux. */
function timeval({ seconds, microseconds }: Time): Buffer {
  const bytes = Buffer.alloc(16)
  const view = viewOf(bytes)
  view.setBigInt64(0, BigInt(Math.trunc(seconds)), LITTLE)
  view.setBigInt64(8, BigInt(Math.trunc(microseconds)), LITTLE)
  return bytes
}

function stringn(text: string | undefined): Buffer {
  if (text === undefined) return int32(0)
  const bytes = bytesOf(cutAtNul(text))
  return Buffer.concat([int32(bytes.length + 1), bytes, Buffer.alloc(1)])
}

function cutAtNul(text: string): string {
  const nul = text.indexOf('\0')
  return nul < 0 ? text : text.slice(0, nul)
}

// ---------------------------------------------------------------- reading

/** Read a packet as Frames cuts it. Throws BadPacket; bytes behind what the message needs are ignored. */
export function decodeRequest(bytes: Buffer): Request {
  const reader = new Reader(bytes)
  const { kind, reqid } = reader.start()
  const component = reader.name('component')
  switch (kind) {
    case 'run':
      return {
        kind,
        reqid,
        component,
        event: reader.name('event'),
        args: reader.text('args'),
        timeout: reader.unsigned('timeout'),
        flags: reader.unsigned('flags'),
      }
    case 'status':
      return { kind, reqid, component, event: reader.name('event') }
    case 'script': {
      const script = reader.name('script')
      const action = reader.unsigned('action')
      if (action > 1) throw new BadPacket(`action ${action}`, '0 (disable) or 1 (enable)')
      return { kind, reqid, component, script, action }
    }
  }
}

/** Read a packet as Frames cuts it. Throws BadPacket; bytes behind what the message needs are ignored. */
export function decodeReply(bytes: Buffer): Reply {
  const reader = new Reader(bytes)
  const { kind, reqid } = reader.start()
  const result = reader.signed('result')
  if (kind !== 'status' || result !== 0) return { kind, reqid, result }
  return { kind, reqid, result, status: readEventStatus(reader) }
}

function readEventStatus(reader: Reader): EventStatus {
  const summary = reader.signed('summary')
  const count = reader.signed('count')
  if (count < 0) throw new BadPacket(`${count} scripts`, 'a count of 0 or more')
  const scripts: ScriptStatus[] = []
  while (scripts.length < count)
    scripts.push({
      name: reader.name('script name'),
      begin: reader.time('begin'),
      end: reader.time('end'),
      result: reader.signed('script result'),
      output: reader.text('output'),
    })
  return { summary, scripts }
}

/** Goes through a packet from its beginning. Each step names the field it reads, for the message of BadPacket. */
class Reader {
  readonly #bytes: Buffer
  readonly #view: DataView
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
  }

  /** The header and the command. The version is ignored, as CTDB does. */
  start(): { kind: Request['kind']; reqid: number } {
    const length = this.unsigned('length')
    if (length !== this.#bytes.length)
      throw new BadPacket(`a packet of ${this.#bytes.length} bytes`, `${length}, as its header says`)
    this.unsigned('version')
    const reqid = this.unsigned('reqid')
    const command = this.unsigned('command')
    const kind = kindOf(command)
    if (!kind) throw new BadPacket(`command ${command}`, '1 (run), 2 (status) or 3 (script)')
    return { kind, reqid }
  }

  unsigned(field: string): number {
    return this.#view.getUint32(this.#step(4, field), LITTLE)
  }

  signed(field: string): number {
    return this.#view.getInt32(this.#step(4, field), LITTLE)
  }

  time(field: string): Time {
    const at = this.#step(16, field)
    const number = (offset: number) => Number(this.#view.getBigInt64(offset, LITTLE))
    return { seconds: number(at), microseconds: number(at + 8) }
  }

  /** Undefined when it is NULL. A string without its NUL is taken whole: newer CTDB does so too. */
  text(field: string): string | undefined {
    const size = this.unsigned(`length of ${field}`)
    if (size === 0) return undefined
    const at = this.#step(size, field)
    const bytes = this.#bytes.subarray(at, at + size)
    const nul = bytes.indexOf(0)
    return textOf(nul < 0 ? bytes : bytes.subarray(0, nul))
  }

  /** Nobody sends NULL for a name; CTDB answers such a request with an error, and so is it to an empty name. */
  name(field: string): string {
    return this.text(field) ?? ''
  }

  /** Where the next `size` bytes begin. */
  #step(size: number, field: string): number {
    const at = this.#at
    const left = this.#bytes.length - at
    if (left < size) throw new BadPacket(`${left} bytes left at byte ${at}`, `${size} of "${field}"`)
    this.#at += size
    return at
  }
}

function kindOf(command: number): Request['kind'] | undefined {
  return (Object.keys(KINDS) as Request['kind'][]).find((kind) => KINDS[kind] === command)
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

// ---------------------------------------------------------------- cutting a stream

/**
 * Cuts a stream into packets. It holds one unfinished packet at most, as many bytes of it as have come (and up to
 * as many again while it grows). `most` is the largest packet in bytes that is taken.
 */
export class Frames {
  readonly #most: number
  #held = Buffer.alloc(4)
  #used = 0
  #want = 4
  #broken: BadPacket | undefined

  constructor(most = 16 * MEBIBYTE) {
    this.#most = most
  }

  /**
   * The packets that this chunk completes; they share no memory with it. Throws BadPacket for a length that cannot
   * be, and from then on always.
   */
  push(chunk: Buffer): Buffer[] {
    const packets: Buffer[] = []
    for (let at = 0; at < chunk.length && !this.#broken;) {
      at += this.#take(chunk.subarray(at))
      if (this.#used < this.#want) continue
      if (this.#want === 4) this.#measure()
      else packets.push(this.#finish())
    }
    if (this.#broken) throw this.#broken
    return packets
  }

  /** Copies what is wanted of the bytes; how many these were. */
  #take(bytes: Buffer): number {
    const size = Math.min(bytes.length, this.#want - this.#used)
    const need = this.#used + size
    if (need > this.#held.length) this.#grow(Math.min(this.#want, Math.max(need, 2 * this.#held.length)))
    bytes.copy(this.#held, this.#used, 0, size)
    this.#used = need
    return size
  }

  #grow(size: number): void {
    const held = Buffer.alloc(size)
    this.#held.copy(held, 0, 0, this.#used)
    this.#held = held
  }

  #measure(): void {
    const length = viewOf(this.#held).getUint32(0, LITTLE)
    if (length < HEADER || length > this.#most)
      this.#broken = new BadPacket(`a packet of ${length} bytes`, `${HEADER} to ${this.#most}`)
    else this.#want = length
  }

  #finish(): Buffer {
    const whole = this.#held.subarray(0, this.#used)
    this.#held = Buffer.alloc(4)
    this.#used = 0
    this.#want = 4
    return whole
  }
}

// ---------------------------------------------------------------- text

/** A lone surrogate that stands for a byte. */
const STANDS_FOR_BYTE = /[\udc80-\udcff]/gu

function bytesOf(text: string): Buffer {
  if (text.search(STANDS_FOR_BYTE) < 0) return Buffer.from(text, 'utf8')
  const bytes = Buffer.alloc(Buffer.byteLength(text))
  let end = 0
  let from = 0
  for (const { index } of text.matchAll(STANDS_FOR_BYTE)) {
    end += bytes.write(text.slice(from, index), end)
    bytes[end++] = text.charCodeAt(index) - 0xdc00
    from = index + 1
  }
  end += bytes.write(text.slice(from), end)
  return bytes.subarray(0, end)
}

function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  const units = Buffer.alloc(2 * bytes.length)
  let end = 0
  for (let at = 0; at < bytes.length;) {
    const next = endOfUtf8(bytes, at)
    end += units.write(bytes.toString('utf8', at, next), end, 'utf16le')
    at = next
    if (at < bytes.length) end = units.writeUInt16LE(0xdc00 + (bytes[at++] ?? 0), end)
  }
  return units.toString('utf16le', 0, end)
}

/** Where the UTF-8 that begins here ends: at the first byte that is none, or with the bytes. */
function endOfUtf8(bytes: Buffer, from: number): number {
  let at = from
  for (let size = 1; size > 0 && at < bytes.length; at += size) size = sizeOfCharacter(bytes, at)
  return at
}

/** How many bytes the character has that begins here; 0 when none does. RFC 3629, section 4. */
function sizeOfCharacter(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  const second = bytes[at + 1] ?? 0
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4 || !isTail(second)) return 0
  if (first < 0xe0) return 2
  if (!isTail(bytes[at + 2])) return 0
  // too long a form of a smaller character, half a surrogate pair
  if (first < 0xf0) return (first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f) ? 0 : 3
  if (!isTail(bytes[at + 3])) return 0
  // too long a form, beyond U+10FFFF
  return (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f) ? 0 : 4
}

function isTail(byte = 0): boolean {
  return (byte & 0xc0) === 0x80
}
