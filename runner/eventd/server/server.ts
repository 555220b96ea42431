import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Server, Socket } from 'node:net'
import type { Report } from '../../engine/report.ts'
import type { Facts } from '../../node/facts.ts'
import { Component } from '../run/component.ts'
import type { Conf } from '../conf/conf.ts'
import { HungScripts } from '../hung/hung-scripts.ts'
import type { Log } from '../conf/log.ts'
import { ERRNO, LEGACY, type Request } from '../protocol/messages.ts'
import { ScriptFolder } from '../run/scripts.ts'
import type { Job } from '../run/job.ts'
import type { RunHistory } from '../run/run-history.ts'
import type { System } from '../../machine/machine.ts'
import type { Stop } from '../../machine/stop.ts'
import type { SharedMachine } from '../../resident/shared-machine.ts'
import { BetweenEvents } from './between-events.ts'
import { ClientConnection } from './client-connection.ts'
import { Components } from './components.ts'
import { setEnabled } from './enable-script.ts'
import { activitySocket, listen } from './unix-socket.ts'

export interface ServerOptions {
  /** The folder of ctdb.conf and the components. */
  etc: string
  /** The path on which clients connect. */
  socket: string
  conf: Conf
  log: Log
  facts: Facts
  /** The folder with our own handlers, as modules and as scripts. */
  own: string
  /** How many events that move addresses may run at once. */
  atOnce: () => number
  /** The history of CTDB's events; other components have events of the same names. */
  history: RunHistory
  /** Called when a client has hung up. */
  clientGone: () => void
}

/** The longest timer of node in milliseconds, 24 days: a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** Listen where ctdb-eventd listens, and answer as ctdb-eventd answers. Resolves when clients can connect. */
export async function serve(options: ServerOptions): Promise<EventServer> {
  const { etc, socket, conf, log, facts, own, atOnce, history, clientGone } = options
  const create = (folder: string) => {
    const scripts = new ScriptFolder(folder, own)
    const hung = new HungScripts(log, conf.debugScript)
    const keepRun = (report: Report) => {
      if (basename(folder) === LEGACY) history.add(report)
    }
    return new Component(folder, { facts, log, scripts, hung, machine: between.machine, atOnce, keepRun })
  }
  const components = new Components(etc, log, create)
  const between = new BetweenEvents(
    facts,
    log,
    () => components.areMoving(),
    new ScriptFolder(join(etc, 'events/legacy'), own),
  )
  const server = new EventServer(components, between, log, clientGone)
  await server.listen(socket)
  return server
}

/** The event daemon as its clients see it (event/event_daemon.c and event/event_cmd.c of CTDB 4.17). */
export class EventServer {
  readonly #components: Components
  readonly #between: BetweenEvents
  readonly #log: Log
  readonly #clientGone: () => void
  /** By path. */
  readonly #sockets = new Map<string, Server>()
  #stopped: Promise<void> | undefined
  #lastMachine: SharedMachine | undefined

  constructor(components: Components, between: BetweenEvents, log: Log, clientGone: () => void) {
    this.#components = components
    this.#between = between
    this.#log = log
    this.#clientGone = clientGone
  }

  async listen(path: string): Promise<void> {
    this.#sockets.set(path, await listen(path, (client) => this.#welcome(client)))
    const activity = activitySocket(path)
    this.#sockets.set(activity, await listen(activity, (client) => this.#tellActivity(client)))
  }

  /** Accept no more events and end those that run. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  /** Stop, and end the machine. */
  async close(): Promise<void> {
    await this.stop()
    this.#between.machine.close()
    this.#lastMachine?.close()
  }

  /** A machine for the work after the events, when they have been stopped: none of their helpers is alive then. */
  system(signal: Stop): System {
    return (this.#lastMachine ??= this.#between.replaceMachine()).system({ signal })
  }

  /** The last event was `shutdown`, and it ended well: this node holds no public address. */
  wasShutDown(): boolean {
    return this.#components.wasShutDown()
  }

  async #stop(): Promise<void> {
    for (const server of this.#sockets.values()) server.close()
    for (const path of this.#sockets.keys()) rmSync(path, { force: true })
    this.#between.stop()
    await this.#components.close()
  }

  #welcome(socket: Socket): void {
    const connection = new ClientConnection(socket, this.#log, {
      request: (request, client) => this.#answer(request, client),
      closed: (client) => {
        this.#components.drop(client)
        this.#clientGone()
      },
    })
    connection.open()
  }

  #answer(request: Request, client: ClientConnection): void {
    if (this.#stopped) return // an answer would be a lie: a client that waits notices that the daemon has gone
    const component = this.#components.named(request.component)
    if (typeof component === 'number') return client.reply(request, component)
    switch (request.kind) {
      case 'run':
        return component.events.submit(this.#jobOf(request, client))
      case 'status': {
        const status = component.statuses.of(request.event)
        return client.reply(request, status ? 0 : ERRNO.EINVAL, status)
      }
      case 'script':
        return client.reply(request, setEnabled(component.folder, request.script, request.action === 1))
    }
  }

  #jobOf(request: Request & { kind: 'run' }, client: ClientConnection): Job {
    this.#log.write('DEBUG', `Running event ${request.event} with args "${request.args ?? '(null)'}"`)
    return {
      event: request.event,
      words: (request.args ?? '').split(' ').filter(Boolean),
      limit: Math.min(request.timeout * 1000, LONGEST_MS),
      all: (request.flags & 1) === 1,
      owner: client,
      asked: performance.now(),
      answer: (result) => client.reply(request, result),
    }
  }

  #tellActivity(client: Socket): void {
    client.on('error', () => {})
    client.end(JSON.stringify(this.#components.activity()))
  }
}
