import { constants } from 'node:os'
import type { Answer } from '../../machine/machine.ts'
import { helper } from '../../machine/live/libexec.ts'
import { startCoprocess } from '../../machine/live/coprocess.ts'
import { WorkerEnded, type Worker } from './deadline.ts'

/** Small shells that start programs for us: 1 ms for each, and none of ours. */
export interface Shells {
  /**
   * Undefined when it cannot be had this way, and nothing was started. `started` is told which process to look at when
   * it hangs. Rejects with `WorkerEnded` when that was killed.
   */
  run: (argv: readonly string[], started?: (shell: Worker) => void) => Promise<Answer | undefined>
  close: () => void
}

interface Shell extends Worker {
  run: (argv: readonly string[]) => Promise<Answer | undefined>
  finish: () => void
  alive: () => boolean
}

/** Shells that stand ready. More are started while all are busy. */
const READY = 4
/** Programs at once, of those that are started so. */
const MOST = 16

/** What such a shell reads. No word may contain a line end. */
export function inLines(argv: readonly string[]): string {
  return `${argv.length}\n${argv.join('\n')}\n`
}

export function shells(): Shells {
  let idle: Shell[] = Array.from({ length: READY }, startShell)
  let busy = 0
  let closed = false
  const queue: (() => void)[] = []

  async function turn(): Promise<void> {
    if (busy >= MOST) await new Promise<void>((resolve) => queue.push(resolve))
    busy += 1
  }

  return {
    async run(argv, started) {
      if (closed || argv.some((word) => word.includes('\n'))) return undefined
      await turn()
      idle = idle.filter((shell) => shell.alive())
      const shell = idle.pop() ?? startShell()
      try {
        started?.(shell)
        return await shell.run(argv)
      } finally {
        busy -= 1
        queue.shift()?.()
        if (shell.alive() && idle.length < READY && !closed) idle.push(shell)
        else shell.finish()
      }
    },
    close() {
      closed = true
      for (const shell of idle) shell.finish()
    },
  }
}

function startShell(): Shell {
  let out = ''
  let err = ''
  let alive = true
  let isKilled = false
  let done: ((answer: Answer | undefined) => void) | undefined
  let failed: ((error: WorkerEnded) => void) | undefined

  const heard = () => {
    const end = /\0(\d+)\0$/.exec(out)
    if (!end || !err.endsWith('\0')) return
    const answer = answerOf(Number(end[1]), out.slice(0, end.index), err.slice(0, -1))
    out = err = ''
    done?.(answer)
  }
  const { pid, send, finish, kill } = startCoprocess(['sh', helper('process-pool.sh')], {
    out(text) {
      out += text
      heard()
    },
    err(text) {
      err += text
      heard()
    },
    ended() {
      alive = false
      if (isKilled) failed?.(new WorkerEnded('the shell that ran it was ended'))
      // not undefined: what another has ended is not to be tried again
      else done?.(answerOf(128 + constants.signals.SIGKILL, out, err))
    },
  })
  return {
    pid,
    kill() {
      isKilled = true
      kill()
    },
    finish,
    alive: () => alive,
    run: (argv) =>
      new Promise((resolve, reject) => {
        if (!alive || pid === undefined) return resolve(undefined)
        done = resolve
        failed = reject
        send(inLines(argv))
      }),
  }
}

/** As a shell has it, 128 + N is a program that signal N has ended. */
function answerOf(status: number, out: string, err: string): Answer {
  const answer = { status, out, err }
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0]
  return signal === undefined ? answer : { ...answer, signal }
}
