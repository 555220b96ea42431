/**
 * The text of a file, whatever its bytes are. One that is no UTF-8 (a comment in rt_tables, of a time before it) is a
 * lone surrogate, U+DC80 to U+DCFF, so that what is written back is what was read.
 */
export function toText(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!text.includes(UNKNOWN)) return text
  const found: string[] = []
  for (let at = 0; at < bytes.length;) {
    const length = lengthOf(bytes[at] ?? 0)
    const char = bytes.toString('utf8', at, at + length)
    const isOne =
      Buffer.byteLength(char) === length && bytes.subarray(at, at + length).equals(Buffer.from(char))
    found.push(isOne ? char : String.fromCharCode(0xdc00 + (bytes[at] ?? 0)))
    at += isOne ? length : 1
  }
  return found.join('')
}

/** What is in the place of such a byte otherwise. */
const UNKNOWN = '\uFFFD'

/** Of a character, by its first byte (RFC 3629). */
function lengthOf(first: number): number {
  if (first < 0xc0) return 1
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/** Those bytes again. */
export function toBytes(text: string): Buffer {
  const parts = text.split(/([\uDC80-\uDCFF])/u)
  return Buffer.concat(
    parts.map((part, i) => (i % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) - 0xdc00))),
  )
}
