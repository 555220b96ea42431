/** A recording out of its text. */
import { readDetail } from './read-detail.ts'
import { RecordedLine } from './recorded-line.ts'
import { BadTranscript, TITLE, type Note, type Step, type Transcript } from './transcript.ts'

/**
 * Read a recording. Blank lines and lines that begin with `#` are skipped. Throws BadTranscript for anything
 * it does not know; a recording that just ends early is read as far as it goes, and says so in `cut`.
 */
export function readTranscript(text: string): Transcript {
  const isWhole = text === '' || text.endsWith('\n')
  const lines = text.split('\n').slice(0, -1)
  if (text === TITLE) throw new BadTranscript(1, text, 'a newline behind it: the recording is cut short here')
  if (lines[0] !== TITLE) throw new BadTranscript(1, lines[0] ?? text, `"${TITLE}"`)
  const transcript: Transcript = {
    header: { event: '', words: [], env: {}, facts: {} },
    entries: [],
    cut: true,
  }
  let seenEvent = false
  lines.slice(1).forEach((whole, i) => {
    if (whole.trim() === '' || whole.startsWith('#')) return
    const isDetail = whole.startsWith('  ')
    const line = new RecordedLine(i + 2, whole, isDetail ? whole.slice(2) : whole)
    if (isDetail) return readDetail(transcript.entries.at(-1), line)
    if (line.label === 'event') seenEvent = true
    else if (!seenEvent) line.bad('the line "event NAME [WORD…]"')
    readLine(transcript, line)
  })
  if (!seenEvent) throw new BadTranscript(lines.length, lines.at(-1) ?? '', 'the line "event NAME [WORD…]"')
  transcript.cut = !isWhole || transcript.entries.at(-1)?.verb !== 'result'
  return transcript
}

function readLine({ header, entries }: Transcript, line: RecordedLine): void {
  if (line.label === 'event') {
    const [event = '', ...words] = line.words(1, 99, '"event NAME [WORD…]"')
    Object.assign(header, { event, words })
  } else if (line.label === 'env') Object.assign(header.env, pairIn(line))
  else if (line.label === 'fact') Object.assign(header.facts, pairIn(line))
  else entries.push({ line: line.number, ...entryIn(line) })
}

function pairIn(line: RecordedLine): Record<string, string> {
  const expected = `"${line.label} NAME=VALUE"`
  const pair = line.word(expected)
  const at = pair.indexOf('=')
  return at < 1 ? line.bad(expected) : { [pair.slice(0, at)]: pair.slice(at + 1) }
}

function entryIn(line: RecordedLine): Step | Note {
  const { label, rest } = line
  switch (label) {
    case 'ask':
    case 'change':
    case 'start':
    case 'script': {
      const argv = line.words(1, Infinity, `"${label} PROGRAM [WORD…]"`)
      const how = label === 'start' || label === 'script' ? label : 'run'
      return { verb: label === 'ask' ? 'ask' : 'change', how, argv }
    }
    case 'read':
    case 'unlock':
      return { verb: label, path: line.word(`"${label} FILE"`) }
    case 'write':
      return { verb: label, path: line.word('"write FILE"'), text: '' }
    case 'lock':
      return lockIn(line)
    case 'find':
      return { verb: label, program: line.word('"find PROGRAM"') }
    case 'handler':
      return { verb: label, name: line.word('"handler NAME"') }
    case 'say':
    case 'because':
      return { verb: label, text: rest }
    case 'end':
    case 'result':
      return /^[a-z-]+$/.test(rest) ? { verb: label, outcome: rest } : line.bad(`"${label} OUTCOME"`)
    default:
      return line.bad(
        'ask, change, start, script, read, write, lock, unlock, find, say, because, handler, end or result',
      )
  }
}

function lockIn(line: RecordedLine): Step {
  const expected = '"lock FILE SECONDS [shared]"'
  const [path = '', seconds = '', shared] = line.words(2, 3, expected)
  if (!/^\d+$/.test(seconds) || (shared ?? 'shared') !== 'shared') return line.bad(expected)
  return { verb: 'lock', path, seconds: Number(seconds), ...(shared ? { shared: true } : {}) }
}
