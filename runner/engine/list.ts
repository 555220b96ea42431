import type { Handler } from '../node/node.ts'
import { findHandlers } from './find-handlers.ts'
import { Refusal } from '../base/refusal.ts'
import { mustAnswer } from '../machine/files/must-answer.ts'

/** One line of `eventscript list`. */
export interface Listed {
  name: string
  /** `handler` runs inside this program, `script` is an executable; `disabled` and `broken` do not run. */
  kind: 'handler' | 'script' | 'disabled' | 'broken'
  /** The subject of the handler, or the reason why it does not run. */
  about: string
  /** The events that the handler knows; empty for an executable, which gets all events. */
  events: string[]
  path: string
}

/** The handlers of a folder in the order in which they run. */
export async function list(folder: string): Promise<Listed[]> {
  await mustAnswer(folder)
  const listed: Listed[] = []
  for (const entry of findHandlers(folder)) {
    const { name, path } = entry
    if (entry.kind === 'unusable')
      listed.push({ name, path, kind: entry.disabled ? 'disabled' : 'broken', about: entry.why, events: [] })
    else if (entry.kind === 'script')
      listed.push({ name, path, kind: 'script', about: 'an executable', events: [] })
    else listed.push({ name, path, ...(await describe(entry.load)) })
  }
  return listed
}

async function describe(load: () => Promise<Handler>): Promise<Pick<Listed, 'kind' | 'about' | 'events'>> {
  try {
    const handler = await load()
    const acts = Object.entries(handler).filter(([, each]) => typeof each === 'function')
    return { kind: 'handler', about: handler.about, events: acts.map(([event]) => event) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { kind: 'broken', about: error.message, events: [] }
  }
}
