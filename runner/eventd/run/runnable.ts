import type { Entry } from '../../engine/find-handlers.ts'
import { parseEvent, type Event } from '../../node/events.ts'
import type { Job } from './job.ts'

/**
 * The event of a job, and the scripts as they are to be run. The daemon passes any words on to executables; our handlers
 * refuse words that they cannot take.
 */
export function runnable(
  { event: name, words }: Job,
  entries: readonly Entry[],
): { event: Event; entries: readonly Entry[] } {
  try {
    return { event: parseEvent(name, words), entries }
  } catch (error) {
    const event: Event = { name, words, args: undefined }
    return { event, entries: entries.map((entry) => refusing(entry, error as Error)) }
  }
}

function refusing(entry: Entry, problem: Error): Entry {
  return entry.kind === 'module' ? { ...entry, load: () => Promise.reject(problem) } : entry
}
