/** What the event daemon of this node, ours or CTDB's, has recorded of an event's scripts. */
import { Refusal } from '../../base/refusal.ts'
import { askStatus } from '../../eventd/ask.ts'
import type { ScriptStatus } from '../../eventd/protocol/messages.ts'
import { endText } from '../../eventd/status-text.ts'

/** The scripts at the last such event; in their place, why nobody knows. */
export type Recorded = ScriptStatus[] | string

export async function recordedScripts(event: string): Promise<Recorded> {
  try {
    return (await askStatus(event)).scripts
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

/** What is known of the end of a script that is not run now. */
export function unknownEnd(recorded: Recorded, event: string, name: string): string {
  if (typeof recorded === 'string') return `unknown; nor is its end at the last ${event} known: ${recorded}`
  const script = recorded.find((each) => each.name === name)
  return script
    ? `unknown; recorded at the last ${event}: ${endText(script)}`
    : `unknown; no end of it is recorded at the last ${event}`
}
