import {
  closeSync,
  constants as flags,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { factsHere, loadSettings, mustHaveProc, type Facts } from '../node/settings.ts'
import { completeEnvironment, ctdbPath } from '../node/ctdb-path.ts'
import { Refusal, Usage } from '../base/refusal.ts'
import { doorTo } from '../machine/machine.ts'
import { LockBusy } from '../machine/errors.ts'
import { live } from '../machine/live.ts'
import { lockPidFile } from './pid-file.ts'
import { readConf } from './conf.ts'
import { endWithout } from './at-end.ts'
import { openLog, type Log } from './log.ts'
import { parentOf, watch } from './ctdbd-watch.ts'
import { describe, serve } from './server/server.ts'
import { speakTo } from '../machine/remedy.ts'

export interface StartOptions {
  /** The daemon that we belong to: when it is gone we go. */
  pid?: number
  /** A descriptor on which to say that we are up. */
  startupFd?: number
  announcer: string
  own: string
}

/** The value of an option that takes a number; Usage for anything else. */
export function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d+$/.test(text)) throw new Usage(`--${name} ${text}: expected a number`)
  return text === undefined ? undefined : Number(text)
}

/** What ctdb-eventd exits with (contract, 10). */
const ALREADY_RUNS = 17
const PARENT_GONE = 3
const BAD_CONFIGURATION = 22

/** Whatever hangs, we are gone before the next daemon gives up waiting for us (claim.ts). */
const MOST_MS = 8000

/**
 * Be CTDB's event daemon until told otherwise. The order is ctdb-eventd's own: configuration, log, pid file, signals,
 * socket, then four zero bytes on the descriptor. ctdbd dies at once when that descriptor is closed or written to again.
 */
export async function startEventDaemon({ pid, startupFd, announcer, own }: StartOptions): Promise<void> {
  let up, conf, config, pidFile, socket
  try {
    mustHaveProc()
    up = startupFd === undefined ? undefined : privately(startupFd)
    closeInherited(up)
    await completeEnvironment()
    config = await ctdbPath('config')
    pidFile = await ctdbPath('pidfile eventd')
    socket = await ctdbPath('socket eventd')
    conf = readConf(config, process.env)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    process.stderr.write(`ctdb-eventd: ${error.message}\n`)
    process.exit(BAD_CONFIGURATION)
  }
  const log = openLog(conf)
  neverFallOver(log)
  await claim(pidFile, log)
  log.write('NOTICE', `daemon started, pid=${process.pid}`)
  log.write('NOTICE', 'startup completed successfully')
  const facts = factsHere(announcer)
  speakTo(facts.reader)
  let atOnce = await eventsAtOnce(facts, log)
  const parent = pid !== undefined && pid > 1 ? parentOf(pid) : undefined
  let hungUp = () => {}
  const clientGone = () => hungUp()
  const server = await serve({
    etc: dirname(config),
    socket,
    conf,
    log,
    facts,
    own,
    atOnce: () => atOnce,
    clientGone,
  })
  log.write('NOTICE', `listening on ${socket}`)

  let ending = false
  const end = async (status: number) => {
    if (ending) return
    ending = true
    log.write('NOTICE', 'Shutting down')
    const isGone = parent?.isGone() ?? false
    // whoever ends us before ctdbd's shutdown event ends ctdbd too: it goes when we do, and leaves its addresses
    if (parent && (isGone || !server.wasShutDown())) {
      setTimeout(() => process.exit(status), MOST_MS)
      const ctdbd = `ctdbd (pid ${parent.pid}) ${isGone ? 'is gone' : 'goes with us'}`
      await endWithout(ctdbd, { log, facts, conf, own, server })
    }
    await Promise.race([server.close(), sleep(MOST_MS)])
    rmSync(pidFile, { force: true })
    // a log on a dead disk must not keep us
    await Promise.race([log.close(), sleep(500)])
    process.exit(status)
  }
  /** Told by a SIGTERM that came just before it went, we go without a word: it stands in line behind this. */
  async function whenGone(): Promise<void> {
    await nextTurn()
    await nextTurn()
    if (ending) return
    log.write('ERROR', `PID ${parent?.pid} gone away, exiting`)
    await end(PARENT_GONE)
  }
  if (parent) hungUp = watch(parent, () => void whenGone()).look
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      log.write('NOTICE', `Received signal ${constants.signals[signal]}`)
      void end(0)
    })
  process.on('SIGHUP', () => {
    log.reopen()
    log.write('NOTICE', 'reopen logs completed successfully')
  })
  const reconfigure = async () => {
    atOnce = await eventsAtOnce(facts, log)
    log.write('NOTICE', 'reconfigure completed successfully')
  }
  process.on('SIGUSR1', () => void reconfigure())
  if (up !== undefined) writeSync(up, Buffer.alloc(4))
}

/**
 * The same pipe under a descriptor that our children do not inherit: one of them holding it open would keep ctdbd from
 * noticing our end. node cannot set close-on-exec, but opens every file with it.
 */
function privately(fd: number): number {
  try {
    // not to wait for a reader: ctdbd may have died meanwhile
    const own = openSync(`/proc/self/fd/${fd}`, flags.O_WRONLY | flags.O_NONBLOCK)
    closeSync(fd)
    return own
  } catch {
    return fd // a socket cannot be opened so; ctdbd uses a pipe
  }
}

/** What ctdbd has left open for us by accident would go on to every script: node's own descriptors close on exec. */
function closeInherited(keep: number | undefined): void {
  const CLOEXEC = 0o2000000
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    if (fd < 3 || fd === keep) continue
    try {
      const open = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
      if ((parseInt(open, 8) & CLOEXEC) === 0 && readlinkSync(`/proc/self/fd/${fd}`)) closeSync(fd)
    } catch {
      // it was that of the folder we are reading
    }
  }
}

/** How many events that move addresses may run at once, out of script.options; 1 where that cannot be read. */
async function eventsAtOnce(facts: Facts, log: Log): Promise<number> {
  try {
    const settings = await loadSettings(doorTo(live()), facts, 'eventd')
    for (const warning of settings.warnings) log.write('WARNING', warning)
    return settings.option('EVENTSCRIPT_EVENTS_AT_ONCE')
  } catch (error) {
    log.write('ERROR', `events run one at a time: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
}

/** What would unlock the pid file: held on to, or the descriptor would be closed when its owner is collected. */
const keepLocked: unknown[] = []

async function claim(pidFile: string, log: Log): Promise<void> {
  try {
    const waits = (owner: number) =>
      log.write(
        'NOTICE',
        `pid ${owner} is still letting go of the addresses of the ctdbd before: waiting for it`,
      )
    keepLocked.push(await lockPidFile(pidFile, waits))
    writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    log.write(
      'ERROR',
      error instanceof LockBusy ? `another event daemon runs here: ${error.message}` : describe(error),
    )
    process.stderr.write(`ctdb-eventd: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(ALREADY_RUNS)
  }
}

/** Our death is ctdbd's, and strands the addresses: whatever goes wrong in one event, the next must still run. */
function neverFallOver(log: Log): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  process.on('uncaughtException', (error) =>
    log.write('ERROR', `defect, please report it: ${describe(error)}`),
  )
  process.on('unhandledRejection', (error) =>
    log.write('ERROR', `defect, please report it: ${describe(error)}`),
  )
}
