import { basename } from 'node:path'
import { BATCH } from '../net/address/siblings.ts'
import type { Announcement } from '../machine/announcement.ts'
import type { Answer, RunOptions, System, Verb } from '../machine/machine.ts'
import { CannotRun } from '../machine/errors.ts'
import { live, type LiveOptions } from '../machine/live.ts'
import type { Stop } from '../machine/stop.ts'
import { attendant, type Work, type Worker } from './deadline.ts'
import { shared } from './burst.ts'
import { connections, sourceOf } from './ss-batch.ts'
import { files } from './files.ts'
import { fed } from './run-with-input.ts'
import { askedEarly, foreseen, type Early } from './prefetch.ts'
import { changeAgain, firewall, isRuleChange } from './iptables-batch.ts'
import { residentIp } from './ip-batch.ts'
import { locks } from './locks.ts'
import { shells } from './process-pool.ts'

type Argv = readonly string[]

/** What stays between events, and is shared by those that run at once. */
export interface Resident {
  /** Begin with what our handler of public addresses will want at this event; undefined when that is nothing. */
  foresee: (event: string, words: Argv) => Early | undefined
  /** The machine for one handler of one event. */
  system: (options: HandlerOptions) => System
  close: () => void
}

export interface HandlerOptions extends LiveOptions {
  signal: Stop
  /** What was begun for this handler. */
  early?: Early
}

/** Programs that end by themselves and leave nothing running behind them: a shell that stays may start them. */
const SHORT = new Set(['ip', 'iptables', 'ip6tables', 'ss', 'ctdb', 'sh', 'arping', 'timeout'])

/** What goes through `ip -batch` unquoted. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/

/**
 * The machine as the resident daemon sees it: the handlers are written for one address and one event, and here what
 * several ask for at the same time is done in one go. What is not known here is done as ever, by a process of its own.
 * `announce` is told what the handlers would have announced in the background.
 */
export function resident(vardir: string, announce: (announcement: Announcement) => void): Resident {
  const plain = live()
  const ip = residentIp()
  const pool = shells()
  const disk = files(plain)
  const flocks = locks(disk.keptBack)
  /** For each that is asked for, which process is at it, to be looked at when it takes too long. */
  const atWork = new Map<Argv, Worker>()

  /** By a shell that stays, or else by a process of its own; on behalf of these. */
  async function start(argv: Argv, items: readonly Argv[]): Promise<Answer> {
    const [program = ''] = argv
    if ((await disk.find(program)) === undefined) throw new CannotRun(program, 'ENOENT')
    return await noted(items, async (started) => {
      const answer = await pool.run(argv, started)
      return answer ?? (await plain.run('ask', argv, {}))
    })
  }

  async function noted(
    items: readonly Argv[],
    run: (started: (worker: Worker) => void) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await run((worker) => items.forEach((item) => atWork.set(item, worker)))
    } finally {
      for (const item of items) atWork.delete(item)
    }
  }

  const restore = (program: string, input: string, items: readonly Argv[]) =>
    noted(items, (started) => fed([program, '-w', '--noflush'], input, started))
  const askOnce = shared(start)
  const changeRules = firewall(start, restore)
  const lookAtConnections = connections(start)

  async function throughIp(argv: Argv, line: Argv): Promise<Answer> {
    const answer = await ip.run(line)
    if (answer?.status === 0) return answer
    // an ip that has just been started is the judge: the other may remember an interface that was replaced since
    return await start(argv, [argv])
  }

  /** By one that has just been started where the other cannot; that one may have done half of it, which is harmless to do again. */
  function guardedWay(argv: Argv, input: string): Work<Answer> {
    const task = { input }
    const again = () => noted([argv], (started) => fed(argv, input, started))
    const done = async () => (await ip.run(task)) ?? (await again())
    return { done, again, by: () => atWork.get(argv) ?? ip.worker(task) }
  }

  /** How it is done, and by which process; undefined when it is nothing for us. */
  function wayOf(verb: Verb, argv: Argv): Work<Answer> | undefined {
    // no shell can be told such a word line by line
    if (argv.some((word) => word.includes('\n'))) return undefined
    const by = () => atWork.get(argv)
    if (isForIp(argv)) {
      const line = argv[1] === '-json' ? ['addr', 'show'] : argv.slice(1)
      return { done: () => throughIp(argv, line), by: () => by() ?? ip.worker(line) }
    }
    if (isRuleChange(argv))
      return { done: () => changeRules(argv), again: () => changeAgain(argv, start), by }
    if (sourceOf(argv) !== undefined) return { done: () => lookAtConnections(argv), by }
    if (!SHORT.has(basename(argv[0] ?? ''))) return undefined
    return { done: () => (verb === 'ask' ? askOnce(argv) : start(argv, [argv])), by }
  }

  function foresee(event: string, words: Argv): Early | undefined {
    const soon = foreseen(event, words, vardir)
    if (!soon) return undefined
    flocks.expect(soon.lock)
    return askedEarly(soon.ask, (argv) => ({ done: () => askOnce(argv), by: () => atWork.get(argv) }))
  }

  function system(options: HandlerOptions): System {
    const { signal, early } = options
    const own = live(options)
    const mine: string[] = []
    const { attend, finish } = attendant(options)
    // oxlint-disable-next-line prefer-promise-reject-errors -- the reason is one
    const tooLate = () => Promise.reject(signal.reason)

    return {
      // a promise less for each layer: hundreds of events take these steps at once
      run(verb, argv, how: RunOptions) {
        if (!how.undo && signal.aborted) return tooLate()
        if (how.announcement) {
          announce(how.announcement)
          return DONE
        }
        const special = how.combined || how.input !== undefined
        const isGuarded = how.input !== undefined && isBatch(argv)
        const way = isGuarded ? guardedWay(argv, how.input ?? '') : special ? undefined : wayOf(verb, argv)
        if (!way) return own.run(verb, argv, how)
        const work = (verb === 'ask' ? early?.(argv) : undefined) ?? way
        return how.undo ? finish(argv, work) : attend(argv, work)
      },
      read(path, until) {
        const text = disk.under(mine).read(path, until)
        return until ? attend(['read', path], { done: () => text, by: () => undefined }) : text
      },
      write: (path, text) => (signal.aborted ? tooLate() : disk.under(mine).write(path, text)),
      find: (program) => disk.find(program),
      wait: (ms) => own.wait(ms),
      async hold(path, seconds, how) {
        signal.throwIfAborted()
        const { held, withdraw } = flocks.hold(path, seconds, how)
        const waits = () => {
          const pid = flocks.pid(path, how)
          // others may wait for the lock by the same process, which ends in time by itself
          return pid === undefined ? undefined : { pid, kill() {} }
        }
        const { release } = await attend(['flock', '-w', String(seconds), path], {
          done: () => held,
          by: waits,
          left: withdraw,
        })
        mine.push(path)
        return async () => {
          mine.splice(mine.lastIndexOf(path), 1)
          await release()
        }
      },
    }
  }

  return {
    foresee,
    system,
    close() {
      ip.close()
      pool.close()
      flocks.close()
    },
  }
}

/** What is done without a process. */
const DONE = Promise.resolve({ status: 0, out: '', err: '' })

function isBatch(argv: Argv): boolean {
  return argv.join(' ') === BATCH.join(' ')
}

/** A look at addresses, or a change of an address or link, in words that need no quotes. */
function isForIp([program, ...words]: Argv): boolean {
  if (program !== 'ip' || !words.every((word) => PLAIN_WORD.test(word))) return false
  return /^(?:-json addr show|addr (?:add|del)|link set) /.test(`${words.join(' ')} `)
}
