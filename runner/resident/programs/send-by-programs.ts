import { helper } from '../../machine/live/libexec.ts'
import { ANSWER_MS, silentHelper } from '../../machine/live/answer-limit.ts'
import { Coprocess } from '../../machine/live/coprocess.ts'
import type { ProgramSender } from '../../net/announce/packets.ts'
import { inLines } from './process-pool.ts'

type Argv = readonly string[]

const COMMAND = helper('program-sender.sh')

/** Programs that one shell has at work at once. A packet costs one program; 128 are started in an eighth of a second. */
const MOST = 128
/** Shells at once: while one waits for the end of its programs the next starts others. */
const MOST_SHELLS = 4
/**
 * Milliseconds for a group to be started, and then for all its programs to end. On a busy machine a start takes longer, and no
 * program is ended twice in vain.
 */
const GROUP_MS = 2 * ANSWER_MS

/** The address has left this node meanwhile. */
const LEFT = /Cannot assign requested address/

/** One line for all lines of standard error. */
export function complainOnce(errors: string, complain: (line: string) => void): void {
  const [first, ...more] = errors.split('\n').filter((line) => line !== '' && !LEFT.test(line))
  if (first !== undefined)
    complain(`announcement failed: ${first}${more.length > 0 ? `, and ${more.length} lines more` : ''}`)
}

/** Sends packets by small programs, which a few shells start. */
export class ShellProgramSender implements ProgramSender {
  readonly #complain: (line: string) => void
  readonly #shells = new Set<SenderShell>()
  #idle: SenderShell[] = []
  /** Each waits for a shell that is idle, or has gone. */
  #waiting: (() => void)[] = []

  /** `complain` gets what programs write to standard error: a line for all that were started together. */
  constructor(complain: (line: string) => void) {
    this.#complain = complain
  }

  async send(commands: readonly Argv[]): Promise<void> {
    for (let i = 0; i < commands.length; i += MOST)
      await (await this.#shell()).start(commands.slice(i, i + MOST))
  }

  close(): void {
    for (const shell of this.#shells) shell.kill()
    this.#waiting = []
  }

  async #shell(): Promise<SenderShell> {
    while (this.#idle.length === 0 && this.#shells.size >= MOST_SHELLS)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const shell = this.#idle.pop() ?? this.#begin()
    this.#shells.add(shell)
    return shell
  }

  #begin(): SenderShell {
    const free = (errors: string) => {
      complainOnce(errors, this.#complain)
      this.#waiting.shift()?.()
    }
    const shell: SenderShell = new SenderShell({
      idle: (errors) => {
        this.#idle.push(shell)
        free(errors)
      },
      silent: (pid) => this.#complain(silentHelper('the shell that announces by programs', pid, GROUP_MS)),
      gone: (errors) => {
        this.#shells.delete(shell)
        this.#idle = this.#idle.filter((each) => each !== shell)
        free(errors)
      },
    })
    return shell
  }
}

/** Called with what was written to standard error since the last time. */
interface ShellListener {
  idle: (errors: string) => void
  gone: (errors: string) => void
  /** It does not answer, and is killed with its programs. */
  silent: (pid: number | undefined) => void
}

/** A shell that starts programs and ends those that stay. */
class SenderShell {
  readonly #coprocess: Coprocess
  readonly #listener: ShellListener
  #errors = ''
  #started = () => {}
  #late: NodeJS.Timeout | undefined

  constructor(listener: ShellListener) {
    this.#listener = listener
    this.#coprocess = new Coprocess(COMMAND, {
      out: (text) => {
        if (text.includes('started')) this.#started()
        if (text.includes('ended')) listener.idle(this.#takeErrors())
      },
      err: (text) => void (this.#errors += text),
      ended: () => {
        this.#started()
        listener.gone(this.#takeErrors())
      },
    })
  }

  /** Resolves when all have been started. */
  start(commands: readonly Argv[]): Promise<void> {
    return new Promise((resolve) => {
      this.#started = () => {
        this.#mustAnswer()
        resolve()
      }
      this.#mustAnswer()
      this.#coprocess.send(`${commands.map(inLines).join('')}end\n`)
    })
  }

  kill(): void {
    clearTimeout(this.#late)
    this.#coprocess.kill()
  }

  #mustAnswer(): void {
    clearTimeout(this.#late)
    this.#late = setTimeout(() => {
      this.#listener.silent(this.#coprocess.pid)
      this.kill()
    }, GROUP_MS)
  }

  /** What it has said is the end of its present work. */
  #takeErrors(): string {
    clearTimeout(this.#late)
    const errors = this.#errors
    this.#errors = ''
    return errors
  }
}
