/** Messages to packets. */
import type { EventStatus, Reply, Request, ScriptStatus, Time } from './messages.ts'
import { COMMANDS, HEADER_BYTES, IS_LITTLE_ENDIAN, viewOf } from './bytes.ts'
import { encodeText } from './text.ts'

/** The packet of a request. */
export function encodeRequest(request: Request): Buffer {
  switch (request.kind) {
    case 'run':
      return packet(request, [
        stringn(request.component),
        stringn(request.event),
        stringn(request.args),
        int32(request.timeout),
        int32(request.flags),
      ])
    case 'status':
      return packet(request, [stringn(request.component), stringn(request.event)])
    case 'script':
      return packet(request, [stringn(request.component), stringn(request.script), int32(request.action)])
  }
}

/** The packet of a reply. A missing status is sent as the status of an event without scripts. */
export function encodeReply(reply: Reply): Buffer {
  const body = reply.kind === 'status' && reply.result === 0 ? eventStatus(reply.status) : []
  return packet(reply, [int32(reply.result), ...body])
}

function eventStatus({ summary, scripts }: EventStatus = { summary: 0, scripts: [] }): Buffer[] {
  return [int32(summary), int32(scripts.length), ...scripts.flatMap(scriptStatus)]
}

function scriptStatus({ name, begin, end, result, output }: ScriptStatus): Buffer[] {
  return [stringn(name), timeval(begin), timeval(end), int32(result), stringn(output)]
}

function packet({ kind, reqid }: { kind: Request['kind']; reqid: number }, body: Buffer[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, HEADER_BYTES + 4)
  return Buffer.concat([int32(length), int32(0), int32(reqid), int32(COMMANDS[kind]), ...body], length)
}

/** Signed and unsigned numbers have the same bits. A number that is too large loses its upper bits, as in C. */
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  viewOf(bytes).setInt32(0, value, IS_LITTLE_ENDIAN)
  return bytes
}

/** Two 64-bit numbers, as `struct timeval` is on 64-bit Linux. */
function timeval({ seconds, microseconds }: Time): Buffer {
  const bytes = Buffer.alloc(16)
  const view = viewOf(bytes)
  view.setBigInt64(0, BigInt(Math.trunc(seconds)), IS_LITTLE_ENDIAN)
  view.setBigInt64(8, BigInt(Math.trunc(microseconds)), IS_LITTLE_ENDIAN)
  return bytes
}

function stringn(text: string | undefined): Buffer {
  if (text === undefined) return int32(0)
  const bytes = encodeText(cutAtNul(text))
  return Buffer.concat([int32(bytes.length + 1), bytes, Buffer.alloc(1)])
}

function cutAtNul(text: string): string {
  const nul = text.indexOf('\0')
  return nul < 0 ? text : text.slice(0, nul)
}
