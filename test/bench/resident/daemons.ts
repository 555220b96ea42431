/** The event daemons that are compared: ours with our script, CTDB's own with CTDB's script, both up all the time. */
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Client } from '../../../runner/eventd/client.ts'
import { EVENTD, startEventd } from '../../lab/ctdb/eventd.ts'
import { builds, type Build } from '../builds.ts'
import { CTDB_SCRIPT } from '../contestants.ts'

export const STOCK = "CTDB's daemon"

/** The number of floods, and the number of events in each. */
export const FLOODS = 5
export const FLOOD = 200
export const IDLE_SECONDS = 10
/** V8 collects garbage once, some 8 s after the last work. That cost belongs to the events. */
export const SETTLE_SECONDS = 15

/** Of new daemons of the same build, in MB: at the start, and after a flood. */
export interface Memory {
  contestant: string
  started: number[]
  flooded: number[]
}

/** Of a single daemon, in MB and ticks. */
export interface Upkeep {
  contestant: string
  started: number
  /**
   * After each flood (all floods follow the timed runs), and the number of events answered a second in each flood.
   */
  flooded: number[]
  perSecond: number[]
  idleTicks: number
  /** After every 20,000 of 100,000 more events, if requested. */
  long: number[]
}

export interface Daemon {
  name: string
  pid: number
  run: (event: string, words: readonly string[]) => Promise<number>
  close: () => Promise<void>
}

/**
 * The installed daemons. The files that CTDB's script needs in its folder are taken from `base`. `also` has another
 * build.
 */
export async function startDaemons(base: string, also?: string): Promise<Daemon[]> {
  const daemons: Daemon[] = []
  for (const build of builds(also)) daemons.push(await startBuild(build, base))
  if (missingStock().length === 0) daemons.push(await start(STOCK, EVENTD, CTDB_SCRIPT, base))
  return daemons
}

export function startBuild({ who, daemon, script }: Build, base: string): Promise<Daemon> {
  return start(`${who}, resident`, daemon, script, base)
}

/** A sentence for each file of CTDB that its daemon needs and that is not installed. */
export function missingStock(): string[] {
  const missing = [EVENTD, CTDB_SCRIPT].filter((path) => !existsSync(path))
  return missing.map((path) => `${STOCK} is left out: ${path} is in the package ctdb`)
}

async function start(name: string, program: string, script: string, base: string): Promise<Daemon> {
  const { dir, socket, pid, close } = await startEventd({ program, parent: process.pid, level: 'NOTICE' })
  symlinkSync(script, join(dir, 'events/legacy/10.interface.script'))
  for (const file of ['functions', 'public_addresses']) symlinkSync(join(base, file), join(dir, file))
  const client = await connect(socket)
  return {
    name,
    pid,
    run: (event, words) => run(client, event, words),
    async close() {
      client.close()
      await close()
    },
  }
}

async function run(client: Client, event: string, words: readonly string[]): Promise<number> {
  const { result } = await client.request({
    kind: 'run',
    component: 'legacy',
    event,
    args: words.join(' '),
    timeout: 30,
    flags: 0,
  })
  return result
}

/** Sends this number of events, fifty under way at a time. */
export async function flood(daemon: Daemon, events: number): Promise<void> {
  let left = events
  const sender = async () => {
    while (left > 0) {
      left -= 1
      const result = await daemon.run('setup', [])
      if (result !== 0) throw new Error(`setup, ${daemon.name}: result ${result}`)
    }
  }
  await Promise.all(Array.from({ length: 50 }, sender))
}

/** VmRSS in MB. */
export function memory({ pid }: Daemon): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000
}
