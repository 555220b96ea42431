import type { Writable } from 'node:stream'
import { execa, execaSync } from 'execa'
import { helper } from './libexec.ts'
import { isStopped } from './process-state.ts'
import { warden } from './warden.ts'

const [SHELL = '', ...LOG_LINES] = helper('log-lines.sh')

/** Milliseconds for the logger to take a line, when the pipe to it is full. */
const TAKEN_MS = 10_000

let priorities: boolean | undefined

/** That of util-linux takes a priority with each line, and files them under our own pid; BusyBox's has one priority for all. */
function hasPriorities(): boolean {
  const ask = { reject: false, stdin: 'ignore', timeout: 1000, killSignal: 'SIGKILL' } as const
  return (priorities ??= /util-linux/.test(execaSync('logger', ['--version'], ask).stdout))
}

/**
 * The system's log as a stream of lines, by one `logger` for as long as we live. A SIGTERM for the whole control group is none
 * for it: it ends with its input, after our last line.
 */
export class Logger {
  readonly lines: Writable
  /** Each line has its priority before it (`<3>`), or none has. */
  readonly hasPriorities = hasPriorities()
  /** It has taken the last line. The kernel takes none under our pid when we are gone. */
  readonly ended: Promise<unknown>
  readonly #pid: number | undefined
  /** How many bytes wait for it, and since when none was taken, in milliseconds of the monotonic clock. */
  #waiting = { bytes: 0, since: 0 }

  constructor(tag: string) {
    const words = this.hasPriorities
      ? ['-t', tag, `--id=${process.pid}`, '--prio-prefix']
      : ['-t', `${tag}[${process.pid}]`]
    const child = execa(SHELL, [...LOG_LINES, ...words, '-p', 'daemon.notice'], {
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'ignore',
      reject: false,
      cleanup: false,
    })
    const { pid } = child
    this.lines = child.stdin
    this.ended = child
    this.#pid = pid
    if (pid === undefined) return
    warden.addLate(pid)
    void child.then(() => warden.remove(pid))
  }

  /** One that is stopped goes on: the lines in its pipe are not lost so. One that takes nothing any more is killed, and its stream ends. */
  lookAfter(): void {
    if (this.#pid === undefined || this.lines.destroyed) return
    if (isStopped(this.#pid)) signal(this.#pid, 'SIGCONT')
    const bytes = this.lines.writableLength
    const isTaking = bytes === 0 || bytes < this.#waiting.bytes || this.#waiting.bytes === 0
    if (isTaking) this.#waiting = { bytes, since: performance.now() }
    else if (performance.now() - this.#waiting.since > TAKEN_MS) signal(this.#pid, 'SIGKILL')
  }
}

function signal(pid: number, name: 'SIGCONT' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // gone already
  }
}
