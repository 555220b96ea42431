/** The indented lines of a recording: each belongs to the step above it. */
import type { Answer } from '../machine.ts'
import { fromShell } from '../argv.ts'
import type { RecordedLine } from './recorded-line.ts'
import { isNote, type Transcript } from './transcript.ts'

type Entry = Transcript['entries'][number]

/** An entry while its details are being read. */
type Details = Partial<Record<'input' | 'text' | 'path' | 'why', string>> & { answer?: Answer }

type ReadDetail = (entry: Entry & Details, line: RecordedLine) => void

/** Text of several lines comes a line at a time. */
const textOf =
  (name: 'input' | 'text' | 'why'): ReadDetail =>
  (entry, line) =>
    set(entry, { [name]: (entry[name] ?? '') + line.text() })

const exit: ReadDetail = (entry, line) =>
  set(entry, { answer: exitOf(line.rest) ?? line.bad('"exit N [SIGNAL]"') })

const output =
  (name: 'out' | 'err'): ReadDetail =>
  ({ answer }, line) => {
    if (!answer) return line.bad('"exit N" before the output')
    answer[name] += line.text()
  }

const ofCommand = { exit, out: output('out'), err: output('err'), in: textOf('input') }

const DETAILS: Record<string, Record<string, ReadDetail>> = {
  ask: ofCommand,
  change: ofCommand,
  write: { in: textOf('text') },
  read: { out: textOf('text'), absent: (entry) => set(entry, { absent: true }) },
  find: {
    out: (entry, line) => set(entry, { path: nextLine(entry.path, line.text()) }),
    absent: () => {},
  },
  end: { why: textOf('why') },
}

/** Of every step. */
const COMMON: Record<string, ReadDetail> = {
  took: (entry, line) => set(entry, { ms: line.numberIn(/^(\d+(?:\.\d+)?) ms$/) }),
  error(entry, line) {
    const [kind = '', code = ''] = fromShell(line.rest) ?? []
    if (!['file', 'program', 'busy'].includes(kind) || code === '')
      return line.bad('"error file|program|busy CODE"')
    set(entry, { trouble: { kind, code } })
  },
}

export function readDetail(entry: Entry | undefined, line: RecordedLine): void {
  if (!entry) return line.bad('a step before its details')
  const own = ownDetail(DETAILS[entry.verb], line.label.replace(/=$/, ''))
  if (own) return own(entry, line)
  if (isNote(entry)) return line.bad(`nothing of that kind below "${entry.verb}"`)
  const common = ownDetail(COMMON, line.label)
  if (!common) return line.bad(`a detail of "${entry.verb}"`)
  common(entry, line)
}

/** Nothing that every object has, such as `constructor`. */
function ownDetail(table: Record<string, ReadDetail> | undefined, name: string): ReadDetail | undefined {
  return table && Object.hasOwn(table, name) ? table[name] : undefined
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
