/** The watch on ctdbd: our life ends with the life of ctdbd. */
import { readFileSync } from 'node:fs'

/** The fields of /proc/PID/stat that tell the end of a process (proc(5)). */
export interface ProcessStat {
  state: string
  flags: number
  /** In ticks since the boot: another process with the same pid has another start. */
  start: string
}

/** The second field is a name in brackets, which may hold blanks and brackets itself. */
export function parseStat(text: string): ProcessStat | undefined {
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
 * Is the process past its last instruction? A process closes its connections before it becomes a zombie, and a process
 * that dumps core keeps them for as long as that takes; but the kernel sets these flags before either.
 */
export function isEnding({ state, flags }: ProcessStat): boolean {
  return state === 'Z' || state === 'X' || (flags & IS_ENDING) !== 0
}

/** A process, known by its pid and its start. */
export class TrackedProcess {
  readonly pid: number
  readonly #start: string | undefined

  /** The process that has this pid now. */
  constructor(pid: number) {
    this.pid = pid
    this.#start = statOf(pid)?.start
  }

  /** Also when another process has the pid now. */
  isGone(): boolean {
    const now = statOf(this.pid)
    return now ? isEnding(now) || now.start !== this.#start : !exists(this.pid)
  }
}

function statOf(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** Where /proc does not show the process. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Milliseconds between two looks: a look is one small file. ctdb-eventd looks every 5 s. */
const LOOK_EVERY_MS = 1000

/** Calls back once when a process is gone. */
export class ProcessWatch {
  readonly #process: TrackedProcess
  #gone: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(pid: number) {
    this.#process = new TrackedProcess(pid)
  }

  get pid(): number {
    return this.#process.pid
  }

  isGone(): boolean {
    return this.#process.isGone()
  }

  /** Look every second from now on. */
  start(gone: () => void): void {
    this.#gone = gone
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
  }

  /**
   * Look at once, at a moment in which the process may have gone. ctdbd keeps one connection to us for life: a
   * connection that was closed is such a moment.
   */
  look(): void {
    const gone = this.#gone
    if (!gone || !this.isGone()) return
    this.#gone = undefined
    clearInterval(this.#timer)
    gone()
  }
}
