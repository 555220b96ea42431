/** The two ways in which an event is run: a script after the other, as by CTDB's daemon, and by ours. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from '../lab/daemon.ts'
import type { Lab } from '../lab/lab.ts'
import { DIST } from '../lab/paths.ts'

export const HANDLERS = ['10.interface', '11.routing', '13.per_ip_routing']
export const HANDLERS_WITH_LVS = [...HANDLERS, '91.lvs']

/** Seconds until an event is ended in which something hangs, and until one is that nothing disturbs. */
const SECONDS = { disturbed: 2, calm: 60 }

export interface Runner {
  /** Undefined when the event has succeeded, else what was said of it. */
  run: (words: readonly string[], how: keyof typeof SECONDS) => Promise<string | undefined>
  /** The processes that may be there between two events. */
  own: () => number[]
  close: () => Promise<void>
}

/** Scripts one after the other, until one fails. At the end of its time all of the script's process group is killed. */
export function oneShot(lab: Lab, handlers: readonly string[]): Runner {
  return {
    async run(words, how) {
      for (const name of handlers) {
        const script = join(DIST, `events.d/${name}.script`)
        const { status, out, err } = await lab.node.run(
          'timeout',
          '-s',
          'KILL',
          String(SECONDS[how]),
          script,
          ...words,
        )
        if (status !== 0) return `${name} ended with ${status}: ${out}${err}`
      }
      return undefined
    },
    own: () => [],
    close: () => Promise.resolve(),
  }
}

export async function resident(lab: Lab, handlers: readonly string[]): Promise<Runner> {
  const folder = join(lab.dir, 'etc/events/legacy')
  mkdirSync(folder, { recursive: true })
  for (const name of handlers)
    symlinkSync(join(DIST, `events.d/${name}.script`), join(folder, `${name}.script`))
  const daemon: Daemon = await lab.daemon()
  return {
    async run([event = '', ...words], how) {
      const before = daemon.log().length
      const result = await daemon.runWithin(SECONDS[how], event, ...words)
      return result === 0 ? undefined : `result ${result}: ${daemon.log().slice(before)}`
    },
    own: () => [daemon.pid],
    close: () => daemon.kill('SIGTERM'),
  }
}
