/** One command in the machine: what goes, when the last of it is back, and what is said meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import { journalFrom } from '../lab/ctdb/booted-ctdb.ts'
import type { Booted } from '../lab/ctdb/booted.ts'
import { waitFor } from '../lab/wait-for.ts'
import { deletedIn, KINDS, missing, partsOf, type Kind } from './parts.ts'

export interface Outcome {
  /** Of what is eth0's own only what stays away: its manager takes that and gives it back as it likes. */
  removes: Kind[]
  /** Seconds from the start of the command until all was back; undefined when something stayed away. */
  back: number | undefined
  /** What stayed away. */
  stays: Kind[]
  says: string[]
}

/** So long after a command something may still go: these programs answer before they have done their work. */
const LATE_MS = 3000
/** Seconds in which something comes back by itself, or never. Two monitor events are within. */
const LIMIT_S = 20
const SEEN = '/run/beside-seen'

/** Words that stand for lines of the log, in the order of the table. Others are not part of it. */
const SAYINGS: readonly [RegExp, string][] = [
  [/^Assigned IP \S+ not on an interface/, 'ctdbd: "Assigned IP … not on an interface"'],
  [/No link on the public network interface/, '"No link on the public network interface"'],
  [/^13\.per_ip_routing: WARNING: policy routing put back: /, '"WARNING: policy routing put back"'],
  [/^11\.routing: WARNING: static routes put back: /, '"WARNING: static routes put back"'],
]

/** Looks again and again, and keeps what was missing at some time. */
class Watch {
  readonly lost = new Set<Kind>()
  readonly #began = performance.now()
  #back = this.#began
  readonly #node: Booted

  constructor(node: Booted) {
    this.#node = node
  }

  /** The kinds that are missing now. */
  async look(): Promise<Kind[]> {
    const now = missing(await partsOf(this.#node))
    for (const kind of now) this.lost.add(kind)
    if (now.length > 0) this.#back = performance.now()
    return now
  }

  /** Until nothing is missing, or it is late; gives back what is missing then. */
  async untilBack(): Promise<Kind[]> {
    const [early, last] = [LATE_MS, LIMIT_S * 1000].map((ms) => performance.now() + ms) as [number, number]
    for (;;) {
      const now = await this.look()
      const time = performance.now()
      if (time > (now.length === 0 ? early : last)) return now
      await sleep(100)
    }
  }

  /** Whole seconds, the last one begun, until something was missing for the last time. */
  get seconds(): number {
    return Math.max(1, Math.ceil((this.#back - this.#began) / 1000))
  }
}

export async function tried(node: Booted, command: string): Promise<Outcome> {
  const journal = await journalFrom(node)
  const monitor = await node.sh(`ip -o monitor address route rule >${SEEN} 2>&1 & echo $!`)
  const watch = new Watch(node)
  const ran = node.sh(command).then(() => true)
  while (!(await Promise.race([ran, watch.look().then(() => false)])));
  const stays = await watch.untilBack()
  const seen = await node.sh(`kill ${monitor}; cat ${SEEN}`)
  const lost = new Set([...watch.lost, ...deletedIn(seen)])
  const lines = (await journal()).map(({ text }) => text)
  return {
    removes: KINDS.filter((kind) => (kind.startsWith('own ') ? stays : [...lost]).includes(kind)),
    back: stays.length > 0 ? undefined : watch.seconds,
    stays,
    says: SAYINGS.flatMap(([pattern, words]) => (lines.some((line) => pattern.test(line)) ? [words] : [])),
  }
}

/** All is there, after a repair that an admin would make. */
export async function whole(node: Booted, repair = ''): Promise<void> {
  await node.sh(`${repair}\nctdb ipreallocate || true`)
  await waitFor('all parts', async () => missing(await partsOf(node)).length === 0, 45).catch(
    async (error: Error) => {
      const seen = await node.sh(
        'ip -br addr; ip rule; ip -6 rule; ip route; ip -6 route; journalctl -n 30 -o cat',
      )
      error.message += `: missing ${missing(await partsOf(node)).join()}: ${seen}`
      throw error
    },
  )
}
