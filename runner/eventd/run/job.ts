import { canonical } from '../../inet/address.ts'

/** One event that a client has asked for. */
export interface Job {
  event: string
  words: readonly string[]
  /** Milliseconds that the event may take, counted from its start. */
  limit: number
  /** Go on after a failure. */
  all: boolean
  /** The client: its jobs go when the client goes. */
  owner: object
  /** The moment of the request, in milliseconds of the monotonic clock. */
  asked: number
  /** Called once, with the result: 0 or an errno, positive (event/event_cmd.c of CTDB 4.17). */
  answer: (result: number) => void
}

/** A running event was ended before its time: by the next event, or because its client has gone. */
export class Cancelled extends Error {
  override name = 'Cancelled'
}

/** The public address that an event moves; undefined for an event about the whole node. */
export function movedAddress({ event, words }: Job): string | undefined {
  const word = { takeip: words[1], releaseip: words[1], updateip: words[2] }[event]
  return word === undefined ? undefined : (canonical(word) ?? word)
}

/** Does the event take every public address off this node? */
export function releasesAll({ event }: Job): boolean {
  return event === 'init' || event === 'shutdown'
}
