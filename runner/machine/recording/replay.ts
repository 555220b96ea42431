import type { Answer, System, Verb } from '../machine.ts'
import type { CommandOptions, HoldOptions } from '../options.ts'
import { CannotRun, FileError, LockBusy, Mismatch } from '../errors.ts'
import { toShell } from '../argv.ts'
import { asSleep } from '../wait.ts'
import { writeHead } from './write-transcript.ts'
import { isNote, type Note, type Step, type Transcript } from './transcript.ts'

/** How a handler ended that was not left to its end. */
export type RecordedEnd = Extract<Note, { verb: 'end' }>

/**
 * The machine of a recording. Answers each step only in its turn, with its verb and its words; anything else is a
 * Mismatch that shows both sides. After the first mismatch everything fails with the same.
 */
export class Replay implements System {
  readonly #transcript: Transcript
  readonly #steps: readonly Step[]
  readonly #unended: ((end: RecordedEnd) => Error) | undefined
  #next = 0
  #failed: Mismatch | undefined

  /** `unended` makes the error that a handler sees of a program that was ended. */
  constructor(transcript: Transcript, unended?: (end: RecordedEnd) => Error) {
    this.#transcript = transcript
    this.#steps = transcript.entries.filter((entry): entry is Step => !isNote(entry))
    this.#unended = unended
  }

  async run(verb: Verb, argv: readonly string[], options: CommandOptions): Promise<Answer> {
    const how = options.announcement ? 'start' : options.combined ? 'script' : 'run'
    const step = await this.#answer({ verb, argv, how, input: options.input })
    const recorded = (step as { answer?: Answer }).answer
    if (recorded) return recorded
    const end = this.#transcript.cut ? undefined : endAfter(this.#transcript, step)
    if (end && this.#unended) throw Object.assign(this.#unended(end), { running: toShell(argv) })
    throw this.#fail(`line ${step.line}: the recording does not say how this ended:\n  ${head(step)}`)
  }

  async read(path: string): Promise<string | undefined> {
    const step = (await this.#answer({ verb: 'read', path })) as { text?: string; absent?: boolean }
    return step.absent ? undefined : (step.text ?? '')
  }

  async write(path: string, text: string): Promise<void> {
    await this.#answer({ verb: 'write', path, text })
  }

  async hold(path: string, seconds: number, how?: HoldOptions): Promise<() => Promise<void>> {
    await this.#answer({ verb: 'lock', path, seconds, ...(how?.shared ? { shared: true } : {}) })
    return async () => {
      await this.#answer({ verb: 'unlock', path })
    }
  }

  async find(program: string): Promise<string | undefined> {
    return ((await this.#answer({ verb: 'find', program })) as { path?: string }).path
  }

  async wait(ms: number): Promise<void> {
    await this.run('ask', asSleep(ms), {})
  }

  /** Throws a Mismatch that shows the first step that nobody asked for. */
  finished(): void {
    if (this.#failed) throw this.#failed
    const left = this.#steps[this.#next]
    if (left) throw new Mismatch(difference(undefined, left, this.#transcript.cut))
  }

  // async, so that a mismatch is a rejection like every other answer of the door
  // oxlint-disable-next-line require-await -- see above
  async #answer(asked: Step): Promise<Step> {
    if (this.#failed) throw this.#failed
    const recorded = this.#steps[this.#next]
    if (!recorded || writeHead(recorded) !== writeHead(asked))
      throw this.#fail(difference(asked, recorded, this.#transcript.cut))
    this.#next += 1
    if (recorded.trouble) throw thrown(recorded)
    return recorded
  }

  #fail(message: string): Mismatch {
    this.#failed = new Mismatch(message)
    return this.#failed
  }
}

/** A program without an answer, in a recording that goes on: the deadline, or the admin, has ended it and the handler. */
function endAfter({ entries }: Transcript, step: Step): RecordedEnd | undefined {
  return entries.slice(entries.indexOf(step)).find((entry): entry is RecordedEnd => entry.verb === 'end')
}

function thrown(step: Step): Error {
  const { kind, code } = step.trouble ?? { kind: 'file', code: 'EIO' }
  if (kind === 'busy') return new LockBusy(code)
  if (kind === 'program') return new CannotRun('argv' in step ? (step.argv[0] ?? '') : '', code)
  const doing = step.verb === 'lock' ? 'open the lock' : step.verb
  return new FileError(doing, 'path' in step ? (step.path ?? '') : '', code)
}

function difference(asked: Step | undefined, recorded: Step | undefined, cut: boolean): string {
  const end = cut ? 'nothing: the recording is cut short here' : 'nothing more'
  return [
    recorded
      ? `line ${recorded.line}: the event and the recording differ`
      : `the recording ends${cut ? ', cut short,' : ''} before the event does`,
    `  asked now: ${asked ? head(asked) : 'nothing more'}`,
    `  recorded:  ${recorded ? head(recorded) : end}`,
  ].join('\n')
}

function head(step: Step): string {
  return writeHead(step).trimEnd().replaceAll('\n', '\n           ')
}
