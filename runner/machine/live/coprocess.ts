import { execa } from 'execa'
import { atOurDeath } from './at-our-death.ts'
import { warden } from './warden.ts'

export interface Listener {
  out: (text: string) => void
  err?: (text: string) => void
  /** It has ended by itself, by a signal (no status), or could not be started at all (no status). Called once. */
  ended: (status?: number) => void
}

export interface CoprocessOptions {
  /** Does one piece of work, and ends: no exec more is spent on its death with us. */
  isBrief?: boolean
}

/** Milliseconds for a program without work to end. */
const FINISH_MS = 3000
/** Milliseconds from KILL to the end of a program: what needs longer waits for a disk, and may never end. */
const KILLED_MS = 200

/**
 * A program that stays and is talked to: its input is a pipe, and so are its outputs. To start one from node takes about 5 ms in
 * which nothing else goes on (the whole of a large process is mapped anew), so what is started often is started by a small
 * process that stays. When we die, in whatever way, so does the program: by the kernel, by the warden, by the end of its
 * input.
 */
export class Coprocess {
  readonly pid: number | undefined
  readonly #child: ReturnType<typeof start>
  readonly #listener: Listener
  #isOver = false

  constructor(argv: readonly string[], listener: Listener, { isBrief = false }: CoprocessOptions = {}) {
    const child = start(isBrief ? argv : [...atOurDeath('KILL'), ...argv], listener.err !== undefined)
    this.#child = child
    this.#listener = listener
    this.pid = child.pid
    if (child.pid !== undefined) warden.add(child.pid)
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#isOver || listener.out(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#isOver || listener.err?.(text))
    // EPIPE: the program has ended, and `ended` says so
    child.stdin.on('error', () => {})
    void child.then(({ exitCode }) => this.#ended(exitCode))
  }

  send(text: string): void {
    this.#child.stdin.write(text)
  }

  /** No more input: the program ends when its work is done. */
  endInput(): void {
    this.#child.stdin.end()
  }

  /** The same for a program without work: its end is awaited for a moment, then comes a KILL. */
  finish(): void {
    this.endInput()
    setTimeout(() => this.kill(), FINISH_MS).unref()
  }

  /** KILL, to its whole group. `ended` is called soon after, also when the program cannot be ended. */
  kill(): void {
    if (this.#isOver || this.pid === undefined) return
    killGroup(this.pid)
    setTimeout(() => {
      if (!this.#isOver) letGo(this.#child)
      this.#ended()
    }, KILLED_MS)
  }

  #ended(status?: number): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.pid !== undefined) {
      // a helper that somebody else has killed may have left the program that it had started
      if (status === undefined) killGroup(this.pid)
      warden.remove(this.pid)
    }
    this.#listener.ended(status)
  }
}

function start([program = '', ...words]: readonly string[], hasErrors: boolean) {
  return execa(program, words, {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: hasErrors ? 'pipe' : 'ignore',
    encoding: 'utf8',
    env: { LC_ALL: 'C' },
    cwd: '/',
    detached: true,
    buffer: false,
    reject: false,
  })
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // gone already
  }
}

/** A program that no KILL ends, as it waits for a disk, must not keep us. */
function letGo(child: ReturnType<typeof start>): void {
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy()
  child.unref()
}
