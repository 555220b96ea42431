/** Packets to messages. */
import { BadPacket, type EventStatus, type Reply, type Request, type ScriptStatus } from './messages.ts'
import { PacketReader } from './reader.ts'

/** The request in a packet as Frames cuts it. Throws BadPacket. Bytes after the last field are ignored. */
export function decodeRequest(bytes: Buffer): Request {
  const reader = new PacketReader(bytes)
  const { kind, reqid } = reader.start()
  const component = reader.name('component')
  switch (kind) {
    case 'run':
      return {
        kind,
        reqid,
        component,
        event: reader.name('event'),
        args: reader.text('args'),
        timeout: reader.unsigned('timeout'),
        flags: reader.unsigned('flags'),
      }
    case 'status':
      return { kind, reqid, component, event: reader.name('event') }
    case 'script': {
      const script = reader.name('script')
      const action = reader.unsigned('action')
      if (action > 1) throw new BadPacket(`action ${action}`, '0 (disable) or 1 (enable)')
      return { kind, reqid, component, script, action }
    }
  }
}

/** The reply in a packet as Frames cuts it. Throws BadPacket. Bytes after the last field are ignored. */
export function decodeReply(bytes: Buffer): Reply {
  const reader = new PacketReader(bytes)
  const { kind, reqid } = reader.start()
  const result = reader.signed('result')
  if (kind !== 'status' || result !== 0) return { kind, reqid, result }
  return { kind, reqid, result, status: readEventStatus(reader) }
}

function readEventStatus(reader: PacketReader): EventStatus {
  const summary = reader.signed('summary')
  const count = reader.signed('count')
  if (count < 0) throw new BadPacket(`${count} scripts`, 'a count of 0 or more')
  const scripts: ScriptStatus[] = []
  while (scripts.length < count)
    scripts.push({
      name: reader.name('script name'),
      begin: reader.time('begin'),
      end: reader.time('end'),
      result: reader.signed('script result'),
      output: reader.text('output'),
    })
  return { summary, scripts }
}
