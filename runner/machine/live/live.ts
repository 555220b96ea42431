import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { constants as os } from 'node:os'
import { execa, type Options } from 'execa'
import { readText, readUntil, writeText } from '../files/disk.ts'
import { answerWithin } from './answer-within.ts'
import { endProgram, type Child } from './end-program.ts'
import { CannotRun, FileError, Interrupted } from '../errors.ts'
import { codeIn, readFar, writerOf } from '../files/far-file.ts'
import { findProgram } from './find-program.ts'
import { handOver } from './inbox.ts'
import { asProgram } from './libexec.ts'
import { holdFlock } from './locks/flock.ts'
import { holdFar } from './locks/far-flock.ts'
import { announcementWords } from '../announcement.ts'
import { ENDED_LATE, type Answer, type System, type Verb } from '../machine.ts'
import type { CommandOptions, HoldOptions, ReadOptions, WriteOptions } from '../options.ts'
import { openLock } from '../files/lock-file.ts'
import { isFar, reachHere } from '../files/may-hang.ts'
import { ScriptMark, UNMARKED } from './script-mark.ts'
import { ScriptOutput } from './script-output.ts'
import type { Stop } from '../stop.ts'
import { waitLive } from '../wait.ts'

/** Milliseconds for the process at work to take an announcement: the event waits for that. */
const HAND_OVER_MS = 500

/** Milliseconds for a file system that may hang to take a file. */
const FAR_WRITE_MS = 3000

export interface LiveOptions {
  /** When it fires, the program that is running is ended and nothing more is started. */
  signal?: Stop
  /**
   * A process group for each program, so that ending it reaches what it has started. Off in the script that
   * ctdb-eventd starts: eventd ends the script's own group, and everything must be in it.
   */
  ownGroups?: boolean
  /** Called, and waited for, before a program is ended that used up its time: the moment to look at it, with its output. */
  beforeEnd?: (pid: number, soFar: string) => Promise<void>
  /** Milliseconds for a file whose file system does not answer, where its reader says nothing. */
  within?: number
  /** Hears of a lock that another user held. */
  complain?: (line: string) => void
  /** Reasons of the signal for which a program is not asked to end, but ended. */
  atOnce?: (reason: unknown) => boolean
}

/** The real machine. The only place that starts programs, except those that stay (coprocess.ts) and those that read (far-file.ts). */
export function live(options: LiveOptions = {}): LiveMachine {
  return new LiveMachine(options)
}

export class LiveMachine implements System {
  readonly #signal: Stop | undefined
  readonly #ownGroups: boolean
  readonly #beforeEnd: LiveOptions['beforeEnd']
  readonly #atOnce: LiveOptions['atOnce']
  readonly #within: number | undefined
  readonly #complain: LiveOptions['complain']

  constructor({ signal, ownGroups = true, beforeEnd, atOnce, within, complain }: LiveOptions) {
    this.#complain = complain
    this.#within = within
    this.#signal = signal
    this.#ownGroups = ownGroups
    this.#beforeEnd = beforeEnd
    this.#atOnce = atOnce
  }

  async run(_verb: Verb, argv: readonly string[], options: CommandOptions): Promise<Answer> {
    // the engine leaves a handler 2.5 s for this when its time is up
    if (!options.undo) this.#signal?.throwIfAborted()
    if (options.announcement) return await inBackground(argv, options)
    return options.combined ? await this.#runScript(argv) : await this.#runProgram(argv, options)
  }

  // oxlint-disable-next-line require-await -- so that a failure is a rejection
  async read(path: string, { until, within = this.#within }: ReadOptions = {}): Promise<string | undefined> {
    if (until) return readUntil(path, until, this.#signal)
    const place = reachHere(path)
    if (place === 'near') return readText(path)
    return readFar(path, { isLinked: place === 'linked', within, signal: this.#signal })
  }

  async write(path: string, text: string, { readers }: WriteOptions = {}): Promise<void> {
    this.#signal?.throwIfAborted()
    if (reachHere(path) === 'near') return writeText(path, text, readers)
    const [program, ...words] = writerOf(path, readers)
    const answer = await this.#runProgram([program, ...words], { input: text, within: FAR_WRITE_MS })
    if (answer.status === ENDED_LATE) throw new FileError('write', path, 'ETIMEDOUT')
    if (answer.status !== 0) throw new FileError('write', path, codeIn(answer.err))
  }

  async hold(
    lock: string,
    seconds: number,
    { shared = false }: HoldOptions = {},
  ): Promise<() => Promise<void>> {
    this.#signal?.throwIfAborted()
    if (isFar(lock)) return await holdFar(lock, seconds, shared, this.#signal)
    const fd = openLock(lock, this.#complain)
    return await holdFlock(lock, fd, { seconds, shared }, (argv) =>
      this.#finish(argv, this.#start(argv, { stdio: ['ignore', 'pipe', 'pipe', fd] })),
    )
  }

  find(program: string): Promise<string | undefined> {
    return Promise.resolve(findProgram(program))
  }

  wait(ms: number): Promise<void> {
    return waitLive(ms, this.#signal)
  }

  async #runProgram(argv: readonly string[], { input, within }: CommandOptions): Promise<Answer> {
    const stdin = input === undefined ? { stdin: 'ignore' as const } : { input }
    const child = this.#start(asProgram(argv), { ...stdin, env: { LC_ALL: 'C' } })
    const answer = this.#finish(argv, child)
    if (within === undefined) return await answer
    const late = () => endProgram(child, this.#ownGroups, true)
    return await answerWithin(within, answer, late)
  }

  async #runScript(argv: readonly string[]): Promise<Answer> {
    const output = new ScriptOutput()
    const mark = new ScriptMark()
    try {
      // by its bare name, as ctdb-eventd calls it; a `#!` script never sees that
      const argv0 = basename(argv[0] ?? '').replace(/\.script$/, '')
      const sink = output.fd ?? ('ignore' as const)
      const child = this.#start(asStarted(argv), { stdio: ['ignore', sink, sink], argv0, env: mark.env })
      const ended = await this.#finish(argv, child, { output, mark })
      return { ...ended, out: output.text() }
    } catch (error) {
      if (error instanceof Interrupted) error.output = `${output.text()}\n${error.output}`
      throw error
    } finally {
      output.close()
    }
  }

  #start([program = '', ...words]: readonly string[], options: object): Child {
    const all = {
      ...options,
      cwd: here(),
      reject: false,
      stripFinalNewline: false,
      detached: this.#ownGroups,
    } as Options
    return execa(program, words, all) as Child
  }

  async #finish(argv: readonly string[], child: Child, script?: Script): Promise<Answer> {
    const began = Date.now()
    const ended = await this.#endOrAbort(child)
    if (ended === 'aborted') {
      const left = await this.#end(child, script)
      const interrupted = new Interrupted(argv, Date.now() - began, this.#signal?.reason)
      interrupted.output = left ?? ''
      throw interrupted
    }
    if (ended.exitCode === undefined && ended.signal === undefined)
      throw notStarted(argv[0] ?? '', ended.code)
    const killed = ended.signal === undefined ? 0 : 128 + os.signals[ended.signal]
    const { exitCode: status = killed, signal: by } = ended
    const answer = { status, out: asText(ended.stdout), err: asText(ended.stderr) }
    return by === undefined ? answer : { ...answer, signal: by }
  }

  async #endOrAbort(child: Child): Promise<Awaited<Child> | 'aborted'> {
    const signal = this.#signal
    let onAbort: (() => void) | undefined
    const aborted = new Promise<'aborted'>((resolve) => {
      onAbort = () => resolve('aborted')
      signal?.addEventListener('abort', onAbort)
    })
    const ended = await Promise.race([child, aborted])
    if (onAbort) signal?.removeEventListener('abort', onAbort)
    return ended
  }

  /** Gives back a line about processes of a script that stay. */
  async #end(child: Child, script?: Script): Promise<string | undefined> {
    const isHard = this.#atOnce?.(this.#signal?.reason) ?? false
    const { pid } = child
    if (pid !== undefined) script?.mark.look(pid)
    if (!isHard && pid !== undefined) await this.#beforeEnd?.(pid, script?.output.text() ?? '')
    const [left] = await Promise.all([
      pid === undefined ? undefined : script?.mark.end(pid, isHard),
      endProgram(child, this.#ownGroups, isHard),
    ])
    return left
  }
}

/** What an executable handler has beside its process. */
interface Script {
  output: ScriptOutput
  mark: ScriptMark
}

/**
 * A script on a file system that may hang is started by a shell: node waits for the exec of what it starts itself. Such a
 * script is looked at by nobody before, so the shell passes over one that is not executable, as CTDB does.
 */
function asStarted([program = '', ...words]: readonly string[]): readonly string[] {
  if (!isFar(program)) return [program, ...words]
  return ['sh', '-c', '[ -x "$0" ] || exit 0; exec "$0" "$@"', program, ...words]
}

/** Our working directory. From one that has been removed nothing can be started: that would look like a missing program. */
function here(): string {
  try {
    const folder = process.cwd()
    statSync(folder)
    return folder
  } catch {
    return '/'
  }
}

function asText(output: unknown): string {
  return typeof output === 'string' ? output : ''
}

function notStarted(program: string, code: string | undefined): CannotRun {
  // execve says ENOENT for a missing interpreter and EACCES for a missing right to execute; and for a program that is in no
  // folder of PATH, when one of them is closed to this user
  const isNowhere = code === 'EACCES' && !program.includes('/') && findProgram(program) === undefined
  return new CannotRun(program, isNowhere ? 'ENOENT' : (code ?? 'EIO'))
}

/** By the process that does such work already, or by a new one. */
async function inBackground(argv: readonly string[], how: CommandOptions): Promise<Answer> {
  const { announcement, inbox } = how
  if (
    announcement &&
    inbox &&
    !isFar(inbox) &&
    (await handOver(inbox, announcementWords(announcement), HAND_OVER_MS))
  )
    return { status: 0, out: '', err: '' }
  return startAndForget(argv)
}

function startAndForget([program = '', ...words]: readonly string[]): Answer {
  const child = execa(program, words, {
    detached: true,
    cleanup: false,
    reject: false,
    stdio: 'ignore',
    env: UNMARKED,
  })
  if (child.pid === undefined) throw new CannotRun(program, 'ENOENT')
  child.unref()
  return { status: 0, out: '', err: '' }
}
