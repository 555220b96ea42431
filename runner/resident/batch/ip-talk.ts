import type { Answer } from '../../machine/machine.ts'
import { helper } from '../../machine/live/libexec.ts'
import { silentHelper, type AnswerLimit } from '../../machine/live/answer-limit.ts'
import { Coprocess } from '../../machine/live/coprocess.ts'
import type { Line } from '../../net/address/siblings.ts'
import { WorkerEnded, type Worker } from '../programs/deadline.ts'

const COMMAND = helper('ip-batch.sh')

/** A line that no `ip` knows: its error, with the number of the line, is the mark that all before it is done. */
const NO_SUCH_COMMAND = 'eventscript'

/** Milliseconds that a line may take by itself: a deletion that promotes another address takes 8 (ip-tasks.ts). */
const LINE_MS = 20

export interface IpTalkOptions {
  limit: AnswerLimit
  /** Hears of an ip that does not answer. */
  complain: (line: string) => void
}

/** One `ip -batch` that stays, and answers line by line. */
export class IpTalk implements Worker {
  readonly #options: IpTalkOptions
  readonly #coprocess: Coprocess
  #said = ''
  /** Lines. */
  #sent = 0
  #isAlive = true
  #isKilled = false
  #waiting: { mark: number; done: (text: string) => void } | undefined

  constructor(options: IpTalkOptions) {
    this.#options = options
    this.#coprocess = new Coprocess(COMMAND, {
      out: (text) => this.#heard(text),
      ended: () => {
        this.#isAlive = false
        this.#answer('')
      },
    })
  }

  get pid(): number | undefined {
    return this.#coprocess.pid
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  get isBusy(): boolean {
    return this.#waiting !== undefined
  }

  /** Called between two questions. */
  finish(): void {
    this.#coprocess.finish()
  }

  kill(): void {
    this.#isKilled = true
    this.#coprocess.kill()
  }

  /** An answer for each line; undefined when it has ended. Rejects with WorkerEnded when it was killed, as it did not answer. */
  async ask(lines: readonly Line[]): Promise<Answer[] | undefined> {
    if (!this.#isAlive) return undefined
    const first = this.#sent + 1
    this.#sent += lines.length + 1
    const answered = this.#options.limit.begin((ms) => this.#silent(ms), lines.length * LINE_MS)
    const text = await new Promise<string>((done) => {
      this.#waiting = { mark: this.#sent, done }
      this.#coprocess.send(`${[...lines.map((line) => line.join(' ')), NO_SUCH_COMMAND].join('\n')}\n`)
    })
    answered(!this.#isKilled)
    if (this.#isKilled) throw new WorkerEnded('ip was ended')
    // one that ended by itself did so over one of the lines: each by itself, then, as none is done twice in vain
    if (!this.#isAlive) return undefined
    return answersIn(text, first, lines.length)
  }

  #silent(ms: number): void {
    this.#options.complain(silentHelper('ip -batch', this.pid, ms))
    this.kill()
  }

  #heard(text: string): void {
    this.#said += text
    const end = this.#waiting && endOf(this.#said, this.#waiting.mark)
    if (end === undefined) return
    const answer = this.#said.slice(0, end)
    this.#said = this.#said.slice(end)
    this.#answer(answer)
  }

  #answer(text: string): void {
    const { done } = this.#waiting ?? {}
    this.#waiting = undefined
    done?.(text)
  }
}

/** Where what was said until the mark ends; undefined when it has not come yet. */
function endOf(said: string, mark: number): number | undefined {
  const end = `Command failed -:${mark}\n`
  // the mark stands at the very end when it has come: nothing is asked before it is read
  return said.endsWith(end) ? said.length : undefined
}

/**
 * What `ip -force -batch` printed, as an answer for each line: a whole `[…]` is what a look printed, and the last one gets it;
 * `Command failed -:N` names the line that failed, and the reason stands before it.
 */
export function answersIn(text: string, first: number, count: number): Answer[] {
  const answers = Array.from({ length: count }, (): Answer => ({ status: 0, out: '', err: '' }))
  let reason = ''
  for (const line of text.split('\n')) {
    const failed = /^Command failed -:(\d+)$/.exec(line)?.[1]
    const last = answers.at(-1)
    if (failed !== undefined) {
      const answer = answers[Number(failed) - first]
      if (answer) Object.assign(answer, { status: 2, err: reason })
      reason = ''
    } else if (line.startsWith('[{') && line.endsWith('}]') && last) last.out = `${line}\n`
    else if (line !== '') reason += `${line}\n`
  }
  return answers
}
