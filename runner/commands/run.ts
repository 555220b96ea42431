import { appendFileSync, writeFileSync } from 'node:fs'
import { factsHere, type Facts } from '../config.ts'
import { runEvent, type World } from '../engine.ts'
import { CTDB_EVENTS, parseEvent, type Event } from '../events.ts'
import { findHandlers, type Entry } from '../handlers.ts'
import { Usage } from '../refusal.ts'
import type { HandlerReport, Report } from '../report.ts'
import { live } from '../system/live.ts'
import { recorded } from '../system/record.ts'
import { writeHeader, writeNote } from '../system/transcript.ts'

export interface RunOptions {
  event: string
  words: readonly string[]
  /** The folder of handlers. */
  events: string
  /** Where options files lie, when not where CTDB has them. */
  optionsFolder?: string
  announcer: string
  only?: string
  /** Seconds for each handler. */
  timeout: number
  record?: string
  interrupt?: AbortSignal
  /** Told when a handler has ended. */
  ended: (report: HandlerReport) => void
}

/** `eventscript run`: one event on this machine. Throws Usage before anything is done. */
export async function run(options: RunOptions): Promise<Report> {
  const event = parseEvent(options.event, options.words)
  const entries = choose(findHandlers(options.events), options)
  await mustBeKnown(event, entries)
  const facts = factsHere(options.announcer, options.optionsFolder)
  const sink = options.record === undefined ? undefined : recorder(options.record, event, facts)
  const world: World = {
    facts,
    system: (signal) => (sink ? recorded(live({ signal }), sink) : live({ signal })),
    note: (note) => {
      sink?.(writeNote(note))
    },
    interrupt: options.interrupt,
  }
  return await runEvent(entries, event, world, { handler: options.timeout * 1000 }, options.ended)
}

/** The handlers of a folder, or the one named by `--only`: `10.interface`, or just `interface`. */
export function choose(
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

/** The protocol carries any name, so only the handlers can say whether one is a slip of the pen. */
async function mustBeKnown({ name }: Event, entries: readonly Entry[]): Promise<void> {
  if ((CTDB_EVENTS as readonly string[]).includes(name)) return
  for (const entry of entries) {
    if (entry.kind === 'script') return
    if (entry.kind === 'module' && name in (await entry.load())) return
  }
  throw new Usage(`event "${name}": no handler knows it: CTDB's events are ${CTDB_EVENTS.join(', ')}`)
}

/** Written as it happens, so that the recording of an event that is killed is there up to that moment. */
function recorder(file: string, event: Event, facts: Facts): (text: string) => void {
  const header = { event: event.name, words: event.words, env: facts.env, facts: factsAsText(facts) }
  try {
    writeFileSync(file, writeHeader(header))
  } catch (error) {
    throw new Usage(
      `--record ${file}: cannot write it: ${(error as NodeJS.ErrnoException).code}: name another file`,
    )
  }
  return (text) => appendFileSync(file, text)
}

/** The facts that a replay needs, as they stand in a recording. */
export function factsAsText(facts: Facts): Record<string, string> {
  return {
    privileged: facts.privileged ? 'yes' : 'no',
    announcer: facts.announcer,
    options: facts.optionsFolder,
  }
}

/** And back. */
export function factsFromText(env: Facts['env'], facts: Readonly<Record<string, string>>): Facts {
  return {
    env,
    privileged: facts['privileged'] !== 'no',
    announcer: facts['announcer'] ?? 'announce',
    optionsFolder: facts['options'] ?? '/etc/ctdb/events/legacy',
  }
}
