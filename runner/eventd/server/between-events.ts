import { vardirOf } from '../../node/ctdb-path.ts'
import type { Facts } from '../../node/facts.ts'
import type { Node } from '../../node/node.ts'
import { nodeOutsideEvents } from '../../node/node-outside-events.ts'
import { concede, type Taken } from '../../net/announce/after-event.ts'
import { askBeside } from '../../net/announce/question.ts'
import { AnnounceLoop } from '../../net/announce/loop.ts'
import { retryLoop, type RetryLoop } from '../../net/dad/retry-loop.ts'
import { ShellProgramSender } from '../../resident/programs/send-by-programs.ts'
import { PerlFrameSender } from '../../resident/programs/send-frames.ts'
import { SharedMachine } from '../../resident/shared-machine.ts'
import type { Announcement } from '../../machine/announcement.ts'
import { doorTo, type Door } from '../../machine/machine.ts'
import type { Log } from '../conf/log.ts'
import type { ScriptFolder } from '../run/scripts.ts'

/** Milliseconds for a round of announcing: its questions take some milliseconds. */
const ROUND_LIMIT_MS = 10_000
/** Milliseconds to decide about a conflict, or to retry parked addresses: a duplicate check of 10 s, and locks. */
const TRY_LIMIT_MS = 60_000

/** The machine that all events share, and the work that no event waits for: announcements, and parked addresses. */
export class BetweenEvents {
  readonly machine: SharedMachine
  readonly #facts: Facts
  readonly #log: Log
  readonly #announcing: AnnounceLoop
  readonly #parking: RetryLoop

  /** `areMoving`: while events move addresses, their announcements wait for each other. `scripts`: those that CTDB's events run. */
  constructor(facts: Facts, log: Log, areMoving: () => boolean, scripts: ScriptFolder) {
    this.#facts = facts
    this.#log = log
    const complain = (line: string) => this.#complain(line)
    this.machine = new SharedMachine(
      vardirOf(facts.env),
      (announcement) => this.#afterEvent(announcement),
      complain,
    )
    this.#announcing = new AnnounceLoop({
      doorForARound: () => this.#door(ROUND_LIMIT_MS),
      concede: (taken, mac) => this.#concede(taken, mac),
      ask: (taken) => askBeside(() => this.#node(), taken, complain),
      complain,
      areMoving,
      frames: new PerlFrameSender(complain),
      programs: new ShellProgramSender(complain),
    })
    const announce = (address: string, iface: string) =>
      this.#announcing.add({ mode: 'usual', address, iface })
    const means = {
      announce,
      concede: (taken: Taken) => this.#concedeLate(taken),
      isInPlace: async () => {
        const found = await scripts.look(complain)
        return typeof found === 'number' || scripts.hasOurs
      },
    }
    this.#parking = retryLoop(() => this.#node(), means, complain)
  }

  /**
   * End the machine, and with it all that its helpers still have to do; gives back another, for the work after the events.
   * A helper that hangs is none of its own.
   */
  replaceMachine(): SharedMachine {
    this.machine.close()
    return new SharedMachine(
      vardirOf(this.#facts.env),
      () => {},
      (line) => this.#complain(line),
    )
  }

  /** End the work, not the machine. */
  stop(): void {
    this.#announcing.close()
    this.#parking.close()
  }

  #afterEvent(announcement: Announcement): void {
    if (announcement.mode === 'parked') this.#parking.wake()
    else this.#announcing.add(announcement)
  }

  /** Another node claims the address. */
  async #concede(taken: Taken, mac?: string) {
    try {
      const outcome = await concede(await this.#node(), taken, mac)
      if (outcome === 'parked') this.#parking.wake()
      return outcome
    } catch (error) {
      this.#complain(`${taken.address}: ${error instanceof Error ? error.message : String(error)}`)
      return 'given up'
    }
  }

  /** The same for an address that nobody announces any more. */
  async #concedeLate({ address, iface }: Taken): Promise<void> {
    if ((await this.#concede({ address, iface })) === 'seized')
      this.#announcing.add({ mode: 'seized', address, iface })
  }

  #node(): Promise<Node> {
    return nodeOutsideEvents(this.#door(TRY_LIMIT_MS), this.#facts, (line) => this.#complain(line))
  }

  /** One for each round, in milliseconds: a look that hangs is ended, and made again in the next round. */
  #door(limit: number): Door {
    return doorTo(this.machine.system({ signal: AbortSignal.timeout(limit) }))
  }

  #complain(line: string): void {
    this.#log.write('WARNING', line)
  }
}
