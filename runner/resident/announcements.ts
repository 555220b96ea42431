import { setTimeout as sleep } from 'node:timers/promises'
import { familyOf } from '../net/address.ts'
import { arpingRound, ROUND_MS, ROUNDS, roundOf } from '../net/announce.ts'
import { parseLinks } from '../net/ip.ts'
import type { Answer, Door } from '../system/door.ts'
import { senders } from './senders.ts'

export interface Announcements {
  /** Tell the network where this address is, from now on, in rounds. */
  add: (address: string, iface: string) => void
  close: () => void
}

interface Due {
  address: string
  iface: string
  /** Rounds that are still to come. */
  left: number
  /** Milliseconds of the monotonic clock. */
  at: number
}

/** So long is waited for others that are taken at the same time, in milliseconds. */
const COMPANY_MS = 20

/**
 * Announces all addresses together, and each in turn: every one once, in the form that most hosts take, then all in
 * the other form, and after ROUND_MS again. One that has left this node is not announced any more. No event waits.
 */
export function announcements(door: Door, complain: (line: string) => void): Announcements {
  const due = new Map<string, Due>()
  const sender = senders(complain)
  let working = false
  let closed = false

  async function work(): Promise<void> {
    working = true
    try {
      while (due.size > 0) {
        const first = Math.min(...[...due.values()].map(({ at }) => at))
        await sleep(Math.max(0, first - performance.now()) + COMPANY_MS)
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
    const here = await placesHere(door)
    const present = all.filter((each) => here.has(placeOf(each)))
    for (const each of all) {
      const isLast = each.left <= 1 || !present.includes(each)
      // it may have been added anew meanwhile
      if (isLast && due.get(each.address) === each) due.delete(each.address)
      each.left -= 1
      each.at = performance.now() + ROUND_MS
    }
    const rounds = await Promise.all(present.map(commandsFor))
    const forms = Math.max(0, ...rounds.map((commands) => commands.length))
    for (let form = 0; form < forms; form += 1)
      await sender.send(rounds.flatMap((commands) => commands.slice(form, form + 1)))
  }

  let arping: Promise<Answer> | undefined

  /** Which arping this is, is asked once. */
  async function commandsFor({ address, iface }: Due): Promise<string[][]> {
    if (familyOf(address) === 'inet6') return await roundOf(door, address, iface)
    const { out, err } = await (arping ??= door.ask`arping -V`)
    return arpingRound(out + err, address, iface)
  }

  return {
    add(address, iface) {
      due.set(address, { address, iface, left: ROUNDS, at: performance.now() })
      if (!working && !closed) void work()
    },
    close() {
      closed = true
      due.clear()
      sender.close()
    },
  }
}

function placeOf({ address, iface }: { address: string; iface: string }): string {
  return `${address} ${iface}`
}

async function placesHere(door: Door): Promise<Set<string>> {
  const { out } = await door.ask`ip -json addr show`
  return new Set(parseLinks(out).flatMap((link) => link.addresses.map(placeOf)))
}
