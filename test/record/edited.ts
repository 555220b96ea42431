/**
 * Recordings of what a test machine does not have: bonds, VLANs, InfiniBand, other versions of `ip` and ctdb. Each is
 * made from a real recording with a few answers exchanged; the handler then runs against these answers.
 */
import { factsFromText } from '../../runner/node/facts.ts'
import { runEvent } from '../../runner/engine/run-event.ts'
import { parseEvent } from '../../runner/node/events.ts'
import type { Entry } from '../../runner/engine/find-handlers.ts'
import type { System } from '../../runner/machine/machine.ts'
import { witnessed, writing } from '../../runner/machine/recording/record.ts'
import { writeHead, writeHeader } from '../../runner/machine/recording/write-transcript.ts'
import { readTranscript } from '../../runner/machine/recording/read-transcript.ts'
import { isNote, type Step } from '../../runner/machine/recording/transcript.ts'

export interface Edited {
  /** `monitor.bond`: becomes `monitor.bond.edited.txt`. */
  name: string
  /** The recording it is made from. */
  from: string
  /** What was changed and why, for the first line. */
  why: string
  /** The event, where it is another than in that recording. */
  event?: string
  /** Answers that take the place of the recorded ones, by the line that names the step; each as often as asked. */
  answers: Readonly<Record<string, Answers>>
}

/** What a program says, or what is in a file; undefined: no such file or program. */
export type Answers = { status?: number; out?: string; err?: string } | undefined

/** The text of the edited recording. Rejects when the handler asks what neither the recording nor the edit answers. */
export async function edit({ from, why, event, answers }: Edited, base: string, entries: readonly Entry[]) {
  const transcript = readTranscript(base)
  const [name = '', ...words] = event?.split(' ') ?? [transcript.header.event, ...transcript.header.words]
  const header = { ...transcript.header, event: name, words }
  const steps = transcript.entries.filter((entry): entry is Step => !isNote(entry))
  let text = writeHeader(header).replace('\n', `\n# edited from ${from}.txt: ${why}\n`)
  const witness = writing((more) => {
    text += more
  })
  const trouble: string[] = []
  const system = answering(steps, answers, trouble)
  const world = {
    facts: factsFromText(header.env, header.facts),
    system: () => witnessed(system, witness),
    note: witness.notes,
  }
  await runEvent(
    entries.filter((entry) => entry.name === '10.interface'),
    parseEvent(name, words),
    world,
    {
      handler: 60_000,
    },
  )
  if (trouble.length > 0) throw new Error(trouble.join('\n'))
  const timeless = text.split('\n').filter((line) => !line.startsWith('  took '))
  return timeless.join('\n')
}

/** A machine that gives the edited answers, else the recorded ones in their order; what it is told to change, it does. */
function answering(steps: readonly Step[], edits: Edited['answers'], trouble: string[]): System {
  const left = [...steps]
  const lineOf = (step: Step) => writeHead(step).split('\n')[0] ?? ''
  const find = (asked: Step): Step | undefined => {
    const at = left.findIndex((step) => lineOf(step) === lineOf(asked))
    // the last answer to a question is good for the next time too
    const again = left.findLastIndex((step) => lineOf(step) === lineOf(asked))
    return at === again ? left[at] : left.splice(at, 1)[0]
  }
  const unanswered = (asked: Step): Error => {
    trouble.push(`nobody answers "${lineOf(asked)}"`)
    return new Error(trouble.at(-1))
  }
  return {
    run(verb, argv, options) {
      const how = options.announcement ? 'start' : 'run'
      const asked: Step = { verb, argv, how, input: options.input }
      const line = lineOf(asked)
      const silent = { status: 0, out: '', err: '' }
      if (line in edits) return Promise.resolve({ ...silent, ...edits[line] })
      const step = find(asked)
      if (step && 'answer' in step && step.answer) return Promise.resolve(step.answer)
      return verb === 'change' ? Promise.resolve(silent) : Promise.reject(unanswered(asked))
    },
    read(path) {
      const asked: Step = { verb: 'read', path }
      if (lineOf(asked) in edits) return Promise.resolve(edits[lineOf(asked)]?.out)
      const step = find(asked)
      if (step?.verb !== 'read') return Promise.reject(unanswered(asked))
      return Promise.resolve(step.absent ? undefined : (step.text ?? ''))
    },
    write: () => Promise.resolve(),
    hold: () => Promise.resolve(() => Promise.resolve()),
    wait: () => Promise.resolve(),
    find(program) {
      const asked: Step = { verb: 'find', program }
      if (lineOf(asked) in edits) return Promise.resolve(edits[lineOf(asked)]?.out)
      const step = find(asked)
      return step?.verb === 'find' ? Promise.resolve(step.path) : Promise.reject(unanswered(asked))
    },
  }
}
