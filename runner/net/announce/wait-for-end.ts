import { setTimeout as sleep } from 'node:timers/promises'
import { ANNOUNCE } from '../../machine/announcement.ts'
import { LockBusy } from '../../machine/errors.ts'
import { commandLine } from '../../machine/files/process-users.ts'
import { inboxLock, inboxOwner } from '../../machine/live/inbox.ts'
import { hasEnded } from '../../machine/live/process-state.ts'
import type { Door } from '../../machine/machine.ts'
import { isAnnouncer } from './only-one.ts'

const LOOK_EVERY_MS = 50
/** Milliseconds for a killed process to go. */
const KILLED_MS = 2000

/**
 * Wait until no process announces in the background for the scripts of this node. After so many seconds what is left has no end, as for
 * a seized address, or hangs: it is killed, and a line says so.
 */
export async function announcerEnded(door: Door, inbox: string, seconds: number): Promise<string[]> {
  const lock = inboxLock(inbox)
  if ((await door.read(lock)) === undefined) return []
  try {
    await door.hold(lock, seconds, () => Promise.resolve())
    return []
  } catch (error) {
    if (!(error instanceof LockBusy)) throw error
  }
  const owner = inboxOwner(inbox)
  if (owner === undefined || !isAnnouncer(owner))
    return [`WARNING: ${lock}: held by a process that is no announcer of ours: "lslocks" names it`]
  const words = commandLine(owner).split('\0').slice(2)
  process.kill(owner, 'SIGKILL')
  const last = performance.now() + KILLED_MS
  while (!hasEnded(owner) && performance.now() < last) await sleep(LOOK_EVERY_MS)
  const begun = words.filter((word) => word !== ANNOUNCE && word !== '').join(' ')
  return [
    `WARNING: announcing (pid ${owner}, begun with "${begun}") went on for ${seconds} s: ended, and what it had still to announce is lost`,
  ]
}
