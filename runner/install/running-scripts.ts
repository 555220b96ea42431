import { setTimeout as sleep } from 'node:timers/promises'
import { ANNOUNCE, announcerInbox } from '../machine/announcement.ts'
import { allPids, procText } from '../machine/files/proc.ts'
import { commandLine } from '../machine/files/process-users.ts'
import { inboxOwner } from '../machine/live/inbox.ts'
import { keepdirOf, vardirOf } from '../node/ctdb-path.ts'

const LOOK_EVERY_MS = 100

/** Wait until no event runs these programs as processes; gives the pids of those that still run after so many seconds. */
export function scriptsEnded(programs: ReadonlySet<string>, seconds: number): Promise<number[]> {
  return endedWithin(seconds, () =>
    running(programs).flatMap(({ pid, event }) => (event === ANNOUNCE ? [] : [pid])),
  )
}

/**
 * Wait until each process that announces by these programs for the node of that inbox has ended, or does the work of all. An event
 * may have started one just before its own end, which has not yet come to its lock. Gives the pids of the others after so many seconds.
 */
export function announcersSettled(
  programs: ReadonlySet<string>,
  inbox: string,
  seconds: number,
): Promise<number[]> {
  return endedWithin(seconds, () => {
    const atWork = inboxOwner(inbox)
    return running(programs).flatMap(({ pid, event }) =>
      event === ANNOUNCE && pid !== atWork && inboxOf(pid) === inbox ? [pid] : [],
    )
  })
}

/** Other nodes of this machine, in containers, announce by the same program. */
function inboxOf(pid: number): string {
  const environment = Object.fromEntries(
    procText(`/proc/${pid}/environ`)
      .split('\0')
      .map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  )
  return announcerInbox(keepdirOf(vardirOf(environment)))
}

async function endedWithin(seconds: number, look: () => number[]): Promise<number[]> {
  const last = performance.now() + seconds * 1000
  for (;;) {
    const left = look()
    if (left.length === 0 || performance.now() > last) return left
    await sleep(LOOK_EVERY_MS)
  }
}

function running(programs: ReadonlySet<string>): { pid: number; event: string | undefined }[] {
  return allPids().flatMap((pid) => {
    if (pid === process.pid) return []
    const [interpreter = '', program = '', event] = commandLine(pid).split('\0')
    return /(^|\/)node$/.test(interpreter) && programs.has(program) ? [{ pid, event }] : []
  })
}
