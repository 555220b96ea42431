import type { Socket } from 'node:net'
import { execa } from 'execa'
import { AnswerLimit } from './answer-limit.ts'
import { atOurDeath } from './at-our-death.ts'
import { helper } from './libexec.ts'

const WARDEN = helper('warden.sh')
/** Milliseconds to the next start of a warden that somebody has ended. */
const AGAIN_MS = 1000

/**
 * Knows the process groups of our helpers, and ends them when we die, also by a KILL. The end of its own input ends a helper
 * as well, but not a helper that is stopped: that one would do the rest of its work as soon as somebody lets it go on.
 */
class Warden {
  readonly #groups = new Set<number>()
  readonly #late = new Set<number>()
  readonly #limit = new AnswerLimit()
  #process: WardenProcess | undefined
  /** Ends the wait for the answer. */
  #answered: ((isAnswer?: boolean) => void) | undefined
  #isOutdated = false

  /** End this process group at our death. */
  add(group: number): void {
    this.#groups.add(group)
    this.#tell()
  }

  /** End this process some seconds after our death, unless it has ended by itself. */
  addLate(pid: number): void {
    this.#late.add(pid)
    this.#tell()
  }

  /** The process, or the first of the group, has ended. */
  remove(pid: number): void {
    if (this.#groups.delete(pid) || this.#late.delete(pid)) this.#tell()
  }

  /** One line at a time: what changes meanwhile is the next line. */
  #tell(): void {
    this.#isOutdated = true
    if (this.#answered) return
    const warden = (this.#process ??= this.#begin())
    this.#isOutdated = false
    this.#answered = this.#limit.begin(() => warden.kill())
    warden.send(`${[...this.#groups].join(' ')} / ${[...this.#late].join(' ')}\n`)
  }

  #begin(): WardenProcess {
    const kept = () => {
      this.#answered?.()
      this.#answered = undefined
      if (this.#isOutdated) this.#tell()
    }
    const ended = () => {
      this.#process = undefined
      this.#answered?.(false)
      this.#answered = undefined
      setTimeout(() => this.#tell(), AGAIN_MS).unref()
    }
    return startWarden(kept, ended)
  }
}

interface WardenProcess {
  send: (line: string) => void
  kill: () => void
}

/** The end of its input is our end; a warden that is stopped goes on then. It keeps nobody running. */
function startWarden(kept: () => void, ended: () => void): WardenProcess {
  const [program = '', ...words] = [...atOurDeath('CONT'), ...WARDEN]
  const child = execa(program, words, {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
    cwd: '/',
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
  })
  child.unref()
  for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as Socket).unref()
  child.stdout.on('data', kept)
  child.stdin.on('error', () => {})
  void child.then(ended)
  return { send: (line) => void child.stdin.write(line), kill: () => void child.kill('SIGKILL') }
}

/** One for this process. */
export const warden = new Warden()
