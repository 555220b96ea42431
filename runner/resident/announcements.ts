import { setTimeout as sleep } from 'node:timers/promises'
import { familyOf } from '../net/address.ts'
import { arpingRound, ON_LO, pauseAfter, roundOf, roundsOf, SEIZED } from '../net/announce.ts'
import type { Outcome } from '../net/conflict.ts'
import { LOOK_AGAIN_MS, LOOK_EVERY_MS, nextFor, stateOf, stillUnderCheck, type Taken } from '../net/follow.ts'
import type { Answer, Door } from '../system/door.ts'
import { senders } from './senders.ts'

export interface Announcements {
  /** What the background program is called with: look after this address from now on, as `follow` does for one. */
  add: (address: string, iface: string, how?: string) => void
  close: () => void
}

interface Due extends Taken {
  /** Rounds that are still to come, and those that are over. */
  left: number
  sent: number
  /** Milliseconds of the monotonic clock: when to look again, and since when. */
  at: number
  since: number
  complained: boolean
}

/** So long is waited for others that are taken at the same time, in milliseconds: for the next, and in all. */
const COMPANY_MS = 20
const PATIENCE_MS = 200
/** The longest that the kernel's own duplicate check takes, with 3 s on top. */
const CHECK_MS = 5000

/**
 * Looks after all addresses together, and each in turn: every one is announced once, in the form that most hosts take,
 * then all in the other form, and after a pause again. One that has left this node is not announced any more, one
 * that is still under its duplicate check is watched. No event waits.
 */
export function announcements(
  doorForARound: () => Door,
  concede: (taken: Taken) => Promise<Outcome | 'given up'>,
  complain: (line: string) => void,
): Announcements {
  const due = new Map<string, Due>()
  const sender = senders(complain)
  let working = false
  /** When the last was added. */
  let added = 0
  let arping: Promise<Answer> | undefined

  async function work(): Promise<void> {
    working = true
    try {
      while (due.size > 0) {
        const first = Math.min(...[...due.values()].map(({ at }) => at))
        await sleep(Math.max(0, first - performance.now()))
        const last = performance.now() + PATIENCE_MS
        do await sleep(COMPANY_MS)
        while (performance.now() - added < COMPANY_MS && performance.now() < last)
        await round([...due.values()].filter(({ at }) => at <= performance.now()))
      }
    } catch (error) {
      // whatever it is, the addresses that come next are to be announced
      due.clear()
      complain(`announcing failed: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      working = false
    }
  }

  async function round(all: readonly Due[]): Promise<void> {
    const door = doorForARound()
    const announced: Due[] = []
    const states = await Promise.all(all.map((each) => stateOf(door, each)))
    for (const [i, each] of all.entries()) {
      const next = nextFor(states[i] ?? 'absent', each.left)
      if (next === 'wait') wait(each)
      else if (next === 'announce') announced.push(each)
      else forget(each)
      if (next === 'give up' && (await concede(each)) === 'seized') add(each.address, each.iface, SEIZED)
    }
    for (const each of announced) {
      each.left -= 1
      each.sent += 1
      each.at = performance.now() + pauseAfter(each.sent)
      if (each.left === 0) forget(each)
    }
    await send(door, announced)
  }

  async function send(door: Door, all: readonly Due[]): Promise<void> {
    const rounds = await Promise.all(all.map((each) => commandsFor(door, each)))
    const forms = Math.max(0, ...rounds.map((commands) => commands.length))
    for (let form = 0; form < forms; form += 1)
      await sender.send(rounds.flatMap((commands) => commands.slice(form, form + 1)))
  }

  function wait(each: Due): void {
    const isLate = performance.now() - each.since > CHECK_MS
    if (isLate && !each.complained) complain(stillUnderCheck(each))
    each.complained ||= isLate
    each.at = performance.now() + (isLate ? LOOK_AGAIN_MS : LOOK_EVERY_MS)
  }

  /** Unless it has been added anew meanwhile. */
  function forget(each: Due): void {
    if (due.get(each.address) === each) due.delete(each.address)
  }

  /** Which arping this is, is asked once. */
  async function commandsFor(door: Door, { address, iface }: Due): Promise<string[][]> {
    if (familyOf(address) === 'inet6') return await roundOf(door, address, iface)
    const { out, err } = await (arping ??= door.ask`arping -V`)
    return arpingRound(out + err, address, iface)
  }

  function add(address: string, iface: string, how?: string): void {
    const now = (added = performance.now())
    const own = { address, iface, onLo: how === ON_LO, left: roundsOf(how), sent: 0 }
    due.set(address, { ...own, at: now, since: now, complained: false })
    if (!working) void work()
  }

  return {
    add,
    close() {
      due.clear()
      sender.close()
    },
  }
}
