import { createConnection, type Socket } from 'node:net'
import { resolve as resolvePath } from 'node:path'
import { Refusal } from '../base/refusal.ts'
import { BadPacket, type Reply, type Request } from './protocol/messages.ts'
import { decodeReply } from './protocol/decode.ts'
import { encodeRequest } from './protocol/encode.ts'
import { Frames } from './protocol/frames.ts'
import { toBeAllowed } from '../machine/remedy/remedy.ts'

/** A request without its number: the client numbers its requests. */
export type Question = Request extends infer R ? (R extends Request ? Omit<R, 'reqid'> : never) : never

const REMEDY = 'is ctdb-eventd running?'
const EXPECTED = `expected the event daemon to listen there: ${REMEDY}`
/** The largest reply that is accepted, in bytes: a reply has all output of the scripts of an event. */
const MOST = 256 * 1024 * 1024

/** Connect to an event daemon. Rejects with a Refusal when no daemon listens there, or we may not connect. */
export function connect(path: string): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: resolvePath(path) })
    const fail = (error: NodeJS.ErrnoException) => reject(new Refusal(whyNoConnection(path, error)))
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      resolve(new Client(socket, path))
    })
  })
}

function whyNoConnection(path: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return `${path}: no such socket: ${EXPECTED}`
    case 'ECONNREFUSED':
      return `${path}: nobody answers: ${EXPECTED}`
    case 'ENOTDIR':
    case 'ENOTSOCK':
    case 'EPROTOTYPE':
      return `${path}: this is no socket for connections (${code}): ${EXPECTED}`
    case 'EACCES':
    case 'EPERM':
      return `${path}: permission denied: expected to be allowed to connect: ${toBeAllowed('CAP_DAC_OVERRIDE')}`
    case 'EAGAIN':
      return `${path}: the event daemon takes no more connections: expected a place in its queue: try again, or see its log`
    default:
      return `${path}: cannot connect (${code ?? message}): ${EXPECTED}`
  }
}

interface Waiting {
  kind: Request['kind']
  resolve: (reply: Reply) => void
  reject: (error: Refusal) => void
}

/** A connection to an event daemon. An open connection keeps the program running. */
export class Client {
  readonly #socket: Socket
  readonly #path: string
  readonly #frames = new Frames(MOST)
  readonly #waiting = new Map<number, Waiting>()
  #reqid = 0
  /** The reason why no more requests can be sent. */
  #over: Refusal | undefined

  constructor(socket: Socket, path: string) {
    this.#socket = socket
    this.#path = path
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => this.#hungUp(error.code ?? error.message))
    socket.on('close', () => this.#hungUp('closed'))
  }

  /**
   * Send a request, and wait for the reply without a limit. Several requests may be on their way; the replies come in
   * any order. Rejects with a Refusal when the connection ends before the reply, or the daemon sends no proper reply.
   */
  request(question: Question): Promise<Reply> {
    if (this.#over) return Promise.reject(this.#over)
    const reqid = this.#nextReqid()
    return new Promise((resolve, reject) => {
      this.#waiting.set(reqid, { kind: question.kind, resolve, reject })
      this.#socket.write(encodeRequest({ ...question, reqid }))
    })
  }

  /** Hang up. Requests without a reply are refused; the daemon ends a run that no client waits for. */
  close(): void {
    this.#end(`${this.#path}: closed by this program: expected no more requests`)
  }

  #nextReqid(): number {
    do this.#reqid = (this.#reqid + 1) >>> 0
    while (this.#waiting.has(this.#reqid))
    return this.#reqid
  }

  #receive(chunk: Buffer): void {
    try {
      for (const packet of this.#frames.push(chunk)) this.#answer(decodeReply(packet))
    } catch (error) {
      if (!(error instanceof BadPacket)) throw error
      this.#end(`${this.#path}: the daemon's answer cannot be read: ${error.message}: ${REMEDY}`)
    }
  }

  #answer(reply: Reply): void {
    const waiting = this.#waiting.get(reply.reqid)
    if (waiting?.kind !== reply.kind) {
      const asked = [...this.#waiting].map(([reqid, { kind }]) => `${kind} ${reqid}`).join(', ')
      throw new BadPacket(`an answer to ${reply.kind} ${reply.reqid}`, `one to ${asked || 'nothing'}`)
    }
    this.#waiting.delete(reply.reqid)
    waiting.resolve(reply)
  }

  #hungUp(how: string): void {
    const count = this.#waiting.size
    const expected = count === 0 ? 'it to stay' : `${count} ${count === 1 ? 'answer' : 'answers'} before that`
    this.#end(`${this.#path}: the daemon hung up (${how}): expected ${expected}: ${REMEDY}`)
  }

  #end(sentence: string): void {
    if (this.#over) return
    this.#over = new Refusal(sentence)
    this.#socket.destroy()
    for (const { reject } of this.#waiting.values()) reject(this.#over)
    this.#waiting.clear()
  }
}
