/** A node of a lab whose ctdbd is about to die. */
import { join } from 'node:path'
import type { Test } from '../../tap.ts'
import type { Daemon } from '../../lab/daemon.ts'
import { FAMILIES } from '../../lab/families.ts'
import type { Lab } from '../../lab/lab.ts'
import { isAlive } from '../../lab/processes.ts'
import { waitFor } from '../../lab/wait-for.ts'

/** The words of a takeip for each family. */
export const WORDS = FAMILIES.map(({ ip, bits }) => ['eth0', ip, bits])

export interface Ctdbd {
  pid: number
  kill: (signal: NodeJS.Signals) => void
}

/** Stands for ctdbd: keeps one connection to the event daemon for as long as it lives. */
export function startCtdbd(lab: Lab): Ctdbd & { connected: () => Promise<void> } {
  const socket = join(lab.dir, 'etc/run/eventd.socket')
  const program = `const go = () => require('net').connect('${socket}')
    .on('connect', () => console.log('connected')).on('error', () => setTimeout(go, 20)); go(); setInterval(() => {}, 1e6)`
  const { child, text } = lab.node.listen(process.execPath, '-e', program)
  return {
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    connected: () => waitFor('the connection', () => text().includes('connected')),
  }
}

export async function start(lab: Lab, settings = '') {
  const ctdbd = startCtdbd(lab)
  const daemon = await lab.daemon(settings, ctdbd.pid)
  await ctdbd.connected()
  return { ctdbd, daemon }
}

export async function takeAll(t: Test, lab: Lab, daemon: Daemon): Promise<void> {
  t.strictSame(await Promise.all(WORDS.map((words) => daemon.run('takeip', ...words))), [0, 0])
  t.strictSame(await held(lab), ['eth0/24', 'eth0/64'])
}

/** A node that has them all. */
export async function hosting(t: Test, lab: Lab, settings = '') {
  const both = await start(lab, settings)
  await takeAll(t, lab, both.daemon)
  return both
}

/** SIGTERM ends the daemon although an event hangs, and no address stays. */
export async function endsAtSigterm(t: Test, lab: Lab, daemon: Daemon): Promise<void> {
  void daemon.runWithin(60, 'monitor').catch(() => {})
  process.kill(daemon.pid, 'SIGTERM')
  await daemon.ended
  t.notOk(isAlive(daemon.pid))
  t.strictSame(await held(lab), [])
}

export async function held({ node }: Lab): Promise<string[]> {
  return (await Promise.all(FAMILIES.map(({ ip }) => node.places(ip)))).flat()
}

/** Milliseconds until the node holds no public address. */
export async function untilGone(lab: Lab): Promise<number> {
  const began = performance.now()
  await waitFor('the addresses to go', async () => (await held(lab)).length === 0)
  return Math.round(performance.now() - began)
}
