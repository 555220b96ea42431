import { helper } from '../../machine/live/libexec.ts'
import { ANSWER_MS, silentHelper } from '../../machine/live/answer-limit.ts'
import { Coprocess } from '../../machine/live/coprocess.ts'
import type { ProgramSender, SendingProgram } from '../../net/announce/packets.ts'
import { namesOf } from '../../net/announce/unannounced.ts'
import { inLines } from './process-pool.ts'

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

/** What became of the programs that were started together. */
interface GroupEnd {
  /** Those that failed by themselves, with their exit status. */
  failed: readonly (SendingProgram & { status: number })[]
  /** Standard error of all of them. */
  errors: string
}

/** One line for a group; undefined when nothing is wrong. Which program wrote which line is not known. */
export function failureOf({ failed, errors }: GroupEnd): string | undefined {
  const written = errors.split('\n').filter((line) => line !== '')
  const [first, ...more] = written.filter((line) => !LEFT.test(line))
  // an arping that nobody has answered fails without a word
  const mute = written.length > 0 ? [] : failed.filter(({ argv }) => argv[0] !== 'arping')
  const [silent] = mute
  if (first === undefined)
    return silent && `announcement failed: ${namesOf(mute)}: ${silent.argv[0]}: exit status ${silent.status}`
  const names = failed.length > 0 ? `${namesOf(failed)}: ` : ''
  return `announcement failed: ${names}${first}${more.length > 0 ? `, and ${more.length} lines more` : ''}`
}

/** Sends packets by small programs, which a few shells start. */
export class ShellProgramSender implements ProgramSender {
  readonly #complain: (line: string) => void
  readonly #shells = new Set<SenderShell>()
  #idle: SenderShell[] = []
  /** Each waits for a shell that is idle, or has gone. */
  #waiting: (() => void)[] = []

  /** `complain` gets a line for all that were started together: the addresses, and what the programs write to standard error. */
  constructor(complain: (line: string) => void) {
    this.#complain = complain
  }

  async send(programs: readonly SendingProgram[]): Promise<void> {
    for (let i = 0; i < programs.length; i += MOST)
      await (await this.#shell()).start(programs.slice(i, i + MOST))
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
    const free = (end: GroupEnd) => {
      const line = failureOf(end)
      if (line !== undefined) this.#complain(line)
      this.#waiting.shift()?.()
    }
    const shell: SenderShell = new SenderShell({
      idle: (end) => {
        this.#idle.push(shell)
        free(end)
      },
      silent: (pid) => this.#complain(silentHelper('the shell that announces by programs', pid, GROUP_MS)),
      gone: (end) => {
        this.#shells.delete(shell)
        this.#idle = this.#idle.filter((each) => each !== shell)
        free(end)
      },
    })
    return shell
  }
}

interface ShellListener {
  idle: (end: GroupEnd) => void
  gone: (end: GroupEnd) => void
  /** It does not answer, and is killed with its programs. */
  silent: (pid: number | undefined) => void
}

/** A shell that starts programs and ends those that stay. */
class SenderShell {
  readonly #coprocess: Coprocess
  readonly #listener: ShellListener
  #group: readonly SendingProgram[] = []
  #said = ''
  #errors = ''
  #started = () => {}
  #late: NodeJS.Timeout | undefined

  constructor(listener: ShellListener) {
    this.#listener = listener
    this.#coprocess = new Coprocess(COMMAND, {
      out: (text) => {
        this.#said += text
        if (text.includes('started')) this.#started()
        // standard error may be read after this, in the same turn
        if (this.#said.endsWith('ended\n')) setImmediate(() => listener.idle(this.#takeEnd()))
      },
      err: (text) => void (this.#errors += text),
      ended: () => {
        this.#started()
        listener.gone(this.#takeEnd())
      },
    })
  }

  /** Resolves when all have been started. */
  start(programs: readonly SendingProgram[]): Promise<void> {
    this.#group = programs
    return new Promise((resolve) => {
      this.#started = () => {
        this.#mustAnswer()
        resolve()
      }
      this.#mustAnswer()
      this.#coprocess.send(`${programs.map(({ argv }) => inLines(argv)).join('')}end\n`)
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
  #takeEnd(): GroupEnd {
    clearTimeout(this.#late)
    const failed = [...this.#said.matchAll(/^failed (\d+) (\d+)$/gm)].flatMap(([, i, status]) => {
      const program = this.#group[Number(i) - 1]
      return program ? [{ ...program, status: Number(status) }] : []
    })
    const end = { failed, errors: this.#errors }
    this.#said = ''
    this.#errors = ''
    return end
  }
}
