import { setTimeout as sleep } from 'node:timers/promises'
import { familyOf } from '../../inet/address.ts'
import { AGAIN, ON_LO, pauseAfter, roundOf, roundsOf, SEIZED } from './announce.ts'
import { arpingRound } from '../arping.ts'
import { announcementFrames } from './frames.ts'
import { isNamed, parseLinks, type Link } from '../ip-json.ts'
import { LOOK_AGAIN_MS, LOOK_EVERY_MS, nextFor, stateOf, stillUnderCheck, type Taken } from './after-event.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Answer, Door } from '../../machine/machine.ts'
import { senders } from '../../resident/send-by-programs.ts'
import { transmitter, type Packet } from '../../resident/send-frames.ts'
import type { DadOutcome } from '../dad/conflict.ts'

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

/**
 * While others are being taken they come first, and may come along: so long is waited for the next one, and in all, in
 * milliseconds. And so often is looked whether any is.
 */
const COMPANY_MS = 20
const PATIENCE_MS = 200
const GLANCE_MS = 2
/** The longest that the kernel's own duplicate check takes, with 3 s on top. */
const CHECK_MS = 5000

/**
 * Looks after all addresses together, and each in turn: every one is announced once, in the form that most hosts take,
 * then all in the other form, and after a pause again. One that has left this node is not announced any more, one
 * that is still under its duplicate check is watched. No event waits. On an Ethernet the packets are our own: a program
 * for each takes 2 ms of a processor, which the events of a failover need; elsewhere the programs do it.
 */
export function announcements(
  doorForARound: () => Door,
  concede: (taken: Taken) => Promise<DadOutcome | 'given up'>,
  complain: (line: string) => void,
  areMoving: () => boolean,
): Announcements {
  const due = new Map<string, Due>()
  const sender = senders(complain)
  const wire = transmitter(complain)
  let working = false
  let wake = () => {}
  /** When the last was added. */
  let added = 0
  let arping: Promise<Answer> | undefined
  /** What goes wrong is said once, until a round has gone well. */
  const said = new Set<string>()
  let isWell = true

  async function work(): Promise<void> {
    working = true
    while (due.size > 0) {
      await nextDue()
      const last = performance.now() + PATIENCE_MS
      do await sleep(GLANCE_MS)
      while (areMoving() && performance.now() - added < COMPANY_MS && performance.now() < last)
      const all = [...due.values()].filter(({ at }) => at <= performance.now())
      isWell = true
      await round(all).catch((error: unknown) => all.forEach((each) => tryLater(each, error)))
      if (isWell) said.clear()
    }
    working = false
  }

  /** Whoever is added meanwhile is due at once. */
  async function nextDue(): Promise<void> {
    const first = Math.min(...[...due.values()].map(({ at }) => at))
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, first - performance.now()))
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async function round(all: readonly Due[]): Promise<void> {
    const door = doorForARound()
    const looked = await eachOf(all, (each) => comesNext(door, each))
    const announced = looked.flatMap(([each, isToBe]) => (isToBe ? [each] : []))
    const byProgram = await transmit(door, announced)
    await send(await eachOf(byProgram, (each) => commandsFor(door, each)))
  }

  /** Gives back those for which that cannot be done. */
  async function transmit(door: Door, all: readonly Due[]): Promise<readonly Due[]> {
    if (all.length === 0) return all
    const links = linksIn(await door.ask`ip -json link show`)
    const packets = new Map(all.map((each) => [each, packetsFor(each, links)]))
    const mine = all.filter((each) => packets.get(each))
    const isSent = await wire.send(inForms(mine.map((each) => packets.get(each) ?? [])))
    if (!isSent) return all
    mine.forEach(isAnnounced)
    return all.filter((each) => !packets.get(each))
  }

  /** For each by itself: a failure about one is no other's, and it is tried again in the next round. */
  async function eachOf<Result>(
    all: readonly Due[],
    act: (each: Due) => Promise<Result>,
  ): Promise<[Due, Result][]> {
    const ends = await Promise.allSettled(all.map(act))
    return all.flatMap((each, i): [Due, Result][] => {
      const end = ends[i] as PromiseSettledResult<Result>
      if (end.status === 'fulfilled') return [[each, end.value]]
      tryLater(each, end.reason)
      return []
    })
  }

  function tryLater(each: Due, error: unknown): void {
    each.at = performance.now() + pauseAfter(0)
    complainOnce(
      `announcing failed: ${error instanceof Error ? error.message : String(error)}: it is tried again`,
    )
  }

  function complainOnce(line: string): void {
    if (!said.has(line)) complain(line)
    said.add(line)
    isWell = false
  }

  /** Is it to be announced now? */
  async function comesNext(door: Door, each: Due): Promise<boolean> {
    const next = nextFor(await stateOf(door, each), each.left)
    if (next === 'announce') return true
    if (next === 'wait') wait(each)
    if (next === 'give up') void giveUp(each)
    if (next !== 'wait') forget(each)
    return false
  }

  /** Who has it is asked for, which takes seconds: the others do not wait for that. */
  async function giveUp(each: Due): Promise<void> {
    if ((await concede(each)) === 'seized') add(each.address, each.iface, SEIZED)
  }

  async function send(all: readonly [Due, string[][]][]): Promise<void> {
    for (const [each] of all) isAnnounced(each)
    await sender.send(inForms(all.map(([, commands]) => commands)))
  }

  function isAnnounced(each: Due): void {
    each.left -= 1
    each.sent += 1
    each.at = performance.now() + pauseAfter(each.sent)
    if (each.left === 0) forget(each)
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

  /** Which arping this is, is asked once. None of one that we do not know. */
  async function commandsFor(door: Door, { address, iface }: Due): Promise<string[][]> {
    if (familyOf(address) === 'inet6') return await roundOf(door, address, iface)
    arping ??= door.ask`arping -V`
    const version = await arping.catch((error: unknown) => {
      arping = undefined
      throw error
    })
    try {
      return arpingRound(version.out + version.err, address, iface)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      complainOnce(`WARNING: addresses are not announced: ${error.message}`)
      return []
    }
  }

  function add(address: string, iface: string, how?: string): void {
    const now = (added = performance.now())
    const before = due.get(address)
    // it is being announced anyway
    if (how === AGAIN && before?.iface === iface) return
    // a seized address stays one: takeip, when it comes again for what is as wanted, does not know of it
    const rounds = before?.iface === iface && before.left === Infinity ? Infinity : roundsOf(how)
    const own = { address, iface, onLo: how === ON_LO, left: rounds, sent: 0 }
    due.set(address, { ...own, at: now, since: now, complained: false })
    if (working) wake()
    else void work()
  }

  return {
    add,
    close() {
      due.clear()
      sender.close()
      wire.close()
    },
  }
}

/** All of the first form, then all of the next. */
function inForms<Form>(rounds: readonly (readonly Form[])[]): Form[] {
  const forms = Math.max(0, ...rounds.map((round) => round.length))
  return Array.from({ length: forms }, (_, form) =>
    rounds.flatMap((round) => round.slice(form, form + 1)),
  ).flat()
}

function linksIn({ status, out }: Answer): readonly Link[] {
  return status === 0 ? parseLinks(out) : []
}

/** Undefined where it is no Ethernet, or is not there any more. */
function packetsFor({ address, iface }: Due, links: readonly Link[]): Packet[] | undefined {
  const link = links.find((each) => isNamed(each, iface))
  if (link?.type !== 'ether' || !link.mac) return undefined
  return announcementFrames(address, link.mac).map((frame) => ({ iface: link.name, frame }))
}
