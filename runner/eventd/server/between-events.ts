import { vardirOf, type Facts } from '../../node/settings.ts'
import type { Node } from '../../node/node.ts'
import { nodeOutsideEvents } from '../../node/node-outside-events.ts'
import { PARKED } from '../../net/announce/announce.ts'
import { concede, type Taken } from '../../net/announce/after-event.ts'
import { announcements, type Announcements } from '../../net/announce/loop.ts'
import { keeper, type Keeper } from '../../net/dad/retry-loop.ts'
import { resident, type Resident } from '../../resident/shared-machine.ts'
import { doorTo, type Door } from '../../machine/machine.ts'
import type { Log } from '../conf/log.ts'

/** Milliseconds for a round of announcing: its questions take some milliseconds. */
const ROUND_LIMIT_MS = 10_000
/** Milliseconds to decide about a conflict, or to retry parked addresses: a duplicate check of 10 s, and locks. */
const TRY_LIMIT_MS = 60_000

/** The machine that all events share, and the work that no event waits for: announcements, and parked addresses. */
export class BetweenEvents {
  readonly machine: Resident
  readonly #facts: Facts
  readonly #log: Log
  readonly #announcing: Announcements
  readonly #parking: Keeper

  /** `areMoving`: while events move addresses, their announcements wait for each other. */
  constructor(facts: Facts, log: Log, areMoving: () => boolean) {
    this.#facts = facts
    this.#log = log
    const { announcer, env } = facts
    this.machine = resident({ announcer, vardir: vardirOf(env) }, (words) => this.#afterEvent(words))
    const complain = (line: string) => this.#complain(line)
    const announcingDoor = () => this.#door(ROUND_LIMIT_MS)
    const conceding = (taken: Taken) => this.#concede(taken)
    this.#announcing = announcements(announcingDoor, conceding, complain, areMoving)
    const announce = (address: string, iface: string) => this.#announcing.add(address, iface)
    this.#parking = keeper(() => this.#node(), announce, complain)
  }

  /** End the work, not the machine. */
  stop(): void {
    this.#announcing.close()
    this.#parking.close()
  }

  /** The words with which a handler starts the announcer. */
  #afterEvent([address = '', iface = '', how]: readonly string[]): void {
    if (address === PARKED) this.#parking.wake()
    else for (const each of address.split(',')) this.#announcing.add(each, iface, how)
  }

  /** Another node claims the address. */
  async #concede(taken: Taken) {
    try {
      const outcome = await concede(await this.#node(), taken)
      if (outcome === 'parked') this.#parking.wake()
      return outcome
    } catch (error) {
      this.#complain(`${taken.address}: ${error instanceof Error ? error.message : String(error)}`)
      return 'given up'
    }
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
