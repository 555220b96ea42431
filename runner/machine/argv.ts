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
  piecesOf(strings).forEach((pieces, i) => {
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

/** Of a template, which is the same each time that it is come by. */
const known = new WeakMap<readonly string[], string[][]>()

function piecesOf(strings: readonly string[]): string[][] {
  const pieces = known.get(strings) ?? strings.map((text) => text.split(/\s+/))
  known.set(strings, pieces)
  return pieces
}

/** A command as one can paste it into a shell, always in one line. */
export function toShell(argv: readonly string[]): string {
  return argv.map(quote).join(' ')
}

function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  if (!CONTROL.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`
  const escaped = word.replaceAll(/[\\']/g, '\\$&')
  return `$'${escaped.replaceAll(new RegExp(CONTROL, 'g'), (char) => ESCAPES[char] ?? hex(char))}'`
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/
const ESCAPES: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' }
const MEANT: Record<string, string> = { n: '\n', t: '\t', r: '\r' }

function hex(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}

/** What stands between two `"`. */
function unquoted(text: string | undefined): string | undefined {
  return text?.replaceAll(/\\(["\\$`])/g, '$1')
}

/** What stands between `$'` and `'`. */
function unescaped(text: string | undefined): string | undefined {
  return text?.replaceAll(/\\(?:x([0-9a-f]{2})|(.))/gs, (_all, code?: string, char = '') =>
    code === undefined ? (MEANT[char] ?? char) : String.fromCharCode(parseInt(code, 16)),
  )
}

/** A part of a word: `'…'`, `"…"`, `$'…'`, `\x`, plain characters; or the blanks between words. */
const PART = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|\$'((?:[^'\\]|\\.)*)'|\\(.)|((?:(?!\$')[^\s'"\\])+)|(\s+))/s

/** The words of such a line again, also when a person has quoted otherwise; undefined when a quote is left open. */
export function fromShell(line: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let rest = line
  while (rest !== '') {
    const part = PART.exec(rest)
    if (!part) return undefined
    rest = rest.slice(part[0].length)
    const [, single, double, escaped, char, plain] = part
    const meant = single ?? unquoted(double) ?? unescaped(escaped) ?? char ?? plain
    if (meant !== undefined) word = (word ?? '') + meant
    else {
      if (word !== undefined) words.push(word)
      word = undefined
    }
  }
  if (word !== undefined) words.push(word)
  return words
}

/** The command that prints this text, on one line: sysctls and lists are lines that end in a newline. */
export function toPrinting(text: string): string {
  if (text === '') return ':'
  if (!text.endsWith('\n')) return `printf %s ${toShell([text])}`
  const lines = text.slice(0, -1).split('\n')
  return lines.length === 1 && /^[\w.]+$/.test(text.trimEnd())
    ? `echo ${text.trimEnd()}`
    : `printf '%s\\n' ${toShell(lines)}`
}
