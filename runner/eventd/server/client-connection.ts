import type { Socket } from 'node:net'
import { withStack } from '../../base/refusal.ts'
import type { Log } from '../conf/log.ts'
import { BadPacket, type Reply, type Request } from '../protocol/messages.ts'
import { decodeRequest } from '../protocol/decode.ts'
import { encodeReply } from '../protocol/encode.ts'
import { Frames } from '../protocol/frames.ts'

/** Bytes of replies that may wait for a client that does not read. */
const MOST_UNREAD = 32 * 1024 * 1024

export interface ConnectionListener {
  request: (request: Request, from: ClientConnection) => void
  closed: (which: ClientConnection) => void
}

/** A connected client: requests come in, replies go out, in any order. A client that sends nonsense is disconnected. */
export class ClientConnection {
  readonly #socket: Socket
  readonly #log: Log
  readonly #listener: ConnectionListener
  readonly #frames = new Frames()

  constructor(socket: Socket, log: Log, listener: ConnectionListener) {
    this.#socket = socket
    this.#log = log
    this.#listener = listener
  }

  /** Read requests until the client hangs up. */
  open(): void {
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('error', () => {}) // "close" follows
    this.#socket.on('close', () => this.#listener.closed(this))
  }

  /** Answer a request; a client that has gone gets nothing. */
  reply({ kind, reqid }: Request, result: number, status?: Reply['status']): void {
    const socket = this.#socket
    if (socket.destroyed) return
    this.#gather()
    socket.write(encodeReply({ kind, reqid, result, status }))
    if (socket.writableLength > MOST_UNREAD) socket.destroy()
  }

  /** Replies of the same moment go out together. */
  #gather(): void {
    const socket = this.#socket
    if (socket.writableCorked > 0) return
    socket.cork()
    process.nextTick(() => socket.uncork())
  }

  #receive(chunk: Buffer): void {
    try {
      for (const packet of this.#frames.push(chunk)) this.#listener.request(decodeRequest(packet), this)
    } catch (error) {
      const complaint =
        error instanceof BadPacket
          ? `Invalid packet received, buflen=${chunk.length}: ${error.message}`
          : `client dropped: ${withStack(error)}`
      this.#log.write('ERROR', complaint)
      this.#socket.destroy()
    }
  }
}
