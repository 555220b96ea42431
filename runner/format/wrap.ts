/** Text, wrapped to the width of a terminal. Pure. */

/** Columns; narrower text is hard to read. */
export const NARROWEST = 20

export const blanks = (count: number) => ' '.repeat(Math.max(0, count))

/** A line that is longer than the terminal, cut at blanks; the rest is indented. Colours take no room. */
export function fit(line: string, width: number, indent = 4): string[] {
  const lead = /^ */.exec(line)?.[0] ?? ''
  if (plain(line).length <= width || width < NARROWEST) return [line]
  const [first = '', ...rest] = wrap(
    line.slice(lead.length),
    width - lead.length,
    width - lead.length - indent,
  )
  return [lead + first, ...rest.map((text) => lead + blanks(indent) + text)]
}

/** Lines of at most so many characters, cut at blanks where there are any. */
export function wrap(text: string, width: number, later = width): string[] {
  const lines: string[] = []
  let line = ''
  // some room is left, however far the line is indented
  const room = () => Math.max(NARROWEST / 2, lines.length === 0 ? width : later)
  for (const word of text.split(/(?<=\S)(?= )/)) {
    if (line !== '' && plain(line + word).length > room()) {
      lines.push(line)
      line = ''
    }
    line += lines.length > 0 && line === '' ? word.trimStart() : word
    // a word longer than a line is cut; a coloured word stays whole
    while (line.length > room() && plain(line) === line) {
      const part = line.slice(0, room())
      line = line.slice(part.length)
      lines.push(part)
    }
  }
  return [...lines, line]
}

function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the escape character begins a colour
  return text.replaceAll(/\u001b\[[\d;]*m/g, '')
}
