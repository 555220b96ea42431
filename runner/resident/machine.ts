import { basename } from 'node:path'
import type { Answer, RunOptions, System, Verb } from '../system/door.ts'
import { CannotRun, Interrupted } from '../system/errors.ts'
import { live, type LiveOptions } from '../system/live.ts'
import { shared } from './burst.ts'
import { connections, sourceOf } from './connections.ts'
import { files } from './files.ts'
import { askedEarly, foreseen } from './foresight.ts'
import { firewall, isRuleChange } from './firewall.ts'
import { residentIp } from './ip.ts'
import { locks } from './locks.ts'
import { killed, shells, type Shell } from './shells.ts'

type Argv = readonly string[]

/** What stays between events, and is shared by those that run at once. */
export interface Resident {
  /** The machine for one handler of one event. */
  system: (options: HandlerOptions) => System
  close: () => void
}

export interface ResidentFacts {
  /** The first word of the command that announces in the background. */
  announcer: string
  vardir: string
}

export interface HandlerOptions extends LiveOptions {
  signal: AbortSignal
  /** One of our handlers is about to do this, and may be helped by foresight. */
  event?: { event: string; words: Argv }
}

/** Programs that end by themselves and leave nothing running behind them: a shell that stays may start them. */
const SHORT = new Set(['ip', 'iptables', 'ip6tables', 'ss', 'ctdb', 'sh', 'arping'])

/** What goes through `ip -batch` unquoted. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/

/**
 * The machine as the resident daemon sees it: the handlers are written for one address and one event, and here what
 * several ask for at the same time is done in one go. What is not known here is done as ever, by a process of its own.
 * `announce` is told what the handlers would have announced in the background.
 */
export function resident(facts: ResidentFacts, announce: (words: Argv) => void): Resident {
  const plain = live()
  const ip = residentIp()
  const pool = shells()
  const disk = files(plain)
  const flocks = locks(disk.keptBack)
  /** By what they are asked for: the processes at work, to be looked at when it takes too long. */
  const atWork = new Map<string, Shell>()

  /** By a shell that stays, or else by a process of its own. */
  async function start(argv: Argv, purpose: string): Promise<Answer> {
    const [program = ''] = argv
    if ((await disk.find(program)) === undefined) throw new CannotRun(program, 'ENOENT')
    try {
      const answer = await pool.run(argv, (shell) => atWork.set(purpose, shell))
      return answer ?? (await plain.run('ask', argv, {}))
    } finally {
      atWork.delete(purpose)
    }
  }

  const askOnce = shared((argv) => start(argv, argv.join(' ')))
  const changeRules = firewall((argv) => start(argv, 'rules'), restoreRules)
  const lookAtConnections = connections((argv) => start(argv, 'connections'))

  async function throughIp(argv: Argv): Promise<Answer> {
    const isShow = argv.slice(1, 4).join(' ') === '-json addr show'
    const answer = await ip.run(isShow ? ['addr', 'show'] : argv.slice(1))
    if (answer && (answer.status === 0 || answer.signal)) return answer
    // an ip that has just been started is the judge: the other may remember an interface that was replaced since
    return await start(argv, 'ip')
  }

  /** How it is done, and which process does it; undefined when it is nothing for us. */
  function wayOf(
    verb: Verb,
    argv: Argv,
  ): { done: () => Promise<Answer>; by: () => Shell | undefined } | undefined {
    const by = (purpose: string) => () => atWork.get(purpose)
    const talk = () => atWork.get('ip') ?? { pid: ip.pid(), kill: () => ip.kill() }
    if (isForIp(argv)) return { done: () => throughIp(argv), by: talk }
    if (isRuleChange(argv)) return { done: () => changeRules(argv), by: by('rules') }
    if (sourceOf(argv) !== undefined) return { done: () => lookAtConnections(argv), by: by('connections') }
    const purpose = argv.join(' ')
    if (!SHORT.has(basename(argv[0] ?? ''))) return undefined
    return { done: () => (verb === 'ask' ? askOnce(argv) : start(argv, purpose)), by: by(purpose) }
  }

  function system(options: HandlerOptions): System {
    const { signal, beforeEnd, atOnce, event } = options
    const soon = event && foreseen(event.event, event.words, facts.vardir)
    if (soon) flocks.expect(soon.lock)
    const early = askedEarly(soon?.ask, askOnce)
    const own = live(options)
    const mine: string[] = []
    const aborted = abortOf(signal)

    /** At the deadline: what hangs is explained and ended. What is cancelled only leaves: others may wait for the same. */
    async function attended<T>(argv: Argv, work: Promise<T>, by: () => Shell | undefined): Promise<T> {
      const began = Date.now()
      const ended = await Promise.race([aborted, work])
      if (ended !== ABORTED) return ended
      work.catch(() => {})
      const culprit = by()
      if (culprit?.pid !== undefined && !atOnce?.(signal.reason)) {
        await beforeEnd?.(culprit.pid, '')
        if (by() === culprit || by()?.pid === culprit.pid) culprit.kill()
      }
      throw new Interrupted(argv, Date.now() - began, signal.reason)
    }

    return {
      async run(verb, argv, how: RunOptions) {
        if (!how.undo) signal.throwIfAborted()
        if (how.background && argv[0] === facts.announcer) {
          announce(argv.slice(1))
          return { status: 0, out: '', err: '' }
        }
        const special = how.background || how.combined || how.input !== undefined
        const way = special ? undefined : wayOf(verb, argv)
        if (!way) return await own.run(verb, argv, how)
        const done = (verb === 'ask' ? early(argv) : undefined) ?? way.done()
        return how.undo ? await done : await attended(argv, done, way.by)
      },
      async read(path, until) {
        const text = disk.under(mine).read(path, until)
        return until ? await attended(['read', path], text, () => undefined) : await text
      },
      async write(path, text) {
        signal.throwIfAborted()
        await disk.under(mine).write(path, text)
      },
      find: (program) => disk.find(program),
      async hold(path, seconds, how) {
        signal.throwIfAborted()
        const wait = flocks.hold(path, seconds, how)
        const argv = ['flock', '-w', String(seconds), path]
        const keeper = () => ({ pid: flocks.pid(path, how), kill: () => {} })
        const held = await attended(argv, wait, keeper).catch((error: unknown) => {
          // one that comes too late is given back
          void wait.then(({ release }) => release()).catch(() => {})
          throw error
        })
        mine.push(path)
        return async () => {
          mine.splice(mine.lastIndexOf(path), 1)
          await held.release()
        }
      },
    }
  }

  return {
    system,
    close() {
      ip.close()
      pool.close()
      flocks.close()
    },
  }
}

/** Of a third of an event's time: while it hangs, no rule of this node can be changed. */
const RESTORE_MS = 10_000

async function restoreRules(program: string, input: string): Promise<Answer> {
  const own = live({ signal: AbortSignal.timeout(RESTORE_MS), atOnce: () => true })
  try {
    return await own.run('change', [program, '-w', '--noflush'], { input })
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    return killed(`${program} was ended after ${RESTORE_MS / 1000} s`)
  }
}

/** A look at addresses, or a change of an address or link, in words that need no quotes. */
function isForIp([program, ...words]: Argv): boolean {
  if (program !== 'ip' || !words.every((word) => PLAIN_WORD.test(word))) return false
  return /^(?:-json addr show|addr (?:add|del)|link set) /.test(`${words.join(' ')} `)
}

const ABORTED = Symbol('aborted')

/** One for all steps of a handler: to listen anew at each costs as much as the step itself. */
function abortOf(signal: AbortSignal): Promise<typeof ABORTED> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(ABORTED)
    else signal.addEventListener('abort', () => resolve(ABORTED), { once: true })
  })
}
