/**
 * Lines and words as CTDB and the shell see them: only ASCII blanks separate. JavaScript's `\s` and `trim()` also take NBSP and
 * the byte order mark, which are part of a word there. All of it takes linear time, also for a line of blanks alone: a regular
 * expression for blanks at an end would not.
 */

/** What separates words in CTDB's lists and in the shell. */
const BLANKS = ' \t'

/** The text without `blanks` at both ends. */
export function trimmed(text: string, blanks = BLANKS): string {
  let start = 0
  while (start < text.length && blanks.includes(text.charAt(start))) start += 1
  return trimmedEnd(text.slice(start), blanks)
}

/** The text without `blanks` at its end. */
export function trimmedEnd(text: string, blanks = BLANKS): string {
  let end = text.length
  while (end > 0 && blanks.includes(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}

/** The words of a line. */
export function wordsIn(line: string): string[] {
  return line.split(/[ \t]+/).filter(Boolean)
}

/** The lines of a list that ctdbd itself reads: a CR or NUL ends what it sees of a line (lib/util/util_file.c, 4.17). */
export function linesForCtdbd(text: string): string[] {
  // oxlint-disable-next-line no-control-regex -- NUL is what is looked for
  return text.split('\n').map((line) => line.split(/[\r\u0000]/, 1)[0] ?? '')
}

/** The lines of a list that CTDB's scripts read. A CR at the end is passed over: the script would take it for a part of the last word. */
export function linesForScripts(text: string): string[] {
  return text.split('\n').map((line) => trimmedEnd(line, '\r'))
}

/** The text in one line: line ends, and the blanks around them, become one blank. */
export function oneLine(text: string): string {
  const [first = '', ...more] = text.split(/[\r\n]+/)
  if (more.length === 0) return first
  const last = more.pop() ?? ''
  return [first.trimEnd(), ...more.map((line) => line.trim()).filter(Boolean), last.trimStart()].join(' ')
}
