/**
 * Text is UTF-8. A byte that is no UTF-8 becomes a lone surrogate (0xff is U+DCFF), and is written as that byte again:
 * text that was read is written byte for byte.
 */
import { isUtf8 } from 'node:buffer'

/** A lone surrogate that stands for a byte. */
const STANDS_FOR_BYTE = /[\udc80-\udcff]/gu

/** The bytes of a text. */
export function encodeText(text: string): Buffer {
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

/** The text of any bytes. */
export function decodeText(bytes: Buffer): string {
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

/** The end of the UTF-8 that begins here: the first byte that is no UTF-8, or the end of the bytes. */
function endOfUtf8(bytes: Buffer, from: number): number {
  let at = from
  for (let size = 1; size > 0 && at < bytes.length; at += size) size = sizeOfCharacter(bytes, at)
  return at
}

/** The number of bytes of the character that begins here; 0 when no character does. RFC 3629, section 4. */
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
