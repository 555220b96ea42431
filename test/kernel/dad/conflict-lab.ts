/** What tests of conflicts share: the two ways in which an event is run, and the host that has the address. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '../../lab/host/host.ts'
import { lines } from '../../lab/host/namespace.ts'
import type { Lab } from '../../lab/lab.ts'
import { programPath } from '../../lab/needs.ts'
import { waitFor } from '../../lab/wait-for.ts'

/** Does events with our script, one process each, or in one resident daemon. */
export interface Runner {
  /** Its exit status or result, and what was said. */
  run: (event: string, ...words: string[]) => Promise<{ ok: boolean; said: string[] }>
  /** What was said after events, so far. */
  log: () => string
}

export const WAYS: readonly { way: string; start: (lab: Lab, options: string) => Promise<Runner> }[] = [
  {
    way: 'script',
    start(lab, options) {
      lab.configure('script.options', options)
      const file = join(lab.dir, 'log')
      writeFileSync(file, '')
      lab.standIn('logger', `echo "$*" >>'${file}'`)
      return Promise.resolve({
        async run(...words) {
          const result = await lab.script(...words)
          return { ok: result.status === 0, said: lines(result) }
        },
        log: () => readFileSync(file, 'utf8'),
      })
    },
  },
  {
    way: 'daemon',
    async start(lab, options) {
      const daemon = await lab.daemon(options)
      return {
        async run(event, ...words) {
          const before = daemon.log().length
          const result = await daemon.run(event, ...words)
          // the log may come a moment after the answer
          await waitFor('the log', async () => {
            const length = daemon.log().length
            await new Promise((resolve) => setTimeout(resolve, 100))
            return daemon.log().length === length
          })
          const said = [
            ...daemon
              .log()
              .slice(before)
              .matchAll(/: 10\.interface: (.*)/g),
          ].map(([, line = '']) => line)
          return { ok: result === 0, said }
        },
        log: () => daemon.log(),
      }
    },
  },
]

/** A host outside of the cluster that has the address. */
export async function rivalWith(lab: Lab, ip: string, bits: string): Promise<{ host: Host; mac: string }> {
  // who has no address yet cannot ask either
  await lab.node.calm()
  const host = await lab.plugIn('rival')
  await host.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', 'eth0', ...(ip.includes(':') ? ['nodad'] : []))
  await waitFor('the rival to answer', () => lab.observer.reaches(ip))
  return { host, mac: await host.macOf('eth0') }
}

/** The lines of the list of parked addresses. */
export const parkedLines = (lab: Lab) => {
  const file = join(lab.dir, 'eventscript/parked')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}

/** Nobody on this node finds perl. */
export async function withoutPerl({ node }: Lab): Promise<void> {
  const perl = programPath('perl')
  if (perl !== undefined) await node.must('mount', '--bind', '/dev/null', perl)
}
