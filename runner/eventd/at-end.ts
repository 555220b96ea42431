/** How the event daemon ends, and what it does before when ctdbd has not shut down. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Facts } from '../node/settings.ts'
import { countsText, lastAct } from './last-act/release-everything.ts'
import type { System } from '../machine/machine.ts'
import { live } from '../machine/live.ts'
import type { Conf } from './conf.ts'
import { withStack, type Log } from './log.ts'
import type { EventServer } from './server/server.ts'
import { linesOf } from './status.ts'

export interface Ending {
  log: Log
  facts: Facts
  conf: Conf
  own: string
  server: EventServer
}

/** Milliseconds for the events that run to end: they are killed, but one may be putting an address back. */
const STOP_MS = 1000
/**
 * Milliseconds for the last act. With ending the events before, and half a second in which a program is ended that hangs,
 * this is less than MOST_MS (start.ts), after which we are gone.
 */
const LAST_ACT_MS = 6000

/** Take no more events, end those that run, and let go of the addresses. Never rejects. */
export async function endWithout(ctdbd: string, { log, facts, conf, own, server }: Ending): Promise<void> {
  const began = performance.now()
  await Promise.race([server.stop(), sleep(STOP_MS)])
  // as ctdbd has read it, at its start
  if (conf.failoverDisabled)
    return log.write('NOTICE', `${ctdbd}: [failover] disabled = true: addresses are left as they are`)
  try {
    const act = await lastAct({
      facts,
      own,
      ms: LAST_ACT_MS,
      // helpers that stay are fast with hundreds of addresses, but systemd may just have sent them a SIGTERM
      machines: [(signal) => server.system(signal), (signal): System => live({ signal, atOnce: () => true })],
      ended(handler) {
        for (const line of linesOf(handler)) log.write('ERROR', `${handler.name}: ${line}`)
      },
    })
    const ms = Math.round(performance.now() - began)
    const done = countsText(act)
    log.write(
      done === '' ? 'NOTICE' : 'ERROR',
      `${ctdbd}: last act: ${done || 'no public address was left here'} (${ms} ms)`,
    )
    for (const { text, remedy, unseen } of act.left) {
      const meaning = unseen ? 'look with' : 'no other node can have it:'
      log.write('ERROR', `${ctdbd}: last act: ${text}: ${meaning} "${remedy}"`)
    }
  } catch (error) {
    log.write(
      'ERROR',
      `${ctdbd}: last act: ${withStack(error)}: "eventscript cleanup" drops the public addresses`,
    )
  }
}
