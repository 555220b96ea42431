import { canonical } from '../../inet/address.ts'
import { Stopper, type Stop } from '../../machine/stop.ts'

/** The clients' view of a result: Linux errno, positive (contract, 4.2). */
export const CANCELLED = 125
export const TIMED_OUT = 110
/** EIO: a defect of ours. */
const FAULT = 5

/** One event that somebody has asked for. */
export interface Job {
  event: string
  words: readonly string[]
  /** Milliseconds that the event may take, counted from when it starts. */
  limit: number
  /** Go on behind a failure. */
  all: boolean
  /** Who asked: his jobs go when he does. */
  owner: object
  /** Milliseconds of the monotonic clock at which it was asked for. */
  asked: number
  /** Called once, with the result. */
  answer: (result: number) => void
}

/** A running job was ended before its time: by the next event, or as its client has gone. */
export class Cancelled extends Error {
  override name = 'Cancelled'
}

export interface Queue {
  submit: (job: Job) => void
  /** Its client has gone: what waits is dropped, what runs is ended. */
  drop: (owner: object) => void
  /** End what runs and forget what waits, without an answer. */
  close: () => Promise<void>
  running: () => { job: Job; since: number }[]
  waiting: () => readonly Job[]
  /** Are public addresses on the move? */
  isMoving: () => boolean
}

interface Running {
  since: number
  stop: Stopper
  ended: Promise<void>
}

/**
 * The events of one component, in the order in which they were asked for. Those that move a public address run side
 * by side, `atOnce` of them, but never two for the same address; every other waits until all before it have ended, and
 * all behind it wait for it. `monitor` gives way: a running one is cancelled by whatever comes, and one that comes
 * while another event runs is refused (contract, 1.3). `run` does the job; it may call `early` with the result before
 * it is through with tidying up, never rejects, and is told by the signal when it has to stop.
 */
export function queue(
  run: (job: Job, signal: Stop, early: (result: number) => void) => Promise<number>,
  atOnce: () => number = () => 1,
): Queue {
  let waiting: Job[] = []
  const answered = new WeakSet<Job>()
  const running = new Map<Job, Running>()
  /** The public addresses that running events move. */
  const moving = new Set<string>()
  /** Running events that are about the whole node; and all that are not past their deadline. */
  let wholeNode = 0
  let inTime = 0

  const unanswered = () => [...running.keys()].filter((job) => !answered.has(job))

  function submit(job: Job): void {
    const monitor = wholeNode === 0 ? undefined : unanswered().find(({ event }) => event === 'monitor')
    if (monitor) cancel(monitor, `cancelled by ${job.event}`)
    else if (job.event === 'monitor' && unanswered().length > 0) return job.answer(CANCELLED)
    waiting.push(job)
    next()
  }

  function cancel(job: Job, why: string): void {
    running.get(job)?.stop.abort(new Cancelled(why))
    job.answer(CANCELLED)
  }

  function next(): void {
    let i = 0
    while (i < waiting.length && inTime < Math.max(1, atOnce())) {
      const job = waiting[i] as Job
      const address = addressOf(job)
      // nothing overtakes an event that is about the whole node
      if (wholeNode > 0 || (address === undefined && (i > 0 || inTime > 0))) return
      if (address !== undefined && moving.has(address)) i += 1
      else {
        waiting.splice(i, 1)
        start(job, address)
      }
    }
  }

  function start(job: Job, address: string | undefined): void {
    const stop = new Stopper()
    const own: Running = { since: performance.now(), stop, ended: Promise.resolve() }
    running.set(job, own)
    inTime += 1
    if (address === undefined) wholeNode += 1
    else moving.add(address)
    own.ended = perform(job, stop, address)
  }

  async function perform(job: Job, signal: Stop, address: string | undefined): Promise<void> {
    let result = FAULT
    let late = false
    /** The others need not wait for it any longer: it is over, or only being tidied up. */
    const over = () => {
      if (late) return
      late = true
      inTime -= 1
      if (address === undefined) wholeNode -= 1
    }
    const early = (verdict: number) => {
      job.answer(verdict)
      over()
      next()
    }
    try {
      result = await run(job, signal, early)
    } finally {
      // whatever went wrong, the next in line gets its turn
      job.answer(result)
      running.delete(job)
      over()
      if (address !== undefined) moving.delete(address)
      next()
    }
  }

  return {
    submit(job) {
      const own: Job = {
        ...job,
        answer(result) {
          if (!answered.has(own)) job.answer(result)
          answered.add(own)
        },
      }
      submit(own)
    },
    drop(owner) {
      waiting = waiting.filter((job) => job.owner !== owner)
      for (const job of unanswered())
        if (job.owner === owner) cancel(job, 'the client that asked for it has gone')
      // what has waited for one of those need not
      next()
    },
    async close() {
      waiting = []
      for (const [job, { stop }] of running) {
        job.answer = () => {}
        stop.abort(new Cancelled('the event daemon ends'))
      }
      await Promise.all([...running.values()].map(({ ended }) => ended))
    },
    running: () => [...running].map(([job, { since }]) => ({ job, since })),
    waiting: () => waiting,
    isMoving: () => moving.size > 0 || waiting.some((job) => addressOf(job) !== undefined),
  }
}

/** The public address that an event is about; undefined for events that are about the whole node. */
function addressOf({ event, words }: Job): string | undefined {
  const word = { takeip: words[1], releaseip: words[1], updateip: words[2] }[event]
  return word === undefined ? undefined : (canonical(word) ?? word)
}
