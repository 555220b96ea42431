import { constants } from 'node:os'
import type { Answer } from '../system/door.ts'
import { startCoprocess } from '../system/coprocess.ts'

/** Small shells that start programs for us: 1 ms for each, and none of ours. */
export interface Shells {
  /** Undefined when it cannot be had this way, and nothing was started. `started` is told which process to look at when it hangs. */
  run: (argv: readonly string[], started?: (shell: Shell) => void) => Promise<Answer | undefined>
  close: () => void
}

export interface Shell {
  pid: number | undefined
  /** It and the program that it runs: who waits gets undefined. */
  kill: () => void
}

interface Worker extends Shell {
  run: (argv: readonly string[]) => Promise<Answer | undefined>
  finish: () => void
  alive: () => boolean
}

/** Shells that stand ready. More are started while all are busy. */
const READY = 4
/** Programs at once, of those that are started so. */
const MOST = 16

/** For a shell that has read `n`: as many words, a line each, become `$@`. None is ever seen by the shell's parser. */
export const READ_WORDS =
  'set --; while [ "$n" -gt 0 ]; do IFS= read -r word; set -- "$@" "$word"; n=$((n - 1)); done'

/** What such a shell reads. No word may contain a line end. */
export function inLines(argv: readonly string[]): string {
  return `${argv.length}\n${argv.join('\n')}\n`
}

/**
 * Reads a number and as many words, a line each, runs them as a command and prints NUL, the exit status, NUL. No word
 * is ever seen by the shell's parser.
 */
const LOOP = String.raw`while read -r n; do ${READ_WORDS}
"$@" </dev/null; s=$?; printf '\0' >&2; printf '\0%d\0' "$s"; done`

export function shells(): Shells {
  let idle: Worker[] = Array.from({ length: READY }, startWorker)
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
      idle = idle.filter((worker) => worker.alive())
      const worker = idle.pop() ?? startWorker()
      try {
        started?.(worker)
        return await worker.run(argv)
      } finally {
        busy -= 1
        queue.shift()?.()
        if (worker.alive() && idle.length < READY && !closed) idle.push(worker)
        else worker.finish()
      }
    },
    close() {
      closed = true
      for (const worker of idle) worker.finish()
    },
  }
}

function startWorker(): Worker {
  let out = ''
  let err = ''
  let alive = true
  let done: ((answer: Answer | undefined) => void) | undefined

  const heard = () => {
    const end = /\0(\d+)\0$/.exec(out)
    if (!end || !err.endsWith('\0')) return
    const answer = answerOf(Number(end[1]), out.slice(0, end.index), err.slice(0, -1))
    out = err = ''
    done?.(answer)
  }
  const { pid, send, finish, kill } = startCoprocess(['sh', '-c', LOOP], {
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
      // not undefined: what was ended is not to be tried again
      done?.(answerOf(128 + constants.signals.SIGKILL, out, err))
    },
  })
  return {
    pid,
    kill,
    finish,
    alive: () => alive,
    run: (argv) =>
      new Promise((resolve) => {
        if (!alive || pid === undefined) return resolve(undefined)
        done = resolve
        send(inLines(argv))
      }),
  }
}

/** What a program came to that we had to end. */
export function killed(err: string): Answer {
  return answerOf(128 + constants.signals.SIGKILL, '', err)
}

/** As a shell has it, 128 + N is a program that signal N has ended. */
function answerOf(status: number, out: string, err: string): Answer {
  const answer = { status, out, err }
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0]
  return signal === undefined ? answer : { ...answer, signal }
}
