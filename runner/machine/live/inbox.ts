/** A process that works in the background takes more work from others: one for all, in place of one for each piece of work. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { PRIVATE, privately } from '../files/readers.ts'

const TAKEN = 'taken\n'
/** Bytes of one piece of work: more is none. */
const MOST_BYTES = 64 * 1024

/**
 * Take words at this path until `close`, of those who may write to the socket: of root. `take` gives back whether these words are work.
 * Rejects where no socket can be there, as for a path of more than 107 bytes. The caller has the lock (`inboxLock`), so nobody else listens here.
 */
export async function openInbox(
  path: string,
  take: (words: string[]) => boolean,
): Promise<{ close: () => void }> {
  const server = createServer((socket) => receive(socket, take))
  rmSync(path, { force: true })
  writeFileSync(inboxLock(path), `${process.pid}\n`, { mode: PRIVATE })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    privately(() => server.listen(path, resolve))
  })
  return { close: () => close(server, path) }
}

/** Give words to the process that listens at this path; false when none takes them within so many milliseconds. */
export function handOver(path: string, words: readonly string[], ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const end = (isTaken: boolean) => {
      clearTimeout(late)
      socket.destroy()
      resolve(isTaken)
    }
    const late = setTimeout(() => end(false), ms)
    socket.on('error', () => end(false))
    socket.on('end', () => end(false))
    socket.on('data', (text) => end(String(text) === TAKEN))
    socket.write(`${words.join('\0')}\n`)
  })
}

/** The process that listens, or has listened last, at this path. */
export function inboxOwner(path: string): number | undefined {
  try {
    return Number(/^\d+$/m.exec(readFileSync(inboxLock(path), 'utf8'))?.[0]) || undefined
  } catch {
    return undefined
  }
}

/** The lock of the process that listens at this path; its pid is in there. */
export const inboxLock = (path: string) => `${path}.lock`

function receive(socket: Socket, take: (words: string[]) => boolean): void {
  let text = ''
  socket.setEncoding('utf8')
  socket.on('error', () => {})
  socket.on('data', (chunk: string) => {
    text += chunk
    if (text.length > MOST_BYTES) return void socket.destroy()
    if (!text.endsWith('\n')) return
    const isTaken = take(text.slice(0, -1).split('\0'))
    socket.end(isTaken ? TAKEN : '')
  })
}

/** Who has connected is still heard: the server ends with its last connection. */
function close(server: Server, path: string): void {
  server.close()
  rmSync(path, { force: true })
}
