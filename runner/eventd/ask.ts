import { createConnection } from 'node:net'
import { connect } from './client.ts'
import type { Activity } from './run/component.ts'
import { activitySocket } from './server/unix-socket.ts'
import { ERRNO, LEGACY, type EventStatus } from './protocol/messages.ts'
import { ctdbPath } from '../node/ctdb-path.ts'
import { Refusal } from '../base/refusal.ts'
import { toBeAllowed } from '../machine/remedy/remedy.ts'
import { inTime } from '../machine/wait.ts'

/** Milliseconds for an answer that costs an event daemon no work. */
const ANSWER_MS = 5000

/** How an event ended last, out of the event daemon: ours or that of CTDB. A Refusal when it has no status, or is silent. */
export async function askStatus(event: string): Promise<EventStatus> {
  const path = await ctdbPath('socket eventd')
  const client = await connect(path)
  try {
    const reply = await inTime(ANSWER_MS, client.request({ kind: 'status', component: LEGACY, event }))
    if (reply === 'late')
      throw new Refusal(`${path}: ${noAnswer(ANSWER_MS)}: the event daemon hangs: see its log`)
    const { result, status } = reply
    if (status) return status
    throw new Refusal(
      result === ERRNO.EINVAL
        ? `Event ${event} has never run in ${LEGACY}`
        : `event ${event} in ${LEGACY}: the event daemon answered ${result}, expected its status`,
    )
  } finally {
    client.close()
  }
}

const noAnswer = (ms: number) => `no answer within ${(ms / 1000).toFixed(1)} s`

/** The present work of each component of our event daemon. */
export type Activities = (Activity & { component: string })[]

/** Our event daemon does not run on this node: that of CTDB may run. */
export class NotRunning extends Refusal {
  override name = 'NotRunning'
}

/** The running and the waiting events of our event daemon. A Refusal when no answer comes within `limitMs`. */
export async function askActivity(limitMs = ANSWER_MS): Promise<Activities> {
  const path = activitySocket(await ctdbPath('socket eventd'))
  const text = await new Promise<string>((resolve, reject) => {
    const socket = createConnection(path)
    let got = ''
    const late = setTimeout(() => socket.destroy(new Error(noAnswer(limitMs))), limitMs)
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (got += chunk))
    socket.on('end', () => resolve(got))
    socket.on('error', (error: NodeJS.ErrnoException) => reject(whyNoActivity(path, error)))
    socket.on('close', () => clearTimeout(late))
  })
  try {
    return JSON.parse(text) as Activities
  } catch {
    throw new Refusal(`${path}: the event daemon said "${text.slice(0, 80)}": expected all of its answer`)
  }
}

function whyNoActivity(path: string, { code, message }: NodeJS.ErrnoException): Refusal {
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new NotRunning(`${path}: ${code}: is eventscript's event daemon running here?`)
    case undefined:
      return new Refusal(`${path}: ${message}: the event daemon hangs: see its log, "eventscript top"`)
    default:
      return new Refusal(
        `${path}: ${code}: expected to be allowed to ask the event daemon: ${toBeAllowed('CAP_DAC_OVERRIDE')}`,
      )
  }
}
