import { BadPacket, type Request, type Time } from './messages.ts'
import { COMMANDS, IS_LITTLE_ENDIAN, viewOf } from './bytes.ts'
import { decodeText } from './text.ts'

/**
 * Reads a packet from its beginning, field after field. Each step names its field, for the message of BadPacket.
 * Integers have 32 bits. Every method throws BadPacket when the packet ends too early.
 */
export class PacketReader {
  readonly #bytes: Buffer
  readonly #view: DataView
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
  }

  /** The header and the command. The version is ignored, as by CTDB. */
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
    return this.#view.getUint32(this.#step(4, field), IS_LITTLE_ENDIAN)
  }

  signed(field: string): number {
    return this.#view.getInt32(this.#step(4, field), IS_LITTLE_ENDIAN)
  }

  time(field: string): Time {
    const at = this.#step(16, field)
    const number = (offset: number) => Number(this.#view.getBigInt64(offset, IS_LITTLE_ENDIAN))
    return { seconds: number(at), microseconds: number(at + 8) }
  }

  /** A string; undefined for NULL. A string without its NUL is taken whole: newer CTDB does so too. */
  text(field: string): string | undefined {
    const size = this.unsigned(`length of ${field}`)
    if (size === 0) return undefined
    const at = this.#step(size, field)
    const bytes = this.#bytes.subarray(at, at + size)
    const nul = bytes.indexOf(0)
    return decodeText(nul < 0 ? bytes : bytes.subarray(0, nul))
  }

  /** A name. NULL counts as the empty name: no client sends either, and both are answered with an error, as by CTDB. */
  name(field: string): string {
    return this.text(field) ?? ''
  }

  /** The offset of the next `size` bytes. */
  #step(size: number, field: string): number {
    const at = this.#at
    const left = this.#bytes.length - at
    if (left < size) throw new BadPacket(`${left} bytes left at byte ${at}`, `${size} of "${field}"`)
    this.#at += size
    return at
  }
}

function kindOf(command: number): Request['kind'] | undefined {
  return (Object.keys(COMMANDS) as Request['kind'][]).find((kind) => COMMANDS[kind] === command)
}
