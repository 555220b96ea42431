/** How a handler ended. `disabled` and `cannot-run` let the event go on, as CTDB does; the latter is said loudly. */
export type Outcome = 'ok' | 'failed' | 'timedout' | 'disabled' | 'cannot-run'

export interface End {
  outcome: Outcome
  /** Why it did not end well, one sentence; a defect of the handler keeps its stack below. */
  why?: string
  /** What CTDB calls the result of an executable: 0, its exit status, or a negative errno. */
  result?: number
}

export interface HandlerReport extends End {
  name: string
  /** ISO time at which it began. */
  began: string
  ms: number
  /** What it said, line by line. */
  output: string[]
}

/** What happened at one event. Handlers behind the first failure were not run and do not appear. */
export interface Report {
  event: string
  words: readonly string[]
  outcome: 'ok' | 'failed' | 'timedout'
  began: string
  ms: number
  handlers: HandlerReport[]
}

/** What the outcome of a handler means for its event; undefined: the event goes on. */
export function endsEvent(outcome: Outcome): 'failed' | 'timedout' | undefined {
  return outcome === 'failed' || outcome === 'timedout' ? outcome : undefined
}
