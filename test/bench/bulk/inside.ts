/**
 * The part of the bulk bench that runs inside the node's namespace. The runs are interleaved: in each round, for each
 * number of addresses, every contestant runs once, and the next round is in reverse. A slow or failed burst is not
 * repeated, nor tried with more addresses.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endLeftovers, inTurn, ticksOf } from '../measure.ts'
import { addresses, ALL, batch } from './addresses.ts'
import { SIZES, TASKS, type BulkContestant, type BulkTask, type Outcome } from './contestants.ts'
import { startDaemons } from './daemons.ts'
import { floors, ipBatch } from './floor.ts'
import { keepalived, whyNoKeepalived } from './keepalived.ts'
import { PresentWatch, upNow } from './present.ts'
import { WireWatch } from './wire.ts'

export interface BulkOrders {
  rounds: number
  sizes?: readonly number[]
  also?: string
  /** The process that holds the node's namespace open, and the observer's end of the wire. */
  anchor: number
  observer: { pid: number; iface: number }
}

export interface BulkMeasured {
  task: string
  contestant: string
  size: number
  outcomes: Outcome[]
}

/** The result for `bulk.ts`. */
export interface BulkResults {
  measured: BulkMeasured[]
  /** Sentences on the omitted measurements, with the reasons. */
  left: string[]
}

/** From this number of milliseconds on, a single run is enough. */
const ONCE_MS = 3000
/**
 * A process is still when it has used no tick (10 ms of processor time) for this number of looks in a row. Then the
 * milliseconds between two looks.
 */
const QUIET_LOOKS = 6
const MOST_LOOKS = 100
const LOOK_MS = 50
/** From this number of milliseconds on, more addresses are not tried. */
const TOO_LONG_MS = 20_000

const orders = JSON.parse(process.argv[2] ?? '{}') as BulkOrders
delete process.env['NODE_OPTIONS']
const vardir = process.env['CTDB_SCRIPT_VARDIR'] ?? ''
const present = new PresentWatch()
const wire = await WireWatch.start(orders.observer)
const daemons = await startDaemons(process.env['CTDB_BASE'] ?? '', wire, orders.also)
const noKeepalived = whyNoKeepalived()
const all: BulkContestant[] = [
  ...daemons,
  ...(noKeepalived === undefined ? [keepalived(present, wire)] : []),
  ...floors(present),
]
const keep = [orders.anchor, present.pid, ...daemons.map(({ pid }) => pid)]
const measured = new Map<string, BulkMeasured>()
const left = new Set<string>(noKeepalived === undefined ? [] : [noKeepalived])

/** The network and the list of hosted addresses at the beginning of the task. */
async function prepare(who: BulkContestant, task: BulkTask, wanted: readonly string[]): Promise<void> {
  await endLeftovers(keep)
  await ipBatch(`addr flush dev eth0 to ${ALL.IPv4}\n`)
  await ipBatch(`addr flush dev eth0 to ${ALL.IPv6}\n`)
  const hosted = task.event === 'releaseip'
  if (hosted) await ipBatch(batch('add', task.family, wanted, task.family === 'IPv6' ? ' nodad' : ''))
  mkdirSync(vardir, { recursive: true })
  const list = hosted ? wanted.map((address) => `${address}\n`).join('') : ''
  writeFileSync(join(vardir, 'my-public-ip-addresses'), list)
  who.configure?.(task, wanted)
  await stillness()
  present.forget()
  wire.forget()
}

/** Late work of a daemon for the last burst, such as rounds of announcements, must not count for the next burst. */
async function stillness(): Promise<void> {
  const pids = daemons.flatMap(({ pid }) => pid ?? [])
  let before = ''
  for (let quiet = 0, looks = 0; quiet < QUIET_LOOKS && looks < MOST_LOOKS; looks += 1) {
    const now = pids.map(ticksOf).join(' ')
    quiet = now === before ? quiet + 1 : 0
    before = now
    await sleep(LOOK_MS)
  }
}

function check(who: BulkContestant, task: BulkTask, wanted: readonly string[], { ok }: Outcome): void {
  const up = upNow(task.family)
  const is = wanted.filter((address) => up.has(address)).length
  const expected = task.event === 'takeip' ? wanted.length : 0
  if (!who.tidies && ok === wanted.length && is !== expected)
    throw new Error(`${task.name}, ${who.name}: said to be done, but ${is} of ${wanted.length} are up`)
}

/** The reason not to request this number of addresses (again), if any. */
function sparedBy(who: BulkContestant, task: BulkTask, size: number): boolean {
  const most = who.most(task)
  if (most === undefined) return true
  if (size > most) {
    left.add(
      `${task.name}, ${who.name}: not tried with more than ${most}, which would all meet the limit of 30 s`,
    )
    return true
  }
  const before = [...measured.values()].filter(
    (each) => each.task === task.name && each.contestant === who.name && each.size <= size,
  )
  for (const { size: other, outcomes } of before)
    for (const { ms, ok } of outcomes) {
      if (other === size && (ok < size || ms > ONCE_MS)) return true
      if (other < size && (ok < other || ms > TOO_LONG_MS)) {
        left.add(
          `${task.name}, ${who.name}: not tried with more than ${other}, which went wrong or took too long`,
        )
        return true
      }
    }
  return false
}

async function once(who: BulkContestant, number: number, task: BulkTask, size: number): Promise<void> {
  const wanted = addresses(task.family, number, size)
  await prepare(who, task, wanted)
  const outcome = await who.burst(task, wanted)
  check(who, task, wanted, outcome)
  const key = `${task.name}/${who.name}/${size}`
  const into = measured.get(key) ?? { task: task.name, contestant: who.name, size, outcomes: [] }
  into.outcomes.push(outcome)
  measured.set(key, into)
}

/** The first calls of a new program are not typical of a daemon that is up for weeks. */
async function warmUp(): Promise<void> {
  for (const task of TASKS)
    for (const [number, who] of all.entries())
      if (who.pid !== undefined && who.most(task) !== undefined) {
        const wanted = addresses(task.family, number, 3)
        await prepare(who, task, wanted)
        await who.burst(task, wanted)
      }
}

async function measure(): Promise<void> {
  await warmUp()
  for (let round = 0; round < orders.rounds; round += 1)
    for (const task of TASKS)
      for (const size of orders.sizes ?? SIZES) {
        process.stderr.write(`round ${round + 1} of ${orders.rounds}: ${task.name}, ${size} …\n`)
        for (const [number, who] of inTurn(all, round))
          if (!sparedBy(who, task, size)) await once(who, number, task, size)
      }
}

try {
  await measure()
  process.stdout.write(
    JSON.stringify({ measured: [...measured.values()], left: [...left] } satisfies BulkResults),
  )
} finally {
  for (const { close } of daemons) await close?.()
  await endLeftovers([orders.anchor, present.pid])
  present.close()
  wire.close()
}
