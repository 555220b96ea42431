import { visible } from '../../base/visible.ts'

/** Bytes of one script at one event that go to the log, and those that the log adds to each line. */
const MOST_BYTES = 256 * 1024
const LINE_BYTES = 100

/** The beginning of an output, as much as the log takes of one script; the last line says how much was left out. */
export function forLog(lines: readonly string[]): string[] {
  let left = MOST_BYTES
  const first: string[] = []
  for (const raw of lines) {
    // no script writes lines of the log by a control character
    const line = visible(raw)
    left -= LINE_BYTES
    if (left <= 0) break
    first.push(line.slice(0, left))
    left -= line.length
  }
  const rest = lengthOf(lines) - lengthOf(first)
  return rest > 0 ? [...first, `… and ${rest} characters more, which are not logged`] : first
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0)
}
