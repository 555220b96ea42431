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
  running: () => { job: Job; since: number } | undefined
  waiting: () => readonly Job[]
}

/**
 * The events of one component, one at a time, in the order in which they were asked for. Only `monitor` gives way: a
 * running one is cancelled by whatever comes, and one that comes while another event runs is refused (contract, 1.3).
 * `run` does the job; it may call `early` with the result before it is through with tidying up, never rejects, and is
 * told by the signal when it has to stop. The next job starts when it has really ended.
 */
export function queue(
  run: (job: Job, signal: AbortSignal, early: (result: number) => void) => Promise<number>,
): Queue {
  let waiting: Job[] = []
  const answered = new WeakSet<Job>()
  let current: { job: Job; since: number; stop: AbortController; ended: Promise<void> } | undefined

  function submit(job: Job): void {
    if (current && !answered.has(current.job)) {
      if (current.job.event === 'monitor') cancel(`cancelled by ${job.event}`)
      else if (job.event === 'monitor') return job.answer(CANCELLED)
    }
    waiting.push(job)
    next()
  }

  function cancel(why: string): void {
    current?.stop.abort(new Cancelled(why))
    current?.job.answer(CANCELLED)
  }

  function next(): void {
    const job = current ? undefined : waiting.shift()
    if (!job) return
    const stop = new AbortController()
    current = { job, since: performance.now(), stop, ended: perform(job, stop.signal) }
  }

  async function perform(job: Job, signal: AbortSignal): Promise<void> {
    await Promise.resolve() // so that `current` is known before the job begins
    let result = FAULT
    try {
      result = await run(job, signal, job.answer)
    } finally {
      // whatever went wrong, the next in line gets its turn
      job.answer(result)
      current = undefined
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
      // one that is answered is only being tidied up: that goes on
      if (current?.job.owner === owner && !answered.has(current.job))
        cancel('the client that asked for it has gone')
    },
    async close() {
      waiting = []
      if (current) current.job.answer = () => {}
      current?.stop.abort(new Cancelled('the event daemon ends'))
      await current?.ended
    },
    running: () => current && { job: current.job, since: current.since },
    waiting: () => waiting,
  }
}
