/** The floor: one `ip -batch` for all, and then the kernel's own duplicate detection. Nothing else is done. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { batch } from './addresses.ts'
import { now } from './clock.ts'
import { BATCH, KERNEL_DAD, type BulkContestant, type Outcome } from './contestants.ts'
import type { PresentWatch } from './present.ts'

const FILE = `/run/bench.${process.pid}.batch`

/** Runs the commands in a single batch. Throws when a command fails. */
export async function ipBatch(text: string): Promise<void> {
  if (text === '') return
  writeFileSync(FILE, text)
  const child = spawn('ip', ['-batch', FILE], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [status] = (await once(child, 'exit')) as [number | null]
  rmSync(FILE)
  if (status !== 0) throw new Error(`ip -batch: exit status ${status}`)
}

/**
 * Addresses are deleted from the last to the first. Where secondaries are promoted, deleting the first of 1,000 IPv4
 * addresses makes the kernel go through all others. Then 1,000 take 7.8 s, but 0.06 s in this order.
 */
export function floors(present: PresentWatch): BulkContestant[] {
  return [
    {
      name: BATCH,
      most: () => 1000,
      burst: ({ event, family }, addresses) =>
        timed(addresses, () =>
          event === 'takeip'
            ? ipBatch(batch('add', family, addresses, family === 'IPv6' ? ' nodad' : ''))
            : ipBatch(batch('del', family, addresses.toReversed())),
        ),
    },
    {
      name: KERNEL_DAD,
      most: ({ family }) => (family === 'IPv6' ? 1000 : undefined),
      burst: ({ family }, addresses) =>
        timed(addresses, async () => {
          await ipBatch(batch('add', family, addresses))
          return present.all(addresses, 10_000)
        }),
    },
  ]
}

/** The work may know its end more precisely. */
async function timed(addresses: readonly string[], work: () => Promise<number | void>): Promise<Outcome> {
  const began = now()
  const ended = (await work()) ?? now()
  return { ms: ended - began, ok: addresses.length, failed: 0, timedOut: 0, unanswered: 0 }
}
