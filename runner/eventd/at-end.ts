/** The work before the end of the event daemon when ctdbd has not shut down. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Facts } from '../node/facts.ts'
import { countsText, lastAct, type LastAct } from './last-act/release-everything.ts'
import { live } from '../machine/live/live.ts'
import type { Conf } from './conf/conf.ts'
import type { Log } from './conf/log.ts'
import { withStack } from '../base/refusal.ts'
import type { EventServer } from './server/server.ts'
import { linesOf } from './run/event-status.ts'

export interface Ending {
  log: Log
  facts: Facts
  conf: Conf
  /** The folder with our own handlers. */
  own: string
  server: EventServer
}

/** Milliseconds for the running events to end: they are killed, but one may be putting an address back. */
const STOP_MS = 1000
/**
 * Milliseconds for the last act. With the end of the events before, and the half second after which a hanging program is
 * killed, this is less than MOST_MS (daemon.ts), after which the daemon has gone.
 */
const LAST_ACT_MS = 6000

/**
 * Accept no more events, end those that run, and let go of the addresses. `ctdbd` says why: `ctdbd (pid 12) is gone`.
 * Never rejects.
 */
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
      // the resident helpers are fast with hundreds of addresses, but systemd may just have sent them a SIGTERM
      machines: [(signal) => server.system(signal), (signal) => live({ signal, atOnce: () => true })],
      ended(handler) {
        for (const line of linesOf(handler)) log.write('ERROR', `${handler.name}: ${line}`)
      },
    })
    report(log, ctdbd, act, performance.now() - began)
  } catch (error) {
    const remedy = '"eventscript cleanup" drops the public addresses'
    log.write('ERROR', `${ctdbd}: last act: ${withStack(error)}: ${remedy}`)
  }
}

function report(log: Log, ctdbd: string, act: LastAct, ms: number): void {
  const done = countsText(act)
  const what = `${done || 'no public address was left here'} (${Math.round(ms)} ms)`
  log.write(done === '' ? 'NOTICE' : 'ERROR', `${ctdbd}: last act: ${what}`)
  for (const { text, remedy, unseen } of act.left) {
    const meaning = unseen ? 'look with' : 'no other node can have it:'
    log.write('ERROR', `${ctdbd}: last act: ${text}: ${meaning} "${remedy}"`)
  }
}
