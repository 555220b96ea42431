import type { Announcement } from '../machine/announcement.ts'
import type { Answer, Verb } from '../machine/machine.ts'
import type { CommandOptions, HoldOptions } from '../machine/options.ts'
import { WAIT } from '../net/clients/blocking-rule.ts'
import { live } from '../machine/live/live.ts'
import { isOwnProgram } from '../machine/live/libexec.ts'
import type { Work } from './programs/deadline.ts'
import { shared } from './batch/burst.ts'
import { connections } from './batch/ss-batch.ts'
import { Files } from './files.ts'
import { HandlerMachine, type HandlerOptions, type SharedParts } from './handler-machine.ts'
import { askedEarly, foreseen, type Early } from './prefetch.ts'
import { changeAgain, firewall } from './batch/iptables-batch.ts'
import { ResidentIp } from './batch/ip-batch.ts'
import type { Task } from './batch/ip-tasks.ts'
import { Locks } from './locks/locks.ts'
import type { LockRequest } from './locks/one-lock.ts'
import { Programs } from './programs/programs.ts'

type Argv = readonly string[]

/** What goes through `ip -batch` unquoted. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/

/**
 * The machine as the resident daemon sees it, which stays between events and is shared by those that run at once: the
 * handlers are written for one address and one event, and here what several ask for at the same time is done in one go, as
 * far as they say that it may be (`batch`). All else is done by a process of its own. `announce` does what the handlers
 * would have announced in the background.
 */
export class SharedMachine implements SharedParts {
  readonly announce: (announcement: Announcement) => void
  isClosed = false
  readonly files = new Files(live())
  readonly #vardir: string
  readonly #locks: Locks
  readonly #ip: ResidentIp
  readonly #programs: Programs
  readonly #start = (argv: Argv, items: readonly Argv[]) => this.#programs.start(argv, items)
  readonly #askOnce = shared(this.#start)
  readonly #lookAtConnections = connections(this.#start)
  readonly #changeRules = firewall(this.#start, (program, input, items) =>
    this.#programs.feed([program, ...WAIT, '--noflush'], input, items),
  )

  /** `complain` hears of a helper that did not answer and was replaced. */
  constructor(
    vardir: string,
    announce: (announcement: Announcement) => void,
    complain: (line: string) => void = () => {},
  ) {
    this.#vardir = vardir
    this.announce = announce
    this.#locks = new Locks(this.files, complain)
    this.#ip = new ResidentIp(complain)
    this.#programs = new Programs((program) => this.files.find(program), complain)
  }

  /** Begin with what our handler of public addresses will want at this event; undefined when that is nothing. */
  foresee(event: string, words: Argv): Early | undefined {
    const soon = foreseen(event, words, this.#vardir)
    if (!soon) return undefined
    this.#locks.expect(soon.lock)
    return askedEarly(soon.ask, (argv) => this.#asked(argv))
  }

  /** The machine for one handler of one event. */
  system(options: HandlerOptions): HandlerMachine {
    return new HandlerMachine(this, options)
  }

  workFor(
    verb: Verb,
    argv: Argv,
    { batch, input, combined, removes }: CommandOptions,
  ): Work<Answer> | undefined {
    if (combined || isOwnProgram(argv)) return undefined
    if (input !== undefined) return batch === 'ip' ? this.#guarded(argv, input, removes) : undefined
    // a shell of the pool reads a word from each line
    if (argv.some((word) => word.includes('\n'))) return undefined
    const by = () => this.#programs.worker(argv)
    if (batch === 'ip' && argv.every((word) => PLAIN_WORD.test(word)))
      return this.#throughIp(argv, taskOf(verb, argv, removes))
    if (batch === 'iptables')
      return { done: () => this.#changeRules(argv), again: () => changeAgain(argv, this.#start), by }
    if (batch === 'ss') return { done: () => this.#lookAtConnections(argv), by }
    return verb === 'ask' ? this.#asked(argv) : { done: () => this.#start(argv, [argv]), by }
  }

  hold(path: string, seconds: number, how?: HoldOptions): LockRequest {
    return this.#locks.hold(path, seconds, how)
  }

  lockPid(path: string, how?: HoldOptions): number | undefined {
    return this.#locks.pid(path, how)
  }

  /** End all helpers with a KILL. Nothing is done here any more: also what the handlers of ended events still ask for is refused. */
  close(): void {
    this.isClosed = true
    this.#ip.close()
    this.#programs.close()
    this.#locks.close()
  }

  #asked(argv: Argv): Work<Answer> {
    return { done: () => this.#askOnce(argv), by: () => this.#programs.worker(argv) }
  }

  #throughIp(argv: Argv, task: Task): Work<Answer> {
    const done = async () => {
      const answer = await this.#ip.run(task)
      if (answer?.status === 0) return answer
      // an ip that has just been started is the judge: the other may remember an interface that was replaced since
      return await this.#start(argv, [argv])
    }
    return { done, by: () => this.#programs.worker(argv) ?? this.#ip.worker(task) }
  }

  /** By one that has just been started where the other cannot; that one may have done half of it, which is harmless to do again. */
  #guarded(argv: Argv, input: string, removes: CommandOptions['removes']): Work<Answer> {
    const task: Task = { kind: 'guarded', places: removes?.addresses ?? [] }
    const again = () => this.#programs.feed(argv, input, [argv])
    const done = async () => (await this.#ip.run(task)) ?? (await again())
    return { done, again, by: () => this.#programs.worker(argv) ?? this.#ip.worker(task) }
  }
}

/** A look serves everybody with all addresses, whatever was asked for. */
function taskOf(verb: Verb, argv: Argv, removes: CommandOptions['removes']): Task {
  if (verb === 'ask') return { kind: 'look' }
  const [place] = removes?.addresses ?? []
  const line = argv.slice(1)
  return place ? { kind: 'deletion', line, place } : { kind: 'change', line }
}
