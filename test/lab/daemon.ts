/** Our event daemon on the node of a lab, and its client. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Client } from '../../runner/eventd/client.ts'
import type { Host } from './host/host.ts'
import { DIST, readOr, SCRIPT } from './paths.ts'
import { waitFor } from './wait-for.ts'

type Running = ReturnType<Host['start']>

export class Daemon {
  readonly pid: number
  /** Its exit status. */
  readonly ended: Promise<number | undefined>
  readonly #running: Running
  readonly #client: Client
  readonly #logFile: string

  constructor(running: Running, client: Client, etc: string) {
    this.pid = Number(readFileSync(join(etc, 'run/eventd.pid'), 'utf8'))
    this.ended = running.then(({ exitCode }) => exitCode)
    this.#running = running
    this.#client = client
    this.#logFile = join(etc, 'log')
  }

  /** Ask for an event and give back its result: 0, 8 for a failed script, 110 for one that took too long. */
  async run(event: string, ...words: string[]): Promise<number> {
    return await this.runWithin(30, event, ...words)
  }

  /** The same with a limit in seconds. */
  async runWithin(timeout: number, event: string, ...words: string[]): Promise<number> {
    const args = words.join(' ')
    const question = { kind: 'run', component: 'legacy', event, args, timeout, flags: 0 } as const
    return (await this.#client.request(question)).result
  }

  log(): string {
    return readOr(this.#logFile)
  }

  /** Wait for a line of the log: an answer may come before it is written. */
  async logged(pattern: RegExp): Promise<void> {
    await waitFor(`${pattern} in the log`, () => pattern.test(this.log()))
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#client.close()
    process.kill(this.pid, signal)
    await this.#running
  }
}

/** It ends with the lab, and with `parent`, which stands for ctdbd. `etc` is its CTDB_BASE. */
export async function startDaemon(node: Host, etc: string, parent: number): Promise<Daemon> {
  furnish(etc)
  const log = () => readOr(join(etc, 'log'))
  const before = log().length
  const running = node.start('env', 'CTDB_TEST_MODE=yes', join(DIST, 'ctdb-eventd'), '-P', String(parent))
  let over: string | undefined
  void running.then(({ stderr }) => (over = stderr))
  await waitFor('the event daemon', () => {
    if (over !== undefined) throw new Error(`the event daemon has ended: ${over}`)
    return log().slice(before).includes('listening on')
  })
  return new Daemon(running, await connect(join(etc, 'run/eventd.socket')), etc)
}

/** Its folders, 10.interface in them, and where its log goes. */
function furnish(etc: string): void {
  for (const folder of ['run', 'events/legacy', 'share/events/legacy'])
    mkdirSync(join(etc, folder), { recursive: true })
  const conf = join(etc, 'ctdb.conf')
  const more = readOr(conf)
  writeFileSync(conf, `${more}[logging]\n  location = file:${etc}/log\n  log level = NOTICE\n`)
  const link = join(etc, 'events/legacy/10.interface.script')
  if (!existsSync(link)) symlinkSync(SCRIPT, link)
}
