import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { privately } from '../../machine/files/readers.ts'

/** Far more than CTDB opens: one connection of ctdbd, one of each `ctdb event` at work. */
const MOST_CLIENTS = 256

/** The socket that `eventscript top` asks, beside the socket of the event daemon. */
export function activitySocket(eventSocket: string): string {
  return join(dirname(eventSocket), 'eventscript.socket')
}

/** Listen on a Unix socket, for root alone. A socket left by another daemon is removed. */
export async function listen(path: string, welcome: (client: Socket) => void): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer(welcome)
  server.maxConnections = MOST_CLIENTS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    privately(() => server.listen({ path, backlog: 10 }, resolve))
  })
  server.on('error', () => {}) // too many open files: a later client may be welcomed again
  return server
}
