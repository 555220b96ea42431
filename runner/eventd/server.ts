import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { vardirOf, type Facts } from '../node/settings.ts'
import { component, type Component } from './component.ts'
import type { Conf } from './conf.ts'
import type { Log } from './log.ts'
import { componentFolder, findScripts, mustBeFolder, NoComponent } from './scripts.ts'
import { nodeOutsideEvents } from '../node/node-outside-events.ts'
import { concede, type Taken } from '../net/announce/after-event.ts'
import { AnnounceLoop } from '../net/announce/loop.ts'
import { retryLoop } from '../net/dad/retry-loop.ts'
import { senders } from '../resident/send-by-programs.ts'
import { transmitter } from '../resident/send-frames.ts'
import { resident } from '../resident/shared-machine.ts'
import { doorTo, type System } from '../machine/machine.ts'
import type { Stop } from '../machine/stop.ts'
import { setEnabled } from './enable-script.ts'
import { BadPacket, decodeRequest, encodeReply, Frames, type Reply, type Request } from './protocol.ts'

export interface ServerOptions {
  /** The folder of ctdb.conf and the components. */
  etc: string
  /** Where clients connect; `eventscript top` asks beside it. */
  socket: string
  conf: Conf
  log: Log
  facts: Facts
  /** The folder with our own handlers, as modules and as scripts. */
  own: string
  /** How many events that move addresses may run at once. */
  atOnce: () => number
  /** Told when a client has hung up. */
  clientGone: () => void
}

export interface EventServer {
  /** Take no more events and end those that run. The machine is still there. */
  stop: () => Promise<void>
  /** That, and no more machine. */
  close: () => Promise<void>
  /** The machine, for what is to be done behind the events. */
  system: (signal: Stop) => System
  /** The last event was `shutdown`, and it ended well: this node holds nothing. */
  wasShutDown: () => boolean
}

/** Far more than CTDB opens: one connection of ctdbd, one for each `ctdb event` at work. */
const MOST_CLIENTS = 256
/** Bytes of replies that may wait for a client that does not read. */
const MOST_UNREAD = 32 * 1024 * 1024
/** What a round of announcing asks for takes some milliseconds. */
const ROUND_LIMIT_MS = 10_000
/** To decide about a conflict, or to try what is parked, is a duplicate check and some questions: 10 s, and locks. */
const TRY_LIMIT_MS = 60_000
/** The longest that a timer of node can wait, 24 days: a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1
const NOT_FOUND = 2
const INVALID = 22

/** Where `eventscript top` asks: beside the socket of the event daemon. */
export function activityBeside(socket: string): string {
  return join(dirname(socket), 'eventscript.socket')
}

/** Listen where ctdb-eventd does and answer as it does. Resolves when clients can connect. */
export async function serve(options: ServerOptions): Promise<EventServer> {
  const { etc, socket, conf, log, facts, own, atOnce, clientGone } = options
  const components = new Map<string, Component>()
  let stopped: Promise<void> | undefined
  const machine = resident(vardirOf(facts.env), (announcement) => {
    if (announcement.mode === 'parked') parking.wake()
    else announcing.add(announcement)
  })
  const complain = (line: string) => log.write('WARNING', line)
  // one for each round: a look that hangs is ended, and is made again in the next
  const door = (limit: number) => doorTo(machine.system({ signal: AbortSignal.timeout(limit) }))
  const node = () => nodeOutsideEvents(door(TRY_LIMIT_MS), facts, complain)
  const conceding = async (taken: Taken) => {
    try {
      const outcome = await concede(await node(), taken)
      if (outcome === 'parked') parking.wake()
      return outcome
    } catch (error) {
      complain(`${taken.address}: ${error instanceof Error ? error.message : String(error)}`)
      return 'given up'
    }
  }
  const areMoving = () => [...components.values()].some((each) => each.isMoving())
  const announcing = new AnnounceLoop({
    doorForARound: () => door(ROUND_LIMIT_MS),
    concede: conceding,
    complain,
    areMoving,
    frames: transmitter(complain),
    programs: senders(complain),
  })
  const announce = (address: string, iface: string) => announcing.add({ mode: 'usual', address, iface })
  const parking = retryLoop(node, announce, complain)

  /** Folders that could be listed a moment ago: requests that come together look once. */
  const listed = new Set<string>()

  /** Remembered only when its folder could once be listed. */
  function componentNamed(name: string): Component | number {
    const folder = componentFolder(etc, name)
    if (folder === undefined) return NOT_FOUND
    try {
      if (!listed.has(folder)) mustBeFolder(folder)
      if (listed.size === 0) setImmediate(() => listed.clear())
      listed.add(folder)
    } catch (error) {
      if (!(error instanceof NoComponent)) throw error
      log.write('WARNING', `failed to get script list for ${folder}, ret=${error.errno}`)
      return error.errno
    }
    const scripts = () => findScripts(folder, own)
    const known = components.get(name)
    const found = known ?? component({ facts, log, debugScript: conf.debugScript, scripts, machine, atOnce })
    components.set(name, found)
    return found
  }

  function answer(request: Request, client: Socket): void {
    if (stopped) return // an answer would be a lie: who waits hears that we have gone
    const reply = (result: number, status?: Reply['status']) => {
      if (client.destroyed) return
      // what is answered at the same moment goes out together
      if (client.writableCorked === 0) {
        client.cork()
        process.nextTick(() => client.uncork())
      }
      client.write(encodeReply({ kind: request.kind, reqid: request.reqid, result, status }))
      if (client.writableLength > MOST_UNREAD) client.destroy()
    }
    const found = componentNamed(request.component)
    if (typeof found === 'number') return reply(found)
    switch (request.kind) {
      case 'run':
        log.write('DEBUG', `Running event ${request.event} with args "${request.args ?? '(null)'}"`)
        return found.submit({
          event: request.event,
          words: (request.args ?? '').split(' ').filter(Boolean),
          limit: Math.min(request.timeout * 1000, LONGEST_MS),
          all: (request.flags & 1) === 1,
          owner: client,
          asked: performance.now(),
          answer: reply,
        })
      case 'status': {
        const status = found.status(request.event)
        return status ? reply(0, status) : reply(INVALID)
      }
      case 'script':
        return reply(
          setEnabled(componentFolder(etc, request.component) ?? '', request.script, request.action === 1),
        )
    }
  }

  function welcome(client: Socket): void {
    const frames = new Frames()
    client.on('data', (chunk) => {
      try {
        for (const packet of frames.push(chunk)) answer(decodeRequest(packet), client)
      } catch (error) {
        if (!(error instanceof BadPacket)) log.write('ERROR', `client dropped: ${describe(error)}`)
        else log.write('ERROR', `Invalid packet received, buflen=${chunk.length}: ${error.message}`)
        client.destroy()
      }
    })
    client.on('error', () => {}) // followed by close
    client.on('close', () => {
      components.forEach((each) => each.drop(client))
      clientGone()
    })
  }

  const activitySocket = activityBeside(socket)
  const events = await listen(socket, welcome)
  const activity = await listen(activitySocket, (client) => {
    client.on('error', () => {})
    client.end(
      JSON.stringify([...components].map(([name, each]) => ({ component: name, ...each.activity() }))),
    )
  })
  async function stop(): Promise<void> {
    events.close()
    activity.close()
    for (const path of [socket, activitySocket]) rmSync(path, { force: true })
    announcing.close()
    parking.close()
    await Promise.all([...components.values()].map((each) => each.close()))
  }

  return {
    stop: () => (stopped ??= stop()),
    async close() {
      await (stopped ??= stop())
      machine.close()
    },
    system: (signal) => machine.system({ signal }),
    wasShutDown() {
      const last = components.get('legacy')?.last()
      return last?.event === 'shutdown' && last.good
    },
  }
}

async function listen(path: string, welcome: (client: Socket) => void): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer(welcome)
  server.maxConnections = MOST_CLIENTS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, backlog: 10 }, resolve)
  })
  chmodSync(path, 0o700)
  server.on('error', () => {}) // too many open files: the next client may have more luck
  return server
}

export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
