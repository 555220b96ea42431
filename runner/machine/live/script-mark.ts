import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { GRACE_MS, KILLED_MS } from './end-program.ts'
import { hasEnded, processGroup, processName } from './process-state.ts'

/** The variable by which all processes of one run of a script are known: also those that have left its process group. */
const VARIABLE = 'EVENTSCRIPT_RUN'
/** For what is to outlive a script: without the variable. */
export const UNMARKED = { [VARIABLE]: undefined }

const LOOK_EVERY_MS = 50
/** Milliseconds for a look at all processes, and looks for what was started meanwhile. */
const LOOK_LIMIT_MS = 1000
const LOOKS = 3

/** The mark of one run of a script. A process that has cleared its environment, as below sudo, has lost the mark. */
export class ScriptMark {
  readonly env: Record<string, string> = { [VARIABLE]: randomUUID() }

  /**
   * End what the script has started outside its process group `group`: TERM, then KILL; `hard`: KILL. Gives back a line for the log
   * when something stays. Never rejects.
   */
  async end(group: number, hard: boolean): Promise<string | undefined> {
    try {
      if (!hard) {
        const all = await this.#find()
        // the group gets its TERM from endProgram, at this moment
        send(
          all.filter((pid) => processGroup(pid) !== group),
          'SIGTERM',
        )
        await endedWithin(all, GRACE_MS)
      }
      for (let looks = 0; looks < LOOKS; looks += 1) {
        const left = await this.#find()
        if (left.length === 0) return undefined
        await endedWithin(send(left, 'SIGKILL'), KILLED_MS)
      }
      const left = (await this.#find()).map((pid) => `pid ${pid} (${processName(pid)})`)
      return left.length > 0 ? `WARNING: no signal ends ${left.join(', ')}: it stays` : undefined
    } catch (error) {
      return `WARNING: what it has started may stay: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  /** By a program that can be killed: to read the environment of a process that hangs may hang as well. */
  async #find(): Promise<number[]> {
    const files = readdirSync('/proc').flatMap((pid) => (/^\d+$/.test(pid) ? [`/proc/${pid}/environ`] : []))
    const words = ['-lsF', `${VARIABLE}=${this.env[VARIABLE]}`, ...files]
    const found = await execa('grep', words, {
      reject: false,
      stdin: 'ignore',
      stderr: 'ignore',
      timeout: LOOK_LIMIT_MS,
      killSignal: 'SIGKILL',
    })
    // 2: a process has ended meanwhile, or is another user's
    if (found.exitCode === undefined) throw new Error(`grep could not look for it: ${found.shortMessage}`)
    return [...found.stdout.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => Number(pid))
  }
}

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
