/**
 * How a handler ended. After `disabled` and `cannot-run` the event goes on, as with CTDB; `cannot-run` is reported. `not-run`: an
 * executable in a rehearsal, of which nobody knows how it would end.
 */
export type Outcome = 'ok' | 'failed' | 'timedout' | 'disabled' | 'cannot-run' | 'not-run'

export interface End {
  outcome: Outcome
  /** Why the handler did not end well, in one sentence; the stack follows a defect. */
  why?: string
  /** CTDB's result of an executable: 0, its exit status, or a negative errno. */
  result?: number
}

export interface HandlerReport extends End {
  name: string
  /** The ISO time of its start. */
  began: string
  ms: number
  /** The lines that it said. */
  output: string[]
}

/** One event. Handlers after the first failure did not run and are left out. */
export interface Report {
  event: string
  words: readonly string[]
  outcome: 'ok' | 'failed' | 'timedout'
  began: string
  ms: number
  handlers: HandlerReport[]
}

/** The outcome of the event after such an outcome of a handler; undefined when the event goes on. */
export function endsEvent(outcome: Outcome): 'failed' | 'timedout' | undefined {
  return outcome === 'failed' || outcome === 'timedout' ? outcome : undefined
}
