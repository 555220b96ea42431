import { createConnection } from 'node:net'
import { join } from 'node:path'
import { connect } from '../daemon/client.ts'
import type { Activity } from '../daemon/component.ts'
import { pathsOf } from '../daemon/conf.ts'
import { ACTIVITY_SOCKET } from '../daemon/server.ts'
import type { EventStatus } from '../daemon/wire.ts'
import { Refusal } from '../refusal.ts'

/** The component whose scripts CTDB runs. */
const COMPONENT = 'legacy'

/** How an event ended last, as the event daemon has it: ours or CTDB's own. */
export async function askStatus(event: string): Promise<EventStatus> {
  const client = await connect(join(pathsOf(process.env).run, 'eventd.socket'))
  try {
    const { result, status } = await client.request({ kind: 'status', component: COMPONENT, event })
    if (status) return status
    throw new Refusal(
      result === 22
        ? `Event ${event} has never run in ${COMPONENT}`
        : `event ${event} in ${COMPONENT}: the event daemon answered ${result}, expected its status`,
    )
  } finally {
    client.close()
  }
}

/** What our event daemon is running, and what waits. */
export async function askActivity(): Promise<(Activity & { component: string })[]> {
  const path = join(pathsOf(process.env).run, ACTIVITY_SOCKET)
  const text = await new Promise<string>((resolve, reject) => {
    const socket = createConnection(path)
    let got = ''
    socket.setEncoding('utf8')
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer within 5 s')))
    socket.on('data', (chunk: string) => (got += chunk))
    socket.on('end', () => resolve(got))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Refusal(`${path}: ${error.code ?? error.message}: is eventscript's event daemon running here?`),
      ),
    )
  })
  return JSON.parse(text) as (Activity & { component: string })[]
}
