import { dirname } from 'node:path'
import { factsAsText, factsHere, type Facts } from '../node/facts.ts'
import { runEvent } from './run-event.ts'
import type { World } from './world.ts'
import { CTDB_EVENTS, parseEvent, type Event } from '../node/events.ts'
import { actOf, findHandlers, type Entry } from './find-handlers.ts'
import { Usage } from '../base/refusal.ts'
import { visible } from '../base/visible.ts'
import type { HandlerReport, Report } from './report.ts'
import { live } from '../machine/live/live.ts'
import { mustAnswer } from '../machine/files/must-answer.ts'
import { witnessed, writing, type Witness } from '../machine/recording/record.ts'
import { recordingFile } from '../machine/recording/recording-file.ts'
import { OPTION_RULES } from '../node/option-rules.ts'
import { redacted } from '../machine/recording/redact/redacted.ts'
import { redactor } from '../machine/recording/redact/redact.ts'
import { rehearsal } from '../machine/recording/rehearse.ts'
import { writeHeader } from '../machine/recording/write-transcript.ts'

export interface RunOptions {
  event: string
  words: readonly string[]
  /** The folder of handlers. */
  events: string
  /** The folder of options files, when it is not CTDB's. */
  optionsFolder?: string
  announcer: Facts['announcer']
  only?: string
  /** Seconds for each handler. */
  timeout: number
  /** Really look, but change nothing. */
  rehearse?: boolean
  /** What is known of the end of an executable, which a rehearsal does not run. */
  unknown?: (name: string) => string
  /** The file for the recording. */
  record?: string
  /** Replace addresses, MACs and the host's name in the recording. */
  redact?: boolean
  /** The recording may take the place of a file that is there. */
  overwrite?: boolean
  /** Hears every question and every change. */
  witness?: Witness
  interrupt?: AbortSignal
  /** Throws a Refusal for an event that is not to run by hand. Not asked for a rehearsal. */
  mayRun?: (event: Event, entries: readonly Entry[], facts: Facts) => Promise<void>
  /** Called with the number of handlers before the first begins. */
  begins?: (handlers: number) => void
  /** Hears of a lock that another user held. */
  complain?: (line: string) => void
  /** Called when a handler has ended. */
  ended?: (report: HandlerReport) => void
}

/** Run one event on this machine, or rehearse it. Throws Usage before anything is done. */
export async function run(options: RunOptions): Promise<Report> {
  const event = parseEvent(options.event, options.words)
  await mustAnswer(options.events)
  if (options.record !== undefined) await mustAnswer(dirname(options.record))
  const found = choose(findHandlers(options.events), options)
  const entries = options.rehearse ? found.map((entry) => notRun(entry, options)) : found
  await mustBeKnown(event, entries)
  const here = factsHere(options.announcer, options.optionsFolder)
  if (!options.rehearse) await options.mayRun?.(event, entries, here)
  options.begins?.(entries.length)
  // looking at the network needs no privilege: anybody may rehearse, where no state of root's decides
  const facts = options.rehearse ? { ...here, privileged: true } : here
  const recording = await recorder(options, event, facts)
  const witness = together([options.witness, recording.witness])
  const world: World = {
    facts,
    system: (signal) => {
      const machine = live({ signal, complain: options.complain })
      return witnessed(options.rehearse ? rehearsal(machine) : machine, witness)
    },
    note: witness.notes,
    interrupt: options.interrupt,
  }
  try {
    return await runEvent(entries, event, world, { handler: options.timeout * 1000 }, options.ended)
  } finally {
    await recording.close()
  }
}

/** In a rehearsal an executable is passed by: nobody knows what it would do. */
function notRun(entry: Entry, { unknown }: RunOptions): Entry {
  return entry.kind === 'script' ? { ...entry, unknown: unknown?.(entry.name) ?? 'unknown' } : entry
}

/** The handlers of a folder, or the handler that `--only` names, with its number or without. */
function choose(
  entries: readonly Entry[],
  { only, events }: { only?: string; events: string },
): readonly Entry[] {
  if (entries.length === 0)
    throw new Usage(`${events}: no handlers: expected files named NN.name, such as 10.interface.script`)
  if (only === undefined) return entries
  const chosen = entries.filter(({ name }) => name === only || name.replace(/^\d\d\./, '') === only)
  if (chosen.length === 0)
    throw new Usage(
      `--only ${only}: no such handler in ${events}: there are ${entries.map(({ name }) => name).join(', ')}`,
    )
  return chosen
}

/** Refuse a name that no handler knows. CTDB's protocol carries any name, so only the handlers can tell a typing error. */
async function mustBeKnown({ name }: Event, entries: readonly Entry[]): Promise<void> {
  if ((CTDB_EVENTS as readonly string[]).includes(name)) return
  for (const entry of entries) {
    if (entry.kind === 'script') return
    if (entry.kind === 'module' && actOf(await entry.load(), name)) return
  }
  throw new Usage(`event "${name}": no handler knows it: CTDB's events are ${CTDB_EVENTS.join(', ')}`)
}

function together(all: readonly (Witness | undefined)[]): Witness {
  const witnesses = all.filter((each) => each !== undefined)
  return {
    begins: (step) => witnesses.forEach((each) => each.begins(step)),
    ended: (step) => witnesses.forEach((each) => each.ended(step)),
    notes: (note) => witnesses.forEach((each) => each.notes(note)),
  }
}

/** What is recorded, and the end of its file. */
interface Recorder {
  witness?: Witness
  close: () => Promise<void>
}

async function recorder(
  { record: file, redact, overwrite }: RunOptions,
  event: Event,
  facts: Facts,
): Promise<Recorder> {
  if (file === undefined) return { close: () => Promise.resolve() }
  const hide = redact ? redactor() : (text: string) => text
  const cut = (why: string) =>
    void process.stderr.write(`eventscript: ${visible(`--record ${file}: ${why}: cut short here`)}\n`)
  const { write, close } = await recordingFile({ file, overwrite, cut })
  write(
    hide(writeHeader({ event: event.name, words: event.words, env: facts.env, facts: factsAsText(facts) })),
  )
  const witness = writing(write)
  return { witness: redact ? redacted(witness, hide, OPTION_RULES) : witness, close }
}
