/** The event daemons beside each other: round trips over the socket, then what they cost while nothing happens. */
import { setTimeout as sleep } from 'node:timers/promises'
import { flood, memory, startDaemons, type Daemon } from './daemons.ts'
import type { Measured } from './measure.ts'
import { endLeftovers, ticksOf, watched } from './measure.ts'
import { isDone, prepare, RESIDENT_TASKS, type Task } from './tasks.ts'

/** Of one daemon, in MB and ticks. */
export interface Upkeep {
  contestant: string
  started: number
  /** After all that was timed and EVENTS more. */
  used: number
  idleTicks: number
  /** After every 20,000 of 100,000 more, if that was wanted. */
  long: number[]
}

export const EVENTS = 1000
export const IDLE_SECONDS = 10
/** V8 tidies up once, some 8 s after the last work; that belongs to the events. */
export const SETTLE_SECONDS = 15

export interface Surroundings {
  runs: number
  long: boolean
  /** Processes of the namespace that stay. */
  keep: readonly (number | undefined)[]
  base: string
  vardir: string
}

export async function measureResident(at: Surroundings): Promise<{ resident: Measured[]; upkeep: Upkeep[] }> {
  const daemons = await startDaemons(at.base)
  try {
    const started = daemons.map(memory)
    const resident: Measured[] = []
    for (const task of RESIDENT_TASKS) resident.push(...(await measureTask(at, daemons, task)))
    for (const daemon of daemons) await flood(daemon, EVENTS)
    const used = daemons.map(memory)
    const idleTicks = await idle(daemons)
    const upkeep = daemons.map(({ name }, i): Upkeep => ({
      contestant: name,
      started: started[i] ?? NaN,
      used: used[i] ?? NaN,
      idleTicks: idleTicks[i] ?? NaN,
      long: [],
    }))
    const [ours] = daemons
    if (at.long && ours)
      for (let i = 0; i < 5; i += 1) {
        await flood(ours, 20_000)
        upkeep[0]?.long.push(memory(ours))
      }
    return { resident, upkeep }
  } finally {
    for (const daemon of daemons) await daemon.close()
  }
}

async function measureTask(at: Surroundings, daemons: readonly Daemon[], task: Task): Promise<Measured[]> {
  process.stderr.write(`${task.name}, resident …\n`)
  const keep = [...at.keep, ...daemons.map(({ pid }) => pid)]
  const ready = async (daemon: Daemon) => {
    await endLeftovers(keep)
    prepare(task, daemon.name, at.vardir)
  }
  const once = async (daemon: Daemon) => {
    const began = performance.now()
    const result = await daemon.run(task.event, task.words)
    const ended = performance.now()
    if (result !== 0 || !isDone(task, daemon.name))
      throw new Error(`${task.name}, ${daemon.name}: result ${result}, not done`)
    return ended - began
  }
  const all = daemons.map(({ name }): Measured => ({ task: task.name, contestant: name, wall: [], late: [] }))
  // the first rounds warm our compiler up: a daemon is up for weeks
  for (let run = -5; run < at.runs; run += 1)
    for (const [i, daemon] of daemons.entries()) {
      await ready(daemon)
      const ms = await once(daemon)
      if (run >= 0) all[i]?.wall.push(ms)
    }
  for (const [i, daemon] of daemons.entries()) {
    const into = all[i]
    await ready(daemon)
    if (into) into.programs = await watched(daemon.pid, () => once(daemon))
  }
  await endLeftovers(keep)
  return all
}

/** What each uses while all of them have nothing to do. */
async function idle(daemons: readonly Daemon[]): Promise<number[]> {
  await sleep(SETTLE_SECONDS * 1000)
  const before = daemons.map(({ pid }) => ticksOf(pid))
  await sleep(IDLE_SECONDS * 1000)
  return daemons.map((daemon, i) => ticksOf(daemon.pid) - (before[i] ?? NaN))
}
