/** Our client against Debian's event daemon, and against every kind of program that is no event daemon. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from '../tap.ts'
import { connect, type Client, type Question } from '../../runner/eventd/client.ts'
import { ERRNO, type Reply, type Request } from '../../runner/eventd/protocol/messages.ts'
import { decodeRequest } from '../../runner/eventd/protocol/decode.ts'
import { encodeReply } from '../../runner/eventd/protocol/encode.ts'
import { Frames } from '../../runner/eventd/protocol/frames.ts'
import { Refusal } from '../../runner/base/refusal.ts'
import { ctdbEvent, startEventd, whyNoEventd, type Eventd } from '../lab/ctdb/eventd.ts'

const run = (
  event: string,
  more: { args?: string; timeout?: number; component?: string } = {},
): Question => ({
  kind: 'run',
  component: 'legacy',
  event,
  args: undefined,
  timeout: 30,
  flags: 0,
  ...more,
})
const status = (event: string, component = 'legacy'): Question => ({ kind: 'status', component, event })

const OK = '#!/bin/sh\necho "ok $*"\n'
const CASES = `#!/bin/sh
case "$1" in
fail) echo "no good: Grüße" >&2; exit 3 ;;
hang) exec sleep 60 ;;
slow) sleep 1 ;;
loud) head -c 300000 /dev/zero | tr '\\0' x ;;
esac
`

async function startOrSkip(): Promise<Eventd | string> {
  const missing = whyNoEventd()
  if (missing !== undefined) return missing
  try {
    return await startEventd()
  } catch (error) {
    return String(error)
  }
}

const eventd = await startOrSkip()
if (typeof eventd === 'string') t.pass('Debian', { skip: `no event daemon: ${eventd}` })
else {
  eventd.script('legacy/10.ok.script', OK)
  eventd.script('legacy/20.off.script', OK, 0o644)
  eventd.script('legacy/30.cases.script', CASES)
  const client = await connect(eventd.socket)
  t.teardown(async () => {
    client.close()
    await eventd.close()
  })

  t.test('Debian: a run reports its scripts, and its status', async (t) => {
    t.match(await client.request(run('good', { args: 'a b' })), { kind: 'run', result: 0 })
    t.match(await client.request(status('good')), {
      kind: 'status',
      result: 0,
      status: {
        summary: 0,
        scripts: [
          { name: '10.ok', result: 0, output: 'ok good a b\n' },
          { name: '20.off', result: -ERRNO.ENOEXEC, output: undefined },
          { name: '30.cases', result: 0, output: undefined },
        ],
      },
    })
    t.match(await client.request(run('fail')), { result: ERRNO.ENOEXEC })
    const { status: failed } = await client.request(status('fail'))
    t.match(failed, { summary: 3, scripts: { 2: { result: 3, output: 'no good: Grüße\n' } } })
    t.match(await ctdbEvent(eventd.dir, 'status', 'legacy', 'fail'), { status: 3, out: 'no good: Grüße' })
  })

  t.test('Debian: the times of a script are times of this machine', async (t) => {
    const before = Date.now()
    await client.request(run('slow'))
    const { status: slow } = await client.request(status('slow'))
    const [, , last] = slow?.scripts ?? []
    const ms = (time?: { seconds: number; microseconds: number }) =>
      (time?.seconds ?? 0) * 1000 + (time?.microseconds ?? 0) / 1000
    t.ok(ms(last?.begin) >= before - 1 && ms(last?.end) <= Date.now() + 1, JSON.stringify(slow))
    t.ok(ms(last?.end) - ms(last?.begin) >= 1000)
  })

  t.test('Debian: a run that exceeds its limit is timed out', async (t) => {
    t.match(await client.request(run('hang', { timeout: 1 })), { result: ERRNO.ETIMEDOUT })
    const { status: hung } = await client.request(status('hang'))
    t.match(hung, { summary: -ERRNO.ETIMEDOUT, scripts: { 2: { result: -ERRNO.ETIMEDOUT } } })
  })

  t.test('Debian: an absent component, event or script is reported', async (t) => {
    const answers = await Promise.all([
      client.request(run('good', { component: 'nosuch' })),
      client.request(status('good', 'nosuch')),
      client.request(status('never')),
      client.request({ kind: 'script', component: 'legacy', script: '99.no', action: 1 }),
    ])
    t.same(
      answers.map(({ kind, result, status: body }) => ({ kind, result, body })),
      [
        { kind: 'run', result: ERRNO.ENOENT, body: undefined },
        { kind: 'status', result: ERRNO.ENOENT, body: undefined },
        { kind: 'status', result: ERRNO.EINVAL, body: undefined },
        { kind: 'script', result: ERRNO.ENOENT, body: undefined },
      ],
    )
  })

  t.test('Debian: scripts are enabled and disabled', async (t) => {
    const set = async (action: number) => {
      const { result } = await client.request({
        kind: 'script',
        component: 'legacy',
        script: '20.off',
        action,
      })
      await client.request(run('switched'))
      const reply = await client.request(status('switched'))
      return [result, reply.status?.scripts[1]?.result]
    }
    t.same(await set(1), [0, 0])
    t.same(await set(0), [0, -ERRNO.ENOEXEC])
  })

  t.test('Debian: a reply that takes several reads is complete', async (t) => {
    await client.request(run('loud'))
    const { status: loud } = await client.request(status('loud'))
    t.equal(loud?.scripts[2]?.output, 'x'.repeat(300_000))
  })

  t.test('Debian: each reply out of order reaches its own request', async (t) => {
    await client.request(run('good', { args: 'before' }))
    const order: string[] = []
    const ask = async (label: string, question: Question) => {
      const reply = await client.request(question)
      order.push(label)
      return reply
    }
    const [slow, good, refused, earlier] = await Promise.all([
      ask('slow', run('slow')),
      ask('good', run('good', { args: 'behind' })),
      ask('monitor', run('monitor')),
      ask('status', status('good')),
    ])
    t.same(order, ['monitor', 'status', 'slow', 'good'])
    t.match([slow?.result, good?.result, refused?.result], [0, 0, ERRNO.ECANCELED])
    t.equal(earlier?.status?.scripts[0]?.output, 'ok good before\n')
  })

  t.test('Debian: a cancelled monitor is reported', async (t) => {
    eventd.script('legacy/30.cases.script', '#!/bin/sh\n[ "$1" != monitor ] || exec sleep 60\n')
    const monitor = client.request(run('monitor'))
    t.match(await client.request(run('good')), { result: 0 })
    t.match(await monitor, { result: ERRNO.ECANCELED })
  })

  t.test('Debian: a daemon that ends during a request is reported', async (t) => {
    const other = await startEventd()
    other.script('legacy/10.hang.script', '#!/bin/sh\nexec sleep 60\n')
    const waiting = await connect(other.socket)
    const answers = [waiting.request(run('x')), waiting.request(run('y'))].map((answer) => refusal(answer))
    await waiting.request(status('x'))
    await other.close()
    t.match(
      await answers[0],
      /eventd\.socket: the daemon hung up \(\w+\): expected 2 answers before that: is/,
    )
    t.match(await answers[1], /hung up/)
    t.match(await refusal(waiting.request(run('z'))), /hung up/)
  })
}

// ---------------------------------------------------------------- programs that are no event daemon

/** The sentence of a Refusal. Any other error is a defect. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof Refusal) || error.message.includes('\n')) throw error
  return error.message
}

interface Fake {
  client: Client
  server: Server
}

/** A server that handles each request as the caller says. */
async function fake(path: string, answer: (socket: Socket, request: Request) => void): Promise<Fake> {
  const server = createServer((socket) => {
    const frames = new Frames()
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      for (const packet of frames.push(chunk)) answer(socket, decodeRequest(packet))
    })
  })
  server.listen(path)
  await once(server, 'listening')
  return { server, client: await connect(path) }
}

t.test('a socket without a server is refused with a reason', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'client-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  t.equal(
    await refusal(connect(join(dir, 'none'))),
    `${dir}/none: no such socket: expected the event daemon to listen there: is ctdb-eventd running?`,
  )
  writeFileSync(join(dir, 'file'), '')
  t.match(await refusal(connect(join(dir, 'file'))), /file: nobody answers: .*is ctdb-eventd running\?$/)
  t.match(await refusal(connect(join(dir, 'file/below'))), /below: this is no socket .*\(ENOTDIR\)/)
  mkdirSync(join(dir, 'folder'))
  t.match(await refusal(connect(join(dir, 'folder'))), /folder: nobody answers/)
  t.match(await refusal(connect(join(dir, 'x'.repeat(200)))), /xxx: .*is ctdb-eventd running\?$/)
  // the empty path is the current folder: no socket, and perhaps longer than the path of a socket may be
  t.match(await refusal(connect('')), /^: (?:nobody answers|no such socket)/)
  t.match(await refusal(connect('22')), /^22: no such socket/, 'a number is no port')
})

const answerOf = ({ kind, reqid }: Request, more: Partial<Reply> = {}) =>
  encodeReply({ kind, reqid, result: 0, ...more })

const STRANGE: [string, (socket: Socket, request: Request) => void, RegExp][] = [
  ['text', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n'), /a packet of \d+ bytes: expected 12 to/],
  ['length 0', (socket) => socket.write(Buffer.alloc(4)), /a packet of 0 bytes: expected 12 to/],
  [
    'a reply cut short inside',
    (socket, request) => {
      const whole = answerOf({ ...request, kind: 'status' } as Request).subarray(0, 24)
      whole.writeUInt32LE(24)
      socket.write(whole)
    },
    /0 bytes left at byte 24: expected 4 of "count"/,
  ],
  [
    'another number',
    (socket, request) => socket.write(answerOf({ ...request, reqid: 99 })),
    /an answer to run 99: expected one to run 1: is/,
  ],
  [
    'another kind',
    (socket, request) => socket.write(answerOf({ ...request, kind: 'status' } as Request)),
    /an answer to status 1: expected one to run 1: is/,
  ],
  ['end', (socket) => socket.end(), /the daemon hung up \(closed\): expected 1 answer before that: is/],
  [
    'end inside a reply',
    (socket, request) => socket.end(answerOf(request).subarray(0, 17)),
    /the daemon hung up \(closed\): expected 1 answer/,
  ],
]

for (const [label, answer, expected] of STRANGE)
  t.test(`a daemon that answers with ${label}`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'client-'))
    const { server, client } = await fake(join(dir, 'socket'), answer)
    t.teardown(() => rmSync(dir, { recursive: true }))
    t.teardown(() => server.close())
    t.match(await refusal(client.request(run('x'))), expected)
    t.match(await refusal(client.request(run('x'))), expected, 'the next request fails in the same way')
    client.close()
  })

t.test('a thousand requests are answered in reverse order and byte by byte', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'client-'))
  const seen: Request[] = []
  const { server, client } = await fake(join(dir, 'socket'), (socket, request) => {
    seen.push(request)
    if (seen.length < 1000) return
    const bytes = Buffer.concat(
      seen.toReversed().map((each) => answerOf(each, { result: each.kind === 'run' ? each.timeout : 0 })),
    )
    for (let at = 0; at < 200; at++) socket.write(bytes.subarray(at, at + 1))
    socket.write(bytes.subarray(200))
  })
  t.teardown(() => rmSync(dir, { recursive: true }))
  t.teardown(() => server.close())
  const numbers = Array.from({ length: 1000 }, (_, i) => i)
  const replies = await Promise.all(numbers.map((timeout) => client.request(run('x', { timeout }))))
  t.same(
    replies.map(({ result }) => result),
    numbers,
  )
  const waiting = refusal(client.request(run('x')))
  client.close()
  t.match(await waiting, /closed by this program/)
  client.close()
})
