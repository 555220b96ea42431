import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Door } from '../../machine/machine.ts'

/** Milliseconds for a connection to ourselves to open, and to close. */
const PATIENCE = 1000

/** Does `ss -K` end a connection? Tried on a connection of our own; undefined when there can be none, as without `lo`. */
export async function tryKill(door: Door): Promise<boolean | undefined> {
  const server = createServer((peer) => peer.on('error', () => {}))
  let client: Socket | undefined
  try {
    const port = await listening(server)
    client = createConnection({ host: '127.0.0.1', port })
    const gone = new Promise<true>((resolve) => client?.once('close', () => resolve(true)))
    client.on('error', () => {})
    if (!(await within(new Promise<true>((resolve) => client?.once('connect', () => resolve(true))))))
      return undefined
    await door.ask`ss -K -H src 127.0.0.1 dport = :${port}`
    return (await within(gone)) ?? false
  } catch {
    return undefined
  } finally {
    client?.destroy()
    server.close()
  }
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

async function within(event: Promise<true>): Promise<true | undefined> {
  return await Promise.race([event, sleep(PATIENCE, undefined, { ref: false })])
}
