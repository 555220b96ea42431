import { setTimeout as sleep } from 'node:timers/promises'
import { familyOf } from '../../inet/address.ts'
import type { Announcement, Mode } from '../../machine/announcement.ts'
import { roundOf } from './announce.ts'
import { arpingRound } from '../arping.ts'
import { parseLinks, type Link } from '../ip-json.ts'
import type { DadOutcome } from '../dad/conflict.ts'
import { takenState, nextFor, type Taken } from './after-event.ts'
import { Complaints } from './complaints.ts'
import { inForms, packetsFor, type FrameSender, type ProgramSender } from './packets.ts'
import { together, type WireQuestion } from './question.ts'
import { Schedule, type Due } from './schedule.ts'
import { byReason, type Unannounced } from './unannounced.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Answer, Door } from '../../machine/machine.ts'

export interface LoopOptions {
  doorForARound: () => Door
  /** Gives up an address that another host has: it is decided what becomes of it. */
  concede: (taken: Taken, mac?: string) => Promise<DadOutcome | 'given up'>
  /** Asks the wire beside the kernel's check. */
  ask: (taken: Taken) => WireQuestion
  complain: (line: string) => void
  /** Are addresses being moved at this moment? */
  areMoving: () => boolean
  frames: FrameSender
  programs: ProgramSender
}

/**
 * While others are being taken they come first, and may come along: so long is waited for the next one, and in all, in
 * milliseconds. And so often is looked whether any is.
 */
const COMPANY_MS = 20
const PATIENCE_MS = 200
const GLANCE_MS = 2

/**
 * Looks after all addresses together, and each in turn: every one is announced once, in the form that most hosts take,
 * then all in the other form, and after a pause again. One that has left this node is not announced any more, one
 * that is still under its duplicate check is watched. No event waits. On an Ethernet the packets are our own: a program
 * for each takes 2 ms of a processor, which the events of a failover need; elsewhere the programs do it.
 */
export class AnnounceLoop {
  readonly #options: LoopOptions
  readonly #schedule = new Schedule()
  readonly #complaints: Complaints
  /** Of the present round: those that are tried again, and those that no program is known for. */
  #failed: Unannounced[] = []
  #givenUp: Unannounced[] = []
  #isWorking = false
  /** The answer that tells which arping this is: asked once. */
  #arping: Promise<Answer> | undefined

  constructor(options: LoopOptions) {
    this.#options = options
    this.#complaints = new Complaints(options.complain)
  }

  /** Look after the addresses from now on, as `lookAfter` does for one. */
  add(announcement: Exclude<Announcement, { mode: 'parked' }>): void {
    const { mode, iface } = announcement
    const addresses = mode === 'again' ? announcement.addresses : [announcement.address]
    for (const address of addresses) this.#add(address, iface, mode)
  }

  close(): void {
    this.#schedule.clear()
    this.#options.programs.close()
    this.#options.frames.close()
  }

  #add(address: string, iface: string, mode: Mode): void {
    this.#schedule.add(address, iface, mode)
    if (!this.#isWorking) void this.#work()
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    while (!this.#schedule.isEmpty) {
      await this.#schedule.next()
      await this.#company()
      const all = this.#schedule.now()
      this.#complaints.roundBegins()
      await this.#round(all).catch((error: unknown) => all.forEach((each) => this.#tryLater(each, error)))
      this.#complainOfFailures()
      this.#complaints.roundEnds()
    }
    this.#isWorking = false
  }

  async #company(): Promise<void> {
    const last = performance.now() + PATIENCE_MS
    const isMore = () =>
      this.#options.areMoving() &&
      performance.now() - this.#schedule.added < COMPANY_MS &&
      performance.now() < last
    do await sleep(GLANCE_MS)
    while (isMore())
  }

  async #round(all: readonly Due[]): Promise<void> {
    const door = this.#options.doorForARound()
    const looked = await this.#eachOf(all, (each) => this.#comesNext(door, each))
    const announced = looked.flatMap(([each, isToBe]) => (isToBe ? [each] : []))
    const byProgram = await this.#sendFrames(door, announced)
    await this.#startPrograms(await this.#eachOf(byProgram, (each) => this.#commandsFor(door, each)))
  }

  /** Gives back those for which that cannot be done. */
  async #sendFrames(door: Door, all: readonly Due[]): Promise<readonly Due[]> {
    if (all.length === 0) return all
    const links = linksIn(await door.ask`ip -json link show`)
    const packets = new Map(all.map((each) => [each, packetsFor(each, links)]))
    const mine = all.filter((each) => packets.get(each))
    const isSent = await this.#options.frames.send(inForms(mine.map((each) => packets.get(each) ?? [])))
    if (!isSent) return all
    for (const each of mine) this.#schedule.announced(each)
    return all.filter((each) => !packets.get(each))
  }

  async #startPrograms(all: readonly [Due, string[][]][]): Promise<void> {
    for (const [each] of all) this.#schedule.announced(each)
    const programs = all.map(([{ address, iface }, commands]) =>
      commands.map((argv) => ({ address, iface, argv })),
    )
    await this.#options.programs.send(inForms(programs))
  }

  /** For each by itself: a failure about one is no other's, and it is tried again in the next round. */
  async #eachOf<Result>(all: readonly Due[], act: (each: Due) => Promise<Result>): Promise<[Due, Result][]> {
    const ends = await Promise.allSettled(all.map(act))
    return all.flatMap((each, i): [Due, Result][] => {
      const end = ends[i] as PromiseSettledResult<Result>
      if (end.status === 'fulfilled') return [[each, end.value]]
      this.#tryLater(each, end.reason)
      return []
    })
  }

  #tryLater(each: Due, error: unknown): void {
    this.#schedule.tryLater(each)
    const { address, iface } = each
    this.#failed.push({ address, iface, reason: error instanceof Error ? error.message : String(error) })
  }

  #complainOfFailures(): void {
    for (const line of byReason(this.#failed))
      this.#complaints.say(`announcing failed: ${line}: it is tried again`)
    for (const line of byReason(this.#givenUp)) this.#complaints.say(`WARNING: not announced: ${line}`)
    this.#failed = []
    this.#givenUp = []
  }

  /** Is it to be announced now? */
  async #comesNext(door: Door, each: Due): Promise<boolean> {
    if (each.isOptimistic) each.question ??= this.#options.ask(each)
    const next = nextFor(together(await takenState(door, each), each.question), each.left)
    if (next === 'announce') return true
    if (next === 'wait') this.#schedule.watch(each, this.#options.complain)
    if (next === 'give up') void this.#giveUp(each)
    if (next !== 'wait') this.#schedule.forget(each)
    return false
  }

  /** Who has the address is asked for, which takes seconds: the others do not wait for that. */
  async #giveUp(each: Due): Promise<void> {
    if ((await this.#options.concede(each, each.question?.rival)) === 'seized')
      this.#add(each.address, each.iface, 'seized')
  }

  /** None of an arping that we do not know. */
  async #commandsFor(door: Door, { address, iface }: Due): Promise<string[][]> {
    if (familyOf(address) === 'inet6') return await roundOf(door, address, iface)
    const version = await this.#arpingVersion(door)
    try {
      return arpingRound(version.out + version.err, address, iface)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#givenUp.push({ address, iface, reason: error.message })
      return []
    }
  }

  async #arpingVersion(door: Door): Promise<Answer> {
    try {
      return await (this.#arping ??= door.ask`arping -V`)
    } catch (error) {
      this.#arping = undefined
      throw error
    }
  }
}

function linksIn({ status, out }: Answer): readonly Link[] {
  return status === 0 ? parseLinks(out) : []
}
