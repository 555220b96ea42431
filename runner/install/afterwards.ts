/** After our files have gone: nothing that they have started goes on, and no address stays parked, which only they could end. */
import { join } from 'node:path'
import { letParkedGo } from '../net/dad/let-go.ts'
import { announcerEnded } from '../net/announce/wait-for-end.ts'
import { announcerInbox } from '../machine/announcement.ts'
import type { Door } from '../machine/machine.ts'
import { baseOf, keepdirOf, vardirOf } from '../node/ctdb-path.ts'
import { factsHere, type Facts } from '../node/facts.ts'
import { nodeOutsideEvents } from '../node/node-outside-events.ts'
import { parkedNow } from './must-not-park.ts'
import { announcersSettled, scriptsEnded } from './running-scripts.ts'

/** Seconds for an event that had begun, as ctdbd gives it by default, and for what it has left to the background. */
const EVENT_SECONDS = 30
const BACKGROUND_SECONDS = 10

/**
 * Wait for the events that run our scripts as `programs`, then for their announcements. An address that they have parked meanwhile leaves
 * this node. Gives lines about all that did not end by itself.
 */
export async function endWhatRuns(
  door: Door,
  env: Facts['env'],
  programs: ReadonlySet<string>,
): Promise<string[]> {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const facts = { ...factsHere([], join(baseOf(env), 'events/legacy')), env }
  const letGo = async () => {
    if ((await parkedNow(door, env)).length === 0) return
    const gone = await letParkedGo(await nodeOutsideEvents(door, facts, say))
    if (gone.length > 0)
      say(`WARNING: ${gone.join(', ')}: parked meanwhile, and taken off: ctdbd lets a script take it again`)
  }
  for (const pid of await scriptsEnded(programs, EVENT_SECONDS))
    say(
      `WARNING: pid ${pid} still runs an event with our script after ${EVENT_SECONDS} s: repeat "eventscript uninstall" when it has ended`,
    )
  // those who try parked addresses again end by themselves when none is left
  await letGo()
  const inbox = announcerInbox(keepdirOf(vardirOf(env)))
  for (const pid of await announcersSettled(programs, inbox, BACKGROUND_SECONDS))
    say(
      `WARNING: pid ${pid} still announces after ${BACKGROUND_SECONDS} s: repeat "eventscript uninstall" when it has ended`,
    )
  lines.push(...(await announcerEnded(door, inbox, BACKGROUND_SECONDS)))
  await letGo()
  return lines
}
