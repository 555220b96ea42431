import type { Answer } from '../machine/machine.ts'
import { startCoprocess, type Coprocess } from '../machine/coprocess.ts'
import type { Line } from '../net/address/siblings.ts'
import { burst } from './burst.ts'
import { Ended, type Worker } from './deadline.ts'
import { carryOut, type Task } from './deletions.ts'

/** `ip` as a process that is talked to. */
export interface Ip {
  /** Undefined when it cannot be had this way: let a process of its own do it, also when this one may have done it. */
  run: (task: Task) => Promise<Answer | undefined>
  /** The process that works on this at the moment. */
  worker: (task: Task) => Worker | undefined
  close: () => void
}

/**
 * `ip` remembers which interface has which number for as long as it lives, and one may be replaced by another of its
 * name. So none is used longer than this, in milliseconds; the next one stands ready, and knows nothing yet.
 */
const USED_FOR_MS = 500

/**
 * One `ip -batch` for a burst of changes and one look for all who look. Behind each burst a line that no `ip` knows:
 * its error, with the number of the line, is the mark that all before it is done. Both outputs are one stream, so
 * everything comes in the order in which it happened.
 */
export function residentIp(): Ip {
  let ready = begin()
  let current: Talk | undefined
  let expiry: NodeJS.Timeout | undefined
  let expired = false
  /** The burst that is being worked on. */
  let asked: { tasks: ReadonlySet<Task>; talk: Talk } | undefined
  /** What the last look showed. */
  let seen = ''
  let closed = false

  const run = burst<Task, Answer | undefined>(async (tasks) => {
    if (expired) retire()
    const talk = (current ??= take())
    asked = { tasks: new Set(tasks), talk }
    const carried = await carryOut(tasks, talk.ask, seen).finally(() => {
      asked = undefined
      if (!talk.alive()) renew()
    })
    seen = carried.seen ?? seen
    return carried.answers
  })

  function take(): Talk {
    const talk = ready
    clearTimeout(expiry)
    expiry = setTimeout(() => {
      expired = true
      if (!talk.busy()) retire()
    }, USED_FOR_MS)
    return talk
  }

  /** Behind the events rather than among them: starting the next one stops everything for some milliseconds. */
  function retire(): void {
    expired = false
    current?.finish()
    current = undefined
    if (!closed) ready = begin()
  }

  function renew(): void {
    clearTimeout(expiry)
    retire()
  }

  return {
    run: (task) => (closed ? Promise.resolve(undefined) : run(task)),
    worker: (task) => (asked?.tasks.has(task) ? asked.talk : undefined),
    close() {
      closed = true
      clearTimeout(expiry)
      current?.finish()
      ready.finish()
    },
  }
}

interface Talk extends Pick<Coprocess, 'pid' | 'finish' | 'kill'> {
  ask: (lines: readonly Line[]) => Promise<Answer[] | undefined>
  busy: () => boolean
  alive: () => boolean
}

const NO_SUCH_COMMAND = 'eventscript'

function begin(): Talk {
  let said = ''
  let sent = 0
  let alive = true
  let isKilled = false
  let waiting: { mark: number; done: (text: string) => void } | undefined

  const heard = () => {
    const end = waiting && endOf(said, waiting.mark)
    if (waiting === undefined || end === undefined) return
    const text = said.slice(0, end)
    said = said.slice(end)
    answer(text)
  }
  const answer = (text: string) => {
    const { done } = waiting ?? {}
    waiting = undefined
    done?.(text)
  }
  const coprocess = startCoprocess(['sh', '-c', 'exec ip -json -force -batch - 2>&1'], {
    out(text) {
      said += text
      heard()
    },
    ended() {
      alive = false
      answer('')
    },
  })
  return {
    pid: coprocess.pid,
    finish: coprocess.finish,
    kill() {
      isKilled = true
      coprocess.kill()
    },
    busy: () => waiting !== undefined,
    alive: () => alive,
    async ask(lines) {
      if (!alive) return undefined
      const first = sent + 1
      sent += lines.length + 1
      const text = await new Promise<string>((done) => {
        waiting = { mark: sent, done }
        coprocess.send(`${[...lines.map((line) => line.join(' ')), NO_SUCH_COMMAND].join('\n')}\n`)
      })
      if (isKilled) throw new Ended('ip was ended')
      // one that ended by itself did so over one of the lines: each by itself, then, as none is done twice in vain
      if (!alive) return undefined
      return answersIn(text, first, lines.length)
    },
  }
}

/** Where what was said until the mark ends; undefined when it has not come yet. */
function endOf(said: string, mark: number): number | undefined {
  const end = `Command failed -:${mark}\n`
  // it stands at the very end when it has come: nothing is asked before it is read
  return said.endsWith(end) ? said.length : undefined
}

/**
 * What `ip -force -batch` printed, as an answer for each line: `[…]` is what a look printed, and the last one gets it;
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
    } else if (line.startsWith('[{') && last) last.out = `${line}\n`
    else if (line !== '') reason += `${line}\n`
  }
  return answers
}
