import { Deadline } from './handler-clock.ts'
import { runEvent } from './run-event.ts'
import type { World } from './world.ts'
import { parseEvent, type Event } from '../node/events.ts'
import type { Entry } from './find-handlers.ts'
import { Refusal, Usage } from '../base/refusal.ts'
import type { Report } from './report.ts'
import { Mismatch } from '../machine/errors.ts'
import { witnessed, writing } from '../machine/recording/record.ts'
import { speakTo } from '../machine/remedy/remedy.ts'
import { Replay, type RecordedEnd } from '../machine/recording/replay.ts'
import { writeHead, writeNote, writeTail } from '../machine/recording/write-transcript.ts'
import { readTranscript } from '../machine/recording/read-transcript.ts'
import { isNote, type Transcript } from '../machine/recording/transcript.ts'
import { factsFromText } from '../node/facts.ts'

export interface Replayed {
  report: Report
  /** The differences from the recording, in readable lines; none when the event went as recorded. */
  problems: string[]
}

/** Milliseconds. Answers are at hand: only a handler that never ends by itself takes that long. */
const LIMITS = { handler: 60_000 }

/**
 * Play a recording against these handlers, without starting a program or reading a file. The event must ask, change and
 * say the same, and end in the same way. Throws BadTranscript or Usage when the text is no recording.
 */
export async function replayFile(recording: string, entries: readonly Entry[]): Promise<Replayed> {
  const transcript = readTranscript(recording)
  const { header } = transcript
  const event = eventOf(recording, header)
  const interrupt = new AbortController()
  const machine = new Replay(transcript, (end) => {
    const error = reasonOf(end)
    interrupt.abort(error)
    return error
  })
  let now = ''
  const witness = writing((text) => {
    now += text
  })
  const facts = factsFromText(header.env, header.facts)
  speakTo(facts.reader)
  const world: World = {
    facts,
    system: () => witnessed(machine, witness),
    note: witness.notes,
    interrupt: interrupt.signal,
  }
  const handlers = recordedHandlers(transcript, entries)
  const report = await runEvent(handlers, event, world, LIMITS)
  // a missing handler explains all further differences
  const why = report.handlers.find((_report, i) => handlers[i]?.path === '')?.why
  const problems = why === undefined ? problemsOf(transcript, machine, now) : [why]
  return { report, problems: [...problems, ...whereCut(transcript)] }
}

function eventOf(recording: string, { event, words }: Transcript['header']): Event {
  try {
    return parseEvent(event, words)
  } catch (error) {
    if (!(error instanceof Usage)) throw error
    const line = recording.split('\n').findLastIndex((text) => text.startsWith('event ')) + 1
    throw new Usage(`line ${line}: ${error.message}`)
  }
}

/** The reason why the handler ended, without the program that ran: the engine adds the program. */
function reasonOf({ outcome, why = '' }: RecordedEnd): Error {
  const message = why.replace(/ while running "[^]*$/, '')
  return outcome === 'timedout' ? new Deadline(message) : new Error(message)
}

/** The handlers that the recording names: executables and disabled handlers as recorded, ours as they are today. */
function recordedHandlers({ entries: lines }: Transcript, entries: readonly Entry[]): Entry[] {
  return lines.flatMap((line, at) => {
    if (line.verb !== 'handler') return []
    const { name } = line
    const after = lines.slice(at + 1)
    const end = after.find(({ verb }) => verb === 'end')
    if (end?.verb === 'end' && (end.outcome === 'disabled' || end.outcome === 'cannot-run'))
      return { name, path: name, kind: 'unusable', disabled: end.outcome === 'disabled', why: end.why ?? '' }
    const [first] = after
    const unknown = end?.verb === 'end' && end.outcome === 'not-run' ? end.why : undefined
    if (first?.verb === 'change' && first.how === 'script')
      return {
        name,
        path: first.argv[0] ?? name,
        kind: 'script',
        ...(unknown === undefined ? {} : { unknown }),
      }
    return entries.find((entry) => entry.name === name && entry.kind === 'module') ?? missing(name)
  })
}

function missing(name: string): Entry {
  const load = () =>
    Promise.reject(new Refusal(`no handler ${name} here: "eventscript list" names those there are`))
  return { name, path: '', kind: 'module', load }
}

function problemsOf(transcript: Transcript, machine: Replay, now: string): string[] {
  const then = linesOf(textOf(transcript))
  const played = linesOf(now)
  // nobody knows how a killed event would have gone on
  const compared = transcript.cut ? played.slice(0, then.length) : played
  const mismatch = whyNotFinished(machine)
  if (mismatch && !(transcript.cut && startsWith(played, then))) return [mismatch]
  return difference(then, compared) ?? []
}

function whereCut({ cut, entries }: Transcript): string[] {
  const line = entries.at(-1)?.line ?? 1
  return cut ? [`the recording is cut short after line ${line}: the event was killed, or the disk full`] : []
}

function whyNotFinished(machine: Replay): string | undefined {
  try {
    machine.finished()
    return undefined
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    return error.message
  }
}

/** The recording as this version of the program would write it: without comments and times. */
function textOf({ entries }: Transcript): string {
  return entries
    .map((entry) => (isNote(entry) ? writeNote(entry) : writeHead(entry) + writeTail(entry)))
    .join('')
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('  took '))
}

function startsWith(lines: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((line, i) => lines[i] === line)
}

/** The lines between the common beginning and the common end, with two lines of context on both sides. */
function difference(then: readonly string[], now: readonly string[]): [string] | undefined {
  const from = then.findIndex((line, i) => line !== now[i])
  const start = from < 0 ? then.length : from
  if (start === then.length && start === now.length) return undefined
  let same = 0
  while (same < Math.min(then.length, now.length) - start && then.at(-1 - same) === now.at(-1 - same))
    same += 1
  const marked = (mark: string, lines: readonly string[]) => lines.map((line) => `${mark} ${line}`)
  return [
    [
      'the event went otherwise than recorded (-), namely (+):',
      ...marked(' ', then.slice(Math.max(0, start - 2), start)),
      ...marked('-', then.slice(start, then.length - same)),
      ...marked('+', now.slice(start, now.length - same)),
      ...marked(' ', then.slice(then.length - same).slice(0, 2)),
    ].join('\n'),
  ]
}
