import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { allPids } from '../files/proc.ts'
import { GRACE_MS, KILLED_MS } from './end-program.ts'
import { processFamily, hasEnded, processGroup, processName, processStart } from './process-state.ts'

/** The variable by which all processes of one run of a script are known: also those that have left its process group. */
const VARIABLE = 'EVENTSCRIPT_RUN'
/** For what is to outlive a script: without the variable. */
export const UNMARKED = { [VARIABLE]: undefined }

const LOOK_EVERY_MS = 50
/** Milliseconds for a look at all processes, and looks for what was started meanwhile. */
const LOOK_LIMIT_MS = 1000
const LOOKS = 3

/**
 * What one run of a script has started: known by the mark in the environment, and as descendants, which an empty environment
 * (`env -i`, sudo) does not hide. Only a process that has lost both the mark and its parents is not known.
 */
export class ScriptMark {
  readonly env: Record<string, string> = { [VARIABLE]: randomUUID() }
  /** The start of each process, by its number: a later process of that number is another's. */
  readonly #seen = new Map<number, string>()
  #whyBlind = ''

  /**
   * Look at the processes that descend from the script now, whose process group is `group`: their parents may end soon. Never
   * throws.
   */
  look(group: number): void {
    try {
      this.#remember([], group)
    } catch (error) {
      this.#whyBlind = messageOf(error)
    }
  }

  /**
   * End what the script has started outside its process group `group`: TERM, then KILL; `hard`: KILL. Gives back a line for the log
   * when something stays. Never rejects.
   */
  async end(group: number, hard: boolean): Promise<string | undefined> {
    try {
      this.look(group)
      if (!hard) {
        const all = await this.#find(group)
        // the group gets its TERM from endProgram, at this moment
        send(
          all.filter((pid) => processGroup(pid) !== group),
          'SIGTERM',
        )
        await endedWithin(all, GRACE_MS)
      }
      for (let looks = 0; looks < LOOKS; looks += 1) {
        const left = await this.#find(group)
        if (left.length === 0) break
        await endedWithin(send(left, 'SIGKILL'), KILLED_MS)
      }
      return this.#lineAbout(await this.#find(group))
    } catch (error) {
      return this.#lineAbout([], messageOf(error))
    }
  }

  #lineAbout(pids: readonly number[], whyBlind = this.#whyBlind): string | undefined {
    const left = pids.map((pid) => `pid ${pid} (${processName(pid)})`)
    if (left.length > 0) return `WARNING: no signal ends ${left.join(', ')}: it stays`
    return whyBlind === '' ? undefined : `WARNING: what it has started may stay: ${whyBlind}`
  }

  async #find(group: number): Promise<number[]> {
    this.#remember(await this.#marked(), group)
    return this.#alive()
  }

  #alive(): number[] {
    return [...this.#seen].flatMap(([pid, start]) =>
      processStart(pid) === start && !hasEnded(pid) ? [pid] : [],
    )
  }

  #remember(marked: readonly number[], group: number): void {
    for (const pid of processFamily([...marked, ...this.#alive()], group)) {
      const start = processStart(pid)
      if (start !== '') this.#seen.set(pid, start)
    }
  }

  /** By a program that can be killed: to read the environment of a process that hangs may hang as well. */
  async #marked(): Promise<number[]> {
    const files = allPids().map((pid) => `/proc/${pid}/environ`)
    const words = ['-lsF', `${VARIABLE}=${this.env[VARIABLE]}`, ...files]
    const found = await execa('grep', words, {
      reject: false,
      stdin: 'ignore',
      stderr: 'ignore',
      timeout: LOOK_LIMIT_MS,
      killSignal: 'SIGKILL',
    })
    // 2: a process has ended meanwhile, or is another user's
    if (found.exitCode === undefined) this.#whyBlind = `grep could not look for it: ${found.shortMessage}`
    return [...(found.stdout ?? '').matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => Number(pid))
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** Gives back those to which the signal was sent. */
function send(pids: readonly number[], signal: NodeJS.Signals | 0): number[] {
  return pids.filter((pid) => {
    try {
      return process.kill(pid, signal)
    } catch {
      return false
    }
  })
}

async function endedWithin(pids: readonly number[], ms: number): Promise<void> {
  const last = performance.now() + ms
  while (performance.now() < last && send(pids, 0).some((pid) => !hasEnded(pid))) await sleep(LOOK_EVERY_MS)
}
