/** The event daemons that are compared: ours with our script, CTDB's own with CTDB's script, both up all the time. */
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Client } from '../../../runner/eventd/client.ts'
import { EVENTD, startEventd } from '../../lab/eventd.ts'
import { DIST, SCRIPT } from '../../lab/lab.ts'
import { CTDB_SCRIPT, OURS } from '../contestants.ts'

export const STOCK = "CTDB's daemon"

export interface Daemon {
  name: string
  pid: number
  run: (event: string, words: readonly string[]) => Promise<number>
  close: () => Promise<void>
}

/** Those that are installed. What CTDB's script needs in its folder is taken from `base`. */
export async function startDaemons(base: string): Promise<Daemon[]> {
  const daemons = [await start(`${OURS}, resident`, join(DIST, 'ctdb-eventd'), SCRIPT, base)]
  if (existsSync(EVENTD) && existsSync(CTDB_SCRIPT))
    daemons.push(await start(STOCK, EVENTD, CTDB_SCRIPT, base))
  return daemons
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

/** So many events, fifty on their way at a time. */
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
