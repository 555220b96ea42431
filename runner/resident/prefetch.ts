import { canonical, familyOf } from '../inet/address.ts'
import { hostedLock } from '../net/address/hosted-list.ts'
import { listRules, programFor } from '../net/clients/blocking-rule.ts'
import type { Answer } from '../machine/machine.ts'
import { endInTime, type Work } from './programs/deadline.ts'

type Argv = readonly string[]

export interface Foreseen {
  /** A question that will be put. */
  ask: Argv
  /** A lock that will be taken. */
  lock: string
}

/**
 * What an event is sure to want that takes some milliseconds to be had: begun with when the event begins, while it
 * still reads its files, and there when it is wanted. It is the event's own look, a little early: nothing that it
 * does before changes the answer. Only takeip of IPv4 is in such a hurry; that of IPv6 waits for seconds anyway.
 */
export function foreseen(event: string, words: Argv, vardir: string): Foreseen | undefined {
  const address = event === 'takeip' ? canonical(words[1] ?? '') : undefined
  if (address === undefined || familyOf(address) === 'inet6') return undefined
  return { ask: listRules(programFor(address)), lock: hostedLock(vardir) }
}

/** What was begun early: given once, to the first who wants the same. */
export type Early = (wanted: Argv) => Work<Answer> | undefined

/** Begins with it. */
export function askedEarly(argv: Argv, workOf: (argv: Argv) => Work<Answer>): Early {
  const work = workOf(argv)
  const answer = work.done()
  // it may be that nobody wants it in the end
  answer.catch(() => {})
  endInTime(answer, work.by)
  let isWanted = false
  return (wanted) => {
    if (isWanted || argv.join(' ') !== wanted.join(' ')) return undefined
    isWanted = true
    return { ...work, done: () => answer, again: work.done }
  }
}
