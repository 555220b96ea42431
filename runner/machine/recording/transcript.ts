import type { Answer, Verb } from '../machine.ts'
import type { Removed } from '../options.ts'
import { fromShell, toShell } from '../argv.ts'

/** How a step went wrong: what the live machine threw, in a form that can be written down. */
export interface Trouble {
  kind: 'file' | 'program' | 'busy'
  /** errno's name; for a busy lock the whole sentence. */
  code: string
}

/** One passage through the door, with what came back. `ms` is how long it took; `removes` is never written. */
export type Step = { line?: number; ms?: number; trouble?: Trouble; removes?: Removed } & (
  | { verb: Verb; argv: readonly string[]; how: How; input?: string; answer?: Answer }
  | { verb: 'read'; path: string; text?: string; absent?: boolean }
  | { verb: 'write'; path: string; text: string }
  | { verb: 'lock'; path: string; seconds: number; shared?: boolean }
  | { verb: 'unlock'; path: string }
  | { verb: 'find'; program: string; path?: string }
)

/** `run` waits for it; `start` leaves it in the background; `script` is an executable handler. */
export type How = 'run' | 'start' | 'script'

/** A line of a recording that is no step. */
export type Note =
  | { verb: 'handler'; name: string }
  | { verb: 'say'; text: string }
  | { verb: 'because'; text: string }
  | { verb: 'end'; outcome: string; why?: string }
  | { verb: 'result'; outcome: string }

/** What the recording was made of: replaying needs it before the first step. */
export interface Header {
  event: string
  words: readonly string[]
  /** The variables of the environment that CTDB and this program define. */
  env: Readonly<Record<string, string>>
  /** What else the program knew about its surroundings. */
  facts: Readonly<Record<string, string>>
}

export interface Transcript {
  header: Header
  entries: (Step | (Note & { line?: number }))[]
  /** True when the recording ends in the middle: the event was killed, or the disk was full. */
  cut: boolean
}

const TITLE = 'eventscript recording 1'

/** A recording that cannot be read: `line` counts from 1. */
export class BadTranscript extends Error {
  override name = 'BadTranscript'
  readonly line: number
  constructor(line: number, seen: string, expected: string) {
    super(`line ${line}: ${JSON.stringify(seen.slice(0, 80))}: expected ${expected}`)
    this.line = line
  }
}

// ---------------------------------------------------------------- writing

export function writeHeader({ event, words, env, facts }: Header): string {
  const pairs = (verb: string, table: Readonly<Record<string, string>>) =>
    Object.entries(table).map(([name, value]) => `${verb} ${toShell([`${name}=${value}`])}`)
  return (
    [TITLE, `event ${toShell([event, ...words])}`, ...pairs('env', env), ...pairs('fact', facts), ''].join(
      '\n',
    ) + '\n'
  )
}

/** The line that names a step: what is done, before it is known how it ends. */
export function writeHead(step: Step): string {
  switch (step.verb) {
    case 'ask':
    case 'change':
      return `${wordOf(step)} ${toShell(step.argv)}\n` + writeText('in', step.input)
    case 'write':
      return `write ${toShell([step.path])}\n` + writeText('in', step.text)
    case 'lock':
      return `lock ${toShell([step.path, String(step.seconds), ...(step.shared ? ['shared'] : [])])}\n`
    case 'find':
      return `find ${toShell([step.program])}\n`
    default:
      return `${step.verb} ${toShell([step.path])}\n`
  }
}

function wordOf(step: { verb: Verb; how: How }): string {
  return step.how === 'run' ? step.verb : step.how
}

/** The lines that say how a step ended. */
export function writeTail(step: Step): string {
  const ms = step.ms === undefined ? '' : `  took ${step.ms.toFixed(1)} ms\n`
  if (step.trouble) return `  error ${step.trouble.kind} ${toShell([step.trouble.code])}\n` + ms
  switch (step.verb) {
    case 'ask':
    case 'change':
      if (!step.answer) return ms
      return (
        `  exit ${[step.answer.status, step.answer.signal].filter((each) => each !== undefined).join(' ')}\n` +
        writeText('out', step.answer.out) +
        writeText('err', step.answer.err) +
        ms
      )
    case 'read':
      // an empty file is said, so that it differs from a look that never ended
      return (step.absent ? '  absent\n' : writeText('out', step.text) || EMPTY) + ms
    case 'find':
      return step.path === undefined ? '  absent\n' : writeText('out', `${step.path}\n`)
    default:
      return ms
  }
}

const EMPTY = '  out= ""\n'

export function writeNote(note: Note): string {
  switch (note.verb) {
    case 'handler':
      return `handler ${toShell([note.name])}\n`
    case 'say':
    case 'because':
      return note.text
        .split('\n')
        .map((line) => `${note.verb} ${line}\n`)
        .join('')
    case 'end':
      return `end ${note.outcome}\n` + writeText('why', note.why)
    case 'result':
      return `result ${note.outcome}\n`
  }
}

/**
 * Text as lines of its own, `out TEXT`. A line that has no newline at its end, or holds control characters,
 * is written as a JSON string behind `out=`, so that nothing is lost.
 */
function writeText(label: string, text: string | undefined): string {
  if (!text) return ''
  const lines = text.split('\n')
  const last = lines.pop() ?? ''
  const plain = lines.map((line) =>
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    /^[^\u0000-\u0008\u000b-\u001f\u007f]*$/.test(line)
      ? `  ${label} ${line}\n`
      : `  ${label}= ${JSON.stringify(`${line}\n`)}\n`,
  )
  return plain.join('') + (last === '' ? '' : `  ${label}= ${JSON.stringify(last)}\n`)
}

// ---------------------------------------------------------------- reading

/**
 * Read a recording. Blank lines and lines that begin with `#` are skipped. Throws BadTranscript for anything
 * it does not know; a recording that just ends early is read as far as it goes, and says so in `cut`.
 */
export function readTranscript(text: string): Transcript {
  const whole = text === '' || text.endsWith('\n')
  const lines = text.split('\n').slice(0, -1)
  if (text === TITLE) throw new BadTranscript(1, text, 'a newline behind it: the recording is cut short here')
  if (lines[0] !== TITLE) throw new BadTranscript(1, lines[0] ?? text, `"${TITLE}"`)
  const transcript: Transcript = {
    header: { event: '', words: [], env: {}, facts: {} },
    entries: [],
    cut: true,
  }
  let seenEvent = false
  lines.slice(1).forEach((line, i) => {
    const at = i + 2
    if (line.trim() === '' || line.startsWith('#')) return
    if (line.startsWith('  ')) return addDetail(transcript.entries.at(-1), line, at)
    const [verb, rest] = splitOnce(line)
    if (verb === 'event') seenEvent = true
    else if (!seenEvent) throw new BadTranscript(at, line, 'the line "event NAME [WORD…]"')
    addLine(transcript, verb, rest, at, line)
  })
  if (!seenEvent) throw new BadTranscript(lines.length, lines.at(-1) ?? '', 'the line "event NAME [WORD…]"')
  transcript.cut = !whole || transcript.entries.at(-1)?.verb !== 'result'
  return transcript
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(' ')
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}

function addLine(
  { header, entries }: Transcript,
  verb: string,
  rest: string,
  line: number,
  whole: string,
): void {
  const words = (atLeast: number, atMost: number, expected: string): string[] => {
    const found = fromShell(rest)
    if (!found || found.length < atLeast || found.length > atMost)
      throw new BadTranscript(line, whole, expected)
    return found
  }
  switch (verb) {
    case 'event': {
      const [event = '', ...more] = words(1, 99, '"event NAME [WORD…]"')
      Object.assign(header, { event, words: more })
      return
    }
    case 'env':
    case 'fact': {
      const [pair = ''] = words(1, 1, `"${verb} NAME=VALUE"`)
      const at = pair.indexOf('=')
      if (at < 1) throw new BadTranscript(line, whole, `"${verb} NAME=VALUE"`)
      Object.assign(verb === 'env' ? header.env : header.facts, { [pair.slice(0, at)]: pair.slice(at + 1) })
      return
    }
    case 'ask':
    case 'change':
    case 'start':
    case 'script': {
      const argv = words(1, Infinity, `"${verb} PROGRAM [WORD…]"`)
      const how = verb === 'start' || verb === 'script' ? verb : 'run'
      entries.push({ line, verb: verb === 'ask' ? 'ask' : 'change', how, argv })
      return
    }
    case 'read':
    case 'unlock': {
      const [path = ''] = words(1, 1, `"${verb} FILE"`)
      entries.push({ line, verb, path })
      return
    }
    case 'write': {
      const [path = ''] = words(1, 1, '"write FILE"')
      entries.push({ line, verb, path, text: '' })
      return
    }
    case 'lock': {
      const expected = '"lock FILE SECONDS [shared]"'
      const [path = '', seconds = '', shared] = words(2, 3, expected)
      if (!/^\d+$/.test(seconds) || (shared ?? 'shared') !== 'shared')
        throw new BadTranscript(line, whole, expected)
      entries.push({ line, verb, path, seconds: Number(seconds), ...(shared ? { shared: true } : {}) })
      return
    }
    case 'find': {
      const [program = ''] = words(1, 1, '"find PROGRAM"')
      entries.push({ line, verb, program })
      return
    }
    case 'handler': {
      const [name = ''] = words(1, 1, '"handler NAME"')
      entries.push({ line, verb, name })
      return
    }
    case 'say':
    case 'because':
      entries.push({ line, verb, text: rest })
      return
    case 'end':
    case 'result':
      if (!/^[a-z-]+$/.test(rest)) throw new BadTranscript(line, whole, `"${verb} OUTCOME"`)
      entries.push({ line, verb, outcome: rest })
      return
    default:
      throw new BadTranscript(
        line,
        whole,
        'ask, change, start, script, read, write, lock, unlock, find, say, because, handler, end or result',
      )
  }
}

/** An indented line belongs to the step above it. */
function addDetail(entry: Transcript['entries'][number] | undefined, whole: string, line: number): void {
  const [label, rest] = splitOnce(whole.slice(2))
  const bad = (expected: string): never => {
    throw new BadTranscript(line, whole, expected)
  }
  if (!entry) return bad('a step before its details')
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(rest)?.[1]
    return found === undefined ? bad(`"${label}" with a number`) : Number(found)
  }
  const text = () => (label.endsWith('=') ? jsonString(rest, bad) : `${rest}\n`)
  switch (`${entry.verb} ${label.replace(/=$/, '')}`) {
    case 'ask exit':
    case 'change exit':
      return set(entry, { answer: exitOf(rest) ?? bad('"exit N [SIGNAL]"') })
    case 'ask out':
    case 'ask err':
    case 'change out':
    case 'change err': {
      const { answer } = entry as { answer?: Answer }
      if (!answer) return bad('"exit N" before the output')
      answer[label.replace(/=$/, '') as 'out' | 'err'] += text()
      return
    }
    case 'ask in':
    case 'change in':
      return set(entry, { input: ((entry as { input?: string }).input ?? '') + text() })
    case 'write in':
    case 'read out':
      return set(entry, { text: ((entry as { text?: string }).text ?? '') + text() })
    case 'read absent':
      return set(entry, { absent: true })
    case 'find out':
      return set(entry, { path: nextLine((entry as { path?: string }).path, text()) })
    case 'find absent':
      return
    case 'end why':
      return set(entry, { why: ((entry as { why?: string }).why ?? '') + text() })
  }
  if (isNote(entry)) return bad(`nothing of that kind below "${entry.verb}"`)
  switch (label) {
    case 'took':
      return set(entry, { ms: number(/^(\d+(?:\.\d+)?) ms$/) })
    case 'error': {
      const [kind = '', code = ''] = fromShell(rest) ?? []
      if (!['file', 'program', 'busy'].includes(kind) || code === '')
        return bad('"error file|program|busy CODE"')
      return set(entry, { trouble: { kind, code } })
    }
    default:
      return bad(`a detail of "${entry.verb}"`)
  }
}

/** A path is written as lines too, should it have several. */
function nextLine(before: string | undefined, line: string): string {
  return (before === undefined ? '' : `${before}\n`) + line.replace(/\n$/, '')
}

function exitOf(text: string): Answer | undefined {
  const [, status, signal] = /^(\d{1,3})(?: (SIG[A-Z0-9]+))?$/.exec(text) ?? []
  if (status === undefined) return undefined
  return { status: Number(status), out: '', err: '', ...(signal !== undefined && { signal }) }
}

function set(entry: object, more: object): void {
  Object.assign(entry, more)
}

export function isNote(entry: { verb: string }): entry is Note {
  return ['handler', 'say', 'because', 'end', 'result'].includes(entry.verb)
}

function jsonString(text: string, bad: (expected: string) => never): string {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : bad('a JSON string')
  } catch {
    return bad('a JSON string')
  }
}
