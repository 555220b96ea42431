/** ctdb.conf, by the rules of CTDB's parser (lib/util/tini.c and ctdb/common/conf.c, 4.17). */
import { trimmed, trimmedEnd } from './blanks.ts'

export interface Ini {
  /** By `section/key`. */
  values: Map<string, string>
  /** A mistake after which CTDB drops the whole file, without a word, and takes its defaults: then there are no values. */
  problem?: string
}

/** The values of ctdb.conf by `section/key`; none when CTDB drops the file. */
export function parseIni(text: string): Map<string, string> {
  return readIni(text).values
}

/**
 * The case of a section does not matter, that of a key does. Of several blanks the first counts. A line that ends in `\`
 * continues, a comment does not. What follows `]` is passed over, as is a line without `=`.
 */
export function readIni(text: string): Ini {
  const values = new Map<string, string>()
  let section = ''
  for (const { line, number } of logicalLines(text)) {
    if (line.startsWith('[')) {
      const end = line.indexOf(']')
      if (end < 0) return dropped(`line ${number}: a section without "]"`)
      section = line.slice(1, end).toLowerCase()
      continue
    }
    const at = line.indexOf('=')
    if (at < 0) continue
    const key = trimmed(line.slice(0, at), SPACES)
    if (key === '') return dropped(`line ${number}: no name before "="`)
    values.set(`${section}/${single(key)}`, single(trimmed(line.slice(at + 1), SPACES)))
  }
  return { values }
}

const dropped = (problem: string): Ini => ({ values: new Map(), problem })

/** isspace(3) in the C locale. */
const SPACES = ' \t\n\v\f\r'

function single(text: string): string {
  return text.replace(/([ \t\n\v\f\r])[ \t\n\v\f\r]+/g, '$1')
}

/** Without comments and empty lines, the continuations joined; to CTDB a NUL ends the line. */
function* logicalLines(text: string): Generator<{ line: string; number: number }> {
  const lines = text.split('\n')
  for (let i = 0; i < lines.length; i += 1) {
    const number = i + 1
    const parts: string[] = []
    let line = trimmed(lines[i] ?? '', SPACES)
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    for (line = lines[i] ?? ''; i + 1 < lines.length; line = lines[i] ?? '') {
      const bare = trimmedEnd(line, SPACES)
      if (!bare.endsWith('\\')) break
      parts.push(bare.slice(0, -1))
      i += 1
    }
    const [whole = ''] = [...parts, line].join('').split('\0', 1)
    yield { line: trimmed(whole, SPACES), number }
  }
}
