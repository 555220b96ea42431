/** One process of this node does all background work: the first that has the lock, and who comes later gives it their words. */
import { announcementFrom, announcementWords, type Announcement } from '../../machine/announcement.ts'
import { LockBusy } from '../../machine/errors.ts'
import { commandLine } from '../../machine/files/process-users.ts'
import { isFar } from '../../machine/files/may-hang.ts'
import { handOver, inboxLock, inboxOwner, openInbox } from '../../machine/live/inbox.ts'
import type { Door } from '../../machine/machine.ts'
import { Refusal } from '../../base/refusal.ts'

export interface OneWorker {
  door: Door
  /** Resolves when nothing of this announcement is left to be done. */
  perform: (announcement: Announcement) => Promise<void>
  say: (line: string) => void
}

/** Milliseconds for the process at work to take an announcement, and seconds for its end. */
const ANSWER_MS = 3000
const END_SECONDS = 5

/**
 * Do this, and what others hand over meanwhile; or hand it over. A process at work that does not answer is woken (SIGCONT), then killed
 * and replaced: what it had still to announce is lost, and that is said.
 */
export async function asTheOnlyOne(first: Announcement, inbox: string, worker: OneWorker): Promise<void> {
  const { door, say } = worker
  // a socket there would keep this thread
  if (isFar(inbox)) return await worker.perform(first)
  const words = announcementWords(first)
  const work = () => workAt(first, inbox, worker)
  try {
    for (const wake of ['SIGCONT', 'SIGKILL'] as const) {
      const isOver = await doneUnderLock(door, inbox, 0, work)
      if (isOver || (await handOver(inbox, words, ANSWER_MS))) return
      const owner = inboxOwner(inbox)
      if (owner !== undefined && isAnnouncer(owner)) {
        if (wake === 'SIGKILL') say(`announcing (pid ${owner}) has not answered for 6 s: ended, and replaced`)
        process.kill(owner, wake)
      }
      if (await handOver(inbox, words, ANSWER_MS)) return
    }
    if (await doneUnderLock(door, inbox, END_SECONDS, work)) return
  } catch (error) {
    // no lock, or no socket, can be had there: as if nobody else were at work
    if (!(error instanceof Refusal)) throw error
  }
  await worker.perform(first)
}

/** False when another process has the lock. */
async function doneUnderLock(
  door: Door,
  inbox: string,
  seconds: number,
  work: () => Promise<void>,
): Promise<boolean> {
  let isBegun = false
  try {
    await door.hold(inboxLock(inbox), seconds, async () => {
      isBegun = true
      await work()
    })
    return true
  } catch (error) {
    if (isBegun || !(error instanceof LockBusy)) throw error
    return false
  }
}

async function workAt(first: Announcement, inbox: string, { perform, say }: OneWorker): Promise<void> {
  const atWork = new Map<string, Promise<void>>()
  const begin = (announcement: Announcement) => {
    const key = announcementWords(announcement).join(' ')
    const isEndless = announcement.mode === 'seized' || announcement.mode === 'parked'
    // these go on as long as there is reason to
    if (isEndless && atWork.has(key)) return
    const done = perform(announcement).catch((error: unknown) =>
      say(`announcing ${key} failed: ${error instanceof Error ? error.message : String(error)}`),
    )
    atWork.set(key, done)
    void done.then(() => atWork.get(key) === done && atWork.delete(key))
  }
  const until = async () => {
    while (atWork.size > 0) await Promise.all(atWork.values())
  }
  begin(first)
  const listening = await openInbox(inbox, (words) => {
    const more = announcementFrom(words)
    if (more) begin(more)
    return more !== undefined
  }).catch(() => undefined)
  await until()
  listening?.close()
  await until()
}

/** Another process may have the pid by now. */
export function isAnnouncer(pid: number): boolean {
  return /announce/.test(commandLine(pid))
}
