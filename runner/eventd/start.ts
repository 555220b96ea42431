import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { factsHere, mustHaveProc } from '../node/facts.ts'
import { completeEnvironment, ctdbPath, keepdirOf, vardirOf } from '../node/ctdb-path.ts'
import { Refusal, Usage, withStack } from '../base/refusal.ts'
import { visible } from '../base/visible.ts'
import { keepStatePrivate } from '../machine/files/readers.ts'
import { LockBusy } from '../machine/errors.ts'
import { speakTo } from '../machine/remedy/remedy.ts'
import { endWithout } from './at-end.ts'
import { readConf, type Conf } from './conf/conf.ts'
import { ProcessWatch } from './process/ctdbd-watch.ts'
import { EventDaemon } from './daemon.ts'
import { closeInherited, reopenPrivately, reportUp } from './process/descriptors.ts'
import { EventsAtOnce } from './conf/events-at-once.ts'
import { Log } from './conf/log.ts'
import { lockPidFile } from './process/pid-file.ts'
import { RunHistory } from './run/run-history.ts'
import { serve } from './server/server.ts'
import { keepRunsInThreads } from '../engine/history/keep.ts'
import { historyFile } from '../engine/history/run.ts'

export interface StartOptions {
  /** The pid of ctdbd: the daemon ends after it. */
  pid?: number
  /** The descriptor on which ctdbd waits until the daemon is up. */
  startupFd?: number
  /** The program that announces addresses in the background. */
  announcer: string
  /** The folder with our own handlers. */
  own: string
}

/** The value of an option that takes a number; Usage for any other text. */
export function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d+$/.test(text)) throw new Usage(`--${name} ${text}: expected a number`)
  return text === undefined ? undefined : Number(text)
}

/** Exit statuses of ctdb-eventd, EEXIST and EINVAL (event/event_daemon.c of CTDB 4.17). */
const ALREADY_RUNS = 17
const BAD_CONFIGURATION = 22

/**
 * Be CTDB's event daemon until a signal or the end of ctdbd. The order is that of event/event_daemon.c of CTDB 4.17:
 * configuration, log, pid file, signals, socket, then four zero bytes on the descriptor.
 */
export async function startEventDaemon({ pid, startupFd, announcer, own }: StartOptions): Promise<void> {
  const { up, config, pidFile, socket, conf, unread } = await prepared(startupFd).catch(exitUnconfigured)
  const log = new Log(conf)
  surviveDefects(log)
  if (unread !== undefined) log.write('WARNING', `${unread}: going by CTDB's defaults, as ctdbd does`)
  await takePidFile(pidFile, log)
  log.write('NOTICE', `daemon started, pid=${process.pid}`)
  log.write('NOTICE', 'startup completed successfully')
  const facts = factsHere(announcer)
  keepStatePrivate(keepdirOf(vardirOf(facts.env)))
  speakTo(facts.reader)
  const eventsAtOnce = new EventsAtOnce(facts, log)
  await eventsAtOnce.read()
  const ctdbd = pid !== undefined && pid > 1 ? new ProcessWatch(pid) : undefined
  const history = new RunHistory(
    (runs) => keepRunsInThreads(historyFile(facts.env), runs),
    (line) => log.write('WARNING', line),
  )
  const server = await serve({
    etc: dirname(config),
    socket,
    conf,
    log,
    facts,
    own,
    atOnce: () => eventsAtOnce.count,
    history,
    clientGone: () => ctdbd?.look(),
  })
  log.write('NOTICE', `listening on ${socket}`)
  const lastAct = (why: string) => endWithout(why, { log, facts, conf, own, server })
  new EventDaemon({ log, server, history, pidFile, eventsAtOnce, ctdbd, lastAct }).live()
  if (up !== undefined) reportUp(up)
}

interface Prepared {
  /** The descriptor on which ctdbd waits, by its own number. */
  up: number | undefined
  /** The path of ctdb.conf. */
  config: string
  pidFile: string
  socket: string
  conf: Conf
  /** Why ctdb.conf could not be read. */
  unread?: string
}

/** Everything that may be refused before there is a log. */
async function prepared(startupFd: number | undefined): Promise<Prepared> {
  mustHaveProc()
  const up = startupFd === undefined ? undefined : reopenPrivately(startupFd)
  closeInherited(up)
  await completeEnvironment()
  const config = await ctdbPath('config')
  const pidFile = await ctdbPath('pidfile eventd')
  const socket = await ctdbPath('socket eventd')
  let unread: string | undefined
  const conf = await readConf(config, process.env, (reason) => (unread = reason))
  return { up, config, pidFile, socket, conf, ...(unread === undefined ? {} : { unread }) }
}

function exitUnconfigured(error: unknown): never {
  if (!(error instanceof Refusal)) throw error
  complain(error.message)
  process.exit(BAD_CONFIGURATION)
}

/** On standard error, where ctdbd reads it before there is a log. */
function complain(line: string): void {
  process.stderr.write(`ctdb-eventd: ${visible(line)}\n`)
}

/** The lock on the pid file ends with its descriptor, which is closed when its owner is collected. */
const keepLocked: unknown[] = []

/** Lock the pid file and write our pid; exit when another daemon has the lock. */
async function takePidFile(pidFile: string, log: Log): Promise<void> {
  const waits = (owner: number) =>
    log.write(
      'NOTICE',
      `pid ${owner} is still letting go of the addresses of the ctdbd before: waiting for it`,
    )
  const warn = (line: string) => log.write('WARNING', line)
  try {
    keepLocked.push(await lockPidFile(pidFile, waits, Infinity, warn))
    writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    const why =
      error instanceof LockBusy ? `another event daemon runs here: ${error.message}` : withStack(error)
    log.write('ERROR', why)
    complain(error instanceof Error ? error.message : String(error))
    process.exit(ALREADY_RUNS)
  }
}

/** Our end ends ctdbd and strands the addresses: whatever goes wrong in one event, the next must still run. */
function surviveDefects(log: Log): void {
  const report = (error: unknown) => log.write('ERROR', `defect, please report it: ${withStack(error)}`)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
}
