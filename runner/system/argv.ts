/** A value in a typed command: it stays one word whatever it contains; a list becomes as many words. */
export type Word = string | number | readonly string[]

/**
 * The argument list of a command typed as a template. Blanks separate words only where they are typed;
 * a value is put in as it is: ``toArgv`ip addr add ${ip}/${bits} dev ${iface}` ``.
 */
export function toArgv(strings: readonly string[], values: readonly Word[]): string[] {
  const argv: string[] = []
  let word: string | undefined
  const end = () => {
    if (word !== undefined) argv.push(word)
    word = undefined
  }
  strings.forEach((text, i) => {
    const pieces = text.split(/\s+/)
    pieces.forEach((piece, k) => {
      if (k > 0) end()
      if (piece !== '') word = (word ?? '') + piece
    })
    const value = values[i]
    if (value === undefined) return
    if (typeof value === 'object') {
      end()
      argv.push(...value)
    } else word = (word ?? '') + String(value)
  })
  end()
  return argv
}

/** A command as one can paste it into a shell. */
export function toShell(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}

/** The words of such a line again; undefined when a quote is left open. */
export function fromShell(line: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let rest = line
  while (rest !== '') {
    const part = /^(?:'([^']*)'|\\(.)|([^\s'\\]+)|(\s+))/s.exec(rest)
    if (!part) return undefined
    rest = rest.slice(part[0].length)
    if (part[4] !== undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + (part[1] ?? part[2] ?? part[3] ?? '')
  }
  if (word !== undefined) words.push(word)
  return words
}
