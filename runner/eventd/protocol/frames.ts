import { BadPacket } from './messages.ts'
import { HEADER_BYTES, IS_LITTLE_ENDIAN, viewOf } from './bytes.ts'

const MEBIBYTE = 1024 * 1024

/**
 * Cuts a stream into packets. At most one unfinished packet is held: the bytes that have come, and up to as many again
 * while its buffer grows. `most` is the largest packet that is accepted, in bytes.
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
   * The packets that this chunk completes; they share no memory with the chunk. Throws BadPacket after an impossible
   * length, and from then on always: the next packet cannot be found.
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

  /** Copies the bytes that the packet still lacks, and gives back their number. */
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
    const length = viewOf(this.#held).getUint32(0, IS_LITTLE_ENDIAN)
    if (length < HEADER_BYTES || length > this.#most)
      this.#broken = new BadPacket(`a packet of ${length} bytes`, `${HEADER_BYTES} to ${this.#most}`)
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
