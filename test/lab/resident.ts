/** Our event daemon on the node of a lab, and its clients. */
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTo } from '../../runner/eventd/client.ts'
import { DIST, SCRIPT, type Lab } from './lab.ts'
import { waitFor } from './support.ts'

export interface Resident {
  /** Ask for an event and give back its result: 0, 8 for a failed script, 110 for one that took too long. */
  run: (event: string, ...words: string[]) => Promise<number>
  /** The same with a limit in seconds. */
  runWithin: (seconds: number, event: string, ...words: string[]) => Promise<number>
  log: () => string
  /** Wait for a line of the log: an answer may come before it is written. */
  logged: (pattern: RegExp) => Promise<void>
  pid: number
  kill: (signal: NodeJS.Signals) => Promise<void>
  /** Its exit status. */
  ended: Promise<number | undefined>
}

/** It ends with the lab, and with `parent`, which stands for ctdbd. */
export async function startResident(lab: Lab, settings = '', parent = 0): Promise<Resident> {
  const etc = join(lab.dir, 'etc')
  for (const folder of ['run', 'events/legacy', 'share/events/legacy'])
    mkdirSync(join(etc, folder), { recursive: true })
  const more = existsSync(join(etc, 'ctdb.conf')) ? readFileSync(join(etc, 'ctdb.conf'), 'utf8') : ''
  lab.configure('ctdb.conf', `${more}[logging]\n  location = file:${etc}/log\n  log level = NOTICE\n`)
  if (settings !== '') lab.configure('script.options', settings)
  const link = join(etc, 'events/legacy/10.interface.script')
  if (!existsSync(link)) symlinkSync(SCRIPT, link)
  const daemon = lab.node.start('env', 'CTDB_TEST_MODE=yes', join(DIST, 'ctdb-eventd'), '-P', String(parent))
  const log = () => (existsSync(join(etc, 'log')) ? readFileSync(join(etc, 'log'), 'utf8') : '')
  const before = log().length
  let over: string | undefined
  void daemon.then(({ stderr }) => (over = String(stderr)))
  await waitFor('the event daemon', () => {
    if (over !== undefined) throw new Error(`the event daemon has ended: ${over}`)
    return log().slice(before).includes('listening on')
  })
  const client = await connectTo(join(etc, 'run/eventd.socket'))
  const runWithin = async (timeout: number, event: string, ...words: string[]) => {
    const args = words.join(' ')
    const { result } = await client.request({
      kind: 'run',
      component: 'legacy',
      event,
      args,
      timeout,
      flags: 0,
    })
    return result
  }
  const pid = Number(readFileSync(join(etc, 'run/eventd.pid'), 'utf8'))
  return {
    ended: daemon.then(({ exitCode }) => exitCode),
    runWithin,
    run: (event, ...words) => runWithin(30, event, ...words),
    log,
    logged: (pattern) => waitFor(`${pattern} in the log`, () => pattern.test(log())),
    pid,
    async kill(signal) {
      client.close()
      process.kill(pid, signal)
      await daemon
    },
  }
}

/** So many addresses of one family, none of which the lab uses itself. */
export function manyAddresses(family: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    family === 'IPv4' ? `10.0.0.${i + 101}` : `fd00::${(i + 0x101).toString(16)}`,
  )
}
