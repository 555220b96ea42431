/**
 * The layout that reading and writing share (event/event_protocol.c of CTDB 4.17).
 *
 * Integers have the machine's own byte order and lie wherever they fall, unaligned. A packet is a header
 * (length of all, version, reqid), the command, in a reply the result, and the body. A string is its length with
 * the NUL counted, and its bytes: NULL is length 0, "" is length 1.
 */
import { endianness } from 'node:os'

export const IS_LITTLE_ENDIAN = endianness() === 'LE'
/** Bytes of a header. */
export const HEADER_BYTES = 12
/** The number of each command. */
export const COMMANDS = { run: 1, status: 2, script: 3 } as const

/** Numbers of these bytes, which the view shares. */
export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
