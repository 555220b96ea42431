import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { baseOf, ctdbPath, vardirOf } from '../../node/ctdb-path.ts'
import type { Facts } from '../../node/facts.ts'
import { lockPidFile } from '../process/pid-file.ts'
import { isFailoverDisabled } from '../conf/conf.ts'
import { signOfLife } from '../process/ctdbd-life.ts'
import { lastAct, type LastAct } from './release-everything.ts'
import { refuse } from '../../base/refusal.ts'
import { SharedMachine } from '../../resident/shared-machine.ts'
import type { HandlerReport } from '../../engine/report.ts'
import { LockBusy } from '../../machine/errors.ts'
import { live } from '../../machine/live/live.ts'
import type { Witness } from '../../machine/recording/record.ts'
import { rehearsal } from '../../machine/recording/rehearse.ts'
import { rememberingDeletions } from '../../net/address/rehearse-deletions.ts'
import type { Stop } from '../../machine/stop.ts'
import { noPrivilege } from '../../net/privilege.ts'

export interface CleanupOptions {
  facts: Facts
  /** The folder with our own handlers. */
  own: string
  /** Also while ctdbd is alive, and beside an event daemon. */
  force?: boolean
  /** Look for real, change nothing. */
  rehearse?: boolean
  /** Milliseconds for the whole cleanup, from the start of this process. */
  limit: number
  witness?: Witness
}

export interface Cleanup extends LastAct {
  /** The reason why nothing was to be done. */
  skipped?: string
  /** Why ctdb.conf could not be read: whether failover is disabled is not known, and the addresses go. */
  unread?: string
  handlers: HandlerReport[]
}

/** Milliseconds that are kept for our own end. */
const END_MS = 500

/**
 * The last act of the event daemon, for a node on which the daemon is gone as well. A new event daemon waits for the
 * end of the cleanup, and the cleanup waits for the end of a daemon that is in its last act.
 */
export async function cleanUp(options: CleanupOptions): Promise<Cleanup> {
  const { facts, force, rehearse, limit } = options
  const config = join(baseOf(facts.env), 'ctdb.conf')
  let unread: string | undefined
  if (await isFailoverDisabled(config, (reason) => (unread = reason))) {
    const skipped = `${config}: [failover] disabled = true: the public addresses are not CTDB's, and stay`
    return { skipped, handlers: [], addresses: 0, rules: 0, sysctls: 0, good: true, left: [] }
  }
  if (!facts.privileged && !rehearse) refuse(`${noPrivilege()}, or look with --dry-run`)
  if (!force && !rehearse) await mustBeDead()
  // performance.now() counts from the start of this process
  const timeLeft = () => Math.max(0, limit - END_MS - performance.now())
  const lock = { needed: !force && !rehearse, ms: timeLeft() / 2 }
  const done = await alone(await ctdbPath('pidfile eventd'), lock, () => act(options, timeLeft()))
  return unread === undefined ? done : { ...done, unread }
}

async function act({ facts, own, rehearse, witness }: CleanupOptions, ms: number): Promise<Cleanup> {
  const handlers: HandlerReport[] = []
  const deleting = rememberingDeletions()
  // with the helpers of the event daemon: a process for each of hundreds of addresses would take seconds
  const helpers = new SharedMachine(vardirOf(facts.env), () => {})
  const plain = (signal: Stop) => live({ signal, atOnce: () => true })
  try {
    const done = await lastAct({
      // a look needs no privilege, so anybody may rehearse
      facts: rehearse ? { ...facts, privileged: true } : facts,
      own,
      ms,
      machines: rehearse
        ? [(signal) => deleting(rehearsal(plain(signal)))]
        : [(signal) => helpers.system({ signal }), plain],
      ended: (handler) => handlers.push(handler),
      witness,
      rehearse,
    })
    return { ...done, handlers }
  } finally {
    helpers.close()
  }
}

/** The addresses of a ctdbd that is alive are in use. */
async function mustBeDead(): Promise<void> {
  const sign = await signOfLife()
  if (sign !== undefined)
    refuse(
      `ctdbd is alive (${sign}): expected it to be gone: stop it with "ctdb shutdown", or repeat with --force`,
    )
}

/** Do the work under the lock of the event daemon. A node on which no daemon has ever run has no lock. */
async function alone<T>(
  pidFile: string,
  { needed, ms }: { needed: boolean; ms: number },
  work: () => Promise<T>,
): Promise<T> {
  if (!needed || !existsSync(join(pidFile, '..'))) return await work()
  const release = await lockPidFile(pidFile, () => {}, ms).catch((error: unknown) => {
    if (!(error instanceof LockBusy)) throw error
    return refuse(`an event daemon runs here: ${error.message}: stop it, or repeat with --force`)
  })
  try {
    return await work()
  } finally {
    // left by a killed daemon, or by us: a process that waits for the lock checks that the file is still there
    rmSync(pidFile, { force: true })
    await release()
  }
}

/** A line for each thing that is left, with its remedy. */
export function complaints({ left }: Pick<Cleanup, 'left'>): string[] {
  return left.map(({ text, remedy, unseen }) =>
    unseen
      ? `${text}: look with "${remedy}"`
      : `${text}: no other node can have it: expected it to be gone: "${remedy}"`,
  )
}
