/** The process whose end is ours: ctdbd. */
import { readFileSync } from 'node:fs'

/** What /proc/PID/stat says of a process, as far as its end concerns us. */
export interface Stat {
  state: string
  flags: number
  /** In ticks since the machine was started: another process of the same pid has another. */
  start: string
}

/** Its second field is a name in brackets, which may hold blanks and brackets itself. */
export function parseStat(text: string): Stat | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/)
  const [state, flags, start] = [fields[0], fields[6], fields[19]]
  if (state === undefined || start === undefined) return undefined
  return { state, flags: Number(flags), start }
}

/** include/linux/sched.h: PF_EXITING, PF_DUMPCORE, PF_SIGNALED (a signal has killed it). */
const IS_ENDING = 0x4 | 0x200 | 0x400

/**
 * Is it past its last instruction? A process closes its connections before it becomes a zombie, and one that dumps
 * core keeps them for as long as that takes; but it is marked before either.
 */
export function isEnding({ state, flags }: Stat): boolean {
  return state === 'Z' || state === 'X' || (flags & IS_ENDING) !== 0
}

export interface Parent {
  pid: number
  isGone: () => boolean
}

/** The process that has this pid now; it is gone when another has it. */
export function parentOf(pid: number): Parent {
  const start = statOf(pid)?.start
  return {
    pid,
    isGone() {
      const now = statOf(pid)
      return now ? isEnding(now) || now.start !== start : !exists(pid)
    },
  }
}

function statOf(pid: number): Stat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** Where /proc does not show it. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Milliseconds between two looks: a look is one small file. */
const LOOK_EVERY_MS = 1000

/**
 * Told once when it is gone. `look` is for a moment at which it may have gone: it keeps one connection to us for life,
 * so a connection that was closed is one. ctdb-eventd looks every 5 s.
 */
export function watch(parent: Parent, gone: () => void): { look: () => void } {
  let told = false
  const look = () => {
    if (told || !parent.isGone()) return
    told = true
    clearInterval(timer)
    gone()
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  return { look }
}
