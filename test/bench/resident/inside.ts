/** The part of the resident bench that runs inside the node's namespace: the event daemons beside each other. */
import { setTimeout as sleep } from 'node:timers/promises'
import { builds, type Build } from '../builds.ts'
import { endLeftovers, inTurn, ticksOf, watched, type Measured } from '../measure.ts'
import { isDone, prepare, RESIDENT_TASKS, type Task } from '../tasks.ts'
import {
  flood,
  FLOOD,
  FLOODS,
  IDLE_SECONDS,
  memory,
  SETTLE_SECONDS,
  startBuild,
  startDaemons,
  type Daemon,
  type Memory,
  type Upkeep,
} from './daemons.ts'

export interface ResidentOrders {
  runs: number
  also?: string
  long: boolean
  /** The process that holds the namespace open. */
  anchor: number
}

/** The result for `resident.ts`. */
export interface ResidentResults {
  events: Measured[]
  upkeep: Upkeep[]
  /**
   * With another build: the memory of daemons that are new each time, because the memory of a single daemon varies by
   * chance.
   */
  memory: Memory[]
}

const orders = JSON.parse(process.argv[2] ?? '{}') as ResidentOrders
delete process.env['NODE_OPTIONS'] // set by the starter of the bench: no measured program may see it
const vardir = process.env['CTDB_SCRIPT_VARDIR'] ?? ''
const base = process.env['CTDB_BASE'] ?? ''
const daemons = await startDaemons(base, orders.also)
const keep = [orders.anchor, ...daemons.map(({ pid }) => pid)]

async function measure(): Promise<ResidentResults> {
  const started = daemons.map(memory)
  const events: Measured[] = []
  for (const task of RESIDENT_TASKS) events.push(...(await measureTask(task)))
  const upkeep = daemons.map(({ name }, i): Upkeep => ({
    contestant: name,
    started: started[i] ?? NaN,
    flooded: [],
    perSecond: [],
    idleTicks: NaN,
    long: [],
  }))
  await floods(upkeep)
  await idle(upkeep)
  const [ours] = daemons
  if (orders.long && ours)
    for (let i = 0; i < 5; i += 1) {
      await flood(ours, 20_000)
      upkeep[0]?.long.push(memory(ours))
    }
  return { events, upkeep, memory: orders.also === undefined ? [] : await memoryOfNew(builds(orders.also)) }
}

async function measureTask(task: Task): Promise<Measured[]> {
  process.stderr.write(`${task.name}, resident …\n`)
  const all = daemons.map(({ name }): Measured => ({ task: task.name, contestant: name, wall: [], late: [] }))
  // The first rounds warm up our compiler, because a daemon is up for weeks.
  for (let run = -5; run < orders.runs; run += 1)
    for (const [i, daemon] of inTurn(daemons, run)) {
      await ready(task, daemon)
      const ms = await once(task, daemon)
      if (run >= 0) all[i]?.wall.push(ms)
    }
  for (const [i, daemon] of daemons.entries()) {
    const into = all[i]
    await ready(task, daemon)
    if (into) into.programs = await watched(daemon.pid, () => once(task, daemon))
  }
  await endLeftovers(keep)
  return all
}

async function ready(task: Task, daemon: Daemon): Promise<void> {
  await endLeftovers(keep)
  prepare(task, daemon.name, vardir)
}

/** Milliseconds of a single round trip. */
async function once(task: Task, daemon: Daemon): Promise<number> {
  const began = performance.now()
  const result = await daemon.run(task.event, task.words)
  const ended = performance.now()
  if (result !== 0 || !isDone(task, daemon.name))
    throw new Error(`${task.name}, ${daemon.name}: result ${result}, not done`)
  return ended - began
}

async function floods(upkeep: readonly Upkeep[]): Promise<void> {
  for (let round = 0; round < FLOODS; round += 1)
    for (const [i, daemon] of inTurn(daemons, round)) {
      const began = performance.now()
      await flood(daemon, FLOOD)
      upkeep[i]?.perSecond.push((FLOOD * 1000) / (performance.now() - began))
      upkeep[i]?.flooded.push(memory(daemon))
    }
}

async function memoryOfNew(all: readonly Build[]): Promise<Memory[]> {
  process.stderr.write('memory of new daemons …\n')
  const of = all.map(({ who }): Memory => ({ contestant: `${who}, resident`, started: [], flooded: [] }))
  for (let round = 0; round < FLOODS; round += 1)
    for (const [i, build] of inTurn(all, round)) {
      const daemon = await startBuild(build, base)
      of[i]?.started.push(memory(daemon))
      await flood(daemon, FLOOD)
      of[i]?.flooded.push(memory(daemon))
      await daemon.close()
    }
  return of
}

/** The usage of each daemon while all of them are idle. */
async function idle(upkeep: readonly Upkeep[]): Promise<void> {
  await sleep(SETTLE_SECONDS * 1000)
  const before = daemons.map(({ pid }) => ticksOf(pid))
  await sleep(IDLE_SECONDS * 1000)
  for (const [i, each] of upkeep.entries())
    each.idleTicks = ticksOf(daemons[i]?.pid ?? NaN) - (before[i] ?? NaN)
}

try {
  process.stdout.write(JSON.stringify(await measure()))
} finally {
  for (const { close } of daemons) await close()
  await endLeftovers([orders.anchor])
}
