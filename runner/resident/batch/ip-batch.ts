import type { Answer } from '../../machine/machine.ts'
import { burst } from './burst.ts'
import type { Worker } from '../programs/deadline.ts'
import { AnswerLimit } from '../../machine/live/answer-limit.ts'
import { IpTalk, type IpTalkOptions } from './ip-talk.ts'
import { performTasks, type Task } from './ip-tasks.ts'

/**
 * `ip` remembers which interface has which number for as long as it lives, and one may be replaced by another of its
 * name. So none is used longer than this, in milliseconds; the next one stands ready, and knows nothing yet.
 */
const USED_FOR_MS = 500

/** `ip` as a process that is talked to: one `ip -batch` for a burst of changes, and one look for all who look. */
export class ResidentIp {
  readonly #options: IpTalkOptions
  #ready: IpTalk
  #current: IpTalk | undefined
  #expiry: NodeJS.Timeout | undefined
  #isExpired = false
  #isClosed = false
  /** The burst that is being worked on. */
  #asked: { tasks: ReadonlySet<Task>; talk: IpTalk } | undefined
  /** What the last look showed. */
  #seen = ''
  readonly #perform = burst<Task, Answer | undefined>((tasks) => this.#together(tasks))

  /** `complain` hears of an ip that had to be replaced. */
  constructor(complain: (line: string) => void) {
    this.#options = { limit: new AnswerLimit(), complain }
    this.#ready = new IpTalk(this.#options)
  }

  /** Undefined when it cannot be had this way: let a process of its own do it, also when this one may have done it. */
  run(task: Task): Promise<Answer | undefined> {
    return this.#isClosed ? Promise.resolve(undefined) : this.#perform(task)
  }

  /** The process that works on this at the moment. */
  worker(task: Task): Worker | undefined {
    return this.#asked?.tasks.has(task) ? this.#asked.talk : undefined
  }

  /** KILL: what was asked for and is not done yet is not done any more. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#expiry)
    this.#current?.kill()
    this.#ready.kill()
  }

  async #together(tasks: readonly Task[]): Promise<(Answer | undefined)[]> {
    if (this.#isExpired) this.#retire()
    const talk = (this.#current ??= this.#take())
    this.#asked = { tasks: new Set(tasks), talk }
    try {
      const { answers, seen } = await performTasks(tasks, (lines) => talk.ask(lines), this.#seen)
      this.#seen = seen ?? this.#seen
      return answers
    } finally {
      this.#asked = undefined
      if (!talk.isAlive) this.#renew()
    }
  }

  #take(): IpTalk {
    const talk = this.#ready
    clearTimeout(this.#expiry)
    this.#expiry = setTimeout(() => {
      this.#isExpired = true
      if (!talk.isBusy) this.#retire()
    }, USED_FOR_MS)
    return talk
  }

  /** After the events rather than among them: starting the next one stops everything for some milliseconds. */
  #retire(): void {
    this.#isExpired = false
    this.#current?.finish()
    this.#current = undefined
    if (!this.#isClosed) this.#ready = new IpTalk(this.#options)
  }

  #renew(): void {
    clearTimeout(this.#expiry)
    this.#retire()
  }
}
