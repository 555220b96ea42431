import { rmSync } from 'node:fs'
import { constants } from 'node:os'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { ProcessWatch } from './process/ctdbd-watch.ts'
import type { EventsAtOnce } from './conf/events-at-once.ts'
import type { Log } from './conf/log.ts'
import type { RunHistory } from './run/run-history.ts'
import type { EventServer } from './server/server.ts'

export interface DaemonParts {
  log: Log
  server: EventServer
  history: RunHistory
  pidFile: string
  eventsAtOnce: EventsAtOnce
  /** The watch on ctdbd; undefined for a daemon without one. */
  ctdbd: ProcessWatch | undefined
  /** The work that remains when ctdbd is gone or goes with us, named by these words. Never rejects. */
  lastAct: (ctdbd: string) => Promise<void>
}

/** The exit status when ctdbd is gone (event/event_daemon.c of CTDB 4.17). */
const PARENT_GONE = 3

/** Milliseconds for our end, whatever hangs: the next daemon waits a little longer (PATIENCE_MS in pid-file.ts). */
const MOST_MS = 8000
/** Milliseconds for the last lines, and the last runs: a dead disk must not keep us. */
const LOG_MS = 500

/** The life of the daemon after its start: signals, the end of ctdbd, its own end. */
export class EventDaemon {
  readonly #parts: DaemonParts
  #isEnding = false

  constructor(parts: DaemonParts) {
    this.#parts = parts
  }

  /** Obey signals from now on, and end after ctdbd. */
  live(): void {
    this.#parts.ctdbd?.start(() => void this.#followCtdbd())
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#obey(signal))
    process.on('SIGHUP', () => this.#reopenLog())
    process.on('SIGUSR1', () => void this.#reconfigure())
  }

  #obey(signal: 'SIGTERM' | 'SIGINT'): void {
    this.#parts.log.write('NOTICE', `Received signal ${constants.signals[signal]}`)
    void this.#end(0)
  }

  #reopenLog(): void {
    const { log } = this.#parts
    log.reopen()
    log.write('NOTICE', 'reopen logs completed successfully')
  }

  async #reconfigure(): Promise<void> {
    const { log, eventsAtOnce } = this.#parts
    await eventsAtOnce.read()
    log.write('NOTICE', 'reconfigure completed successfully')
  }

  /** A SIGTERM that ctdbd sent just before its end stands in line after this look: it ends us without a word. */
  async #followCtdbd(): Promise<void> {
    await nextTurn()
    await nextTurn()
    if (this.#isEnding) return
    const { log, ctdbd } = this.#parts
    log.write('ERROR', `PID ${ctdbd?.pid} gone away, exiting`)
    await this.#end(PARENT_GONE)
  }

  async #end(status: number): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    const { log, server, history, pidFile } = this.#parts
    log.write('NOTICE', 'Shutting down')
    await this.#actLast(status)
    await Promise.race([server.close(), sleep(MOST_MS)])
    await Promise.race([history.write(), sleep(LOG_MS)])
    rmSync(pidFile, { force: true })
    await Promise.race([log.close(), sleep(LOG_MS)])
    process.exit(status)
  }

  /** Whoever ends us before the shutdown event ends ctdbd too: ctdbd goes when we go, and leaves its addresses. */
  async #actLast(status: number): Promise<void> {
    const { server, ctdbd, lastAct } = this.#parts
    const isGone = ctdbd?.isGone() ?? false
    if (!ctdbd || (!isGone && server.wasShutDown())) return
    setTimeout(() => process.exit(status), MOST_MS)
    await lastAct(`ctdbd (pid ${ctdbd.pid}) ${isGone ? 'is gone' : 'goes with us'}`)
  }
}
