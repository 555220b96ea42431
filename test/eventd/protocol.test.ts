/** The bytes of CTDB's event daemon, compared with the messages between Debian's programs (fixtures/wire). */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import t from '../tap.ts'
import {
  BadPacket,
  ERRNO,
  type EventStatus,
  type Reply,
  type Request,
  type ScriptStatus,
} from '../../runner/eventd/protocol/messages.ts'
import { decodeReply, decodeRequest } from '../../runner/eventd/protocol/decode.ts'
import { encodeReply, encodeRequest } from '../../runner/eventd/protocol/encode.ts'
import { Frames } from '../../runner/eventd/protocol/frames.ts'
import { DIST } from '../lab/paths.ts'

// The time of day must not decide whether a build passes. FUZZ_RUNS=100000 searches longer.
fc.configureGlobal({ seed: 20_260_807, numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) })

const FOLDER = join(DIST, '../fixtures/wire')

/** A fixture's bytes: hexadecimal, except the comment in the first line. */
function fixture(name: string): Buffer {
  const [comment = '', ...lines] = readFileSync(join(FOLDER, `${name}.hex`), 'utf8').split('\n')
  if (!comment.startsWith('# ')) throw new Error(`${name}: no comment`)
  return Buffer.from(lines.join('').replaceAll(' ', ''), 'hex')
}

// ---------------------------------------------------------------- the meaning of the fixtures

/** Debian's client counts from here, ctdbd from 2. In requests made by hand the number is 101. */
const FIRST = 0x7fffff38

const run = (event: string, args?: string, timeout = 30, more: Partial<Request> = {}): Request =>
  ({ kind: 'run', reqid: FIRST, component: 'legacy', event, args, timeout, flags: 0, ...more }) as Request
const status = (event: string, component = 'legacy', reqid = FIRST): Request => ({
  kind: 'status',
  reqid,
  component,
  event,
})
const script = (name: string, action: number, component = 'legacy', reqid = 101): Request => ({
  kind: 'script',
  reqid,
  component,
  script: name,
  action,
})

const NULL_OR_EMPTY = { reqid: 101 }
const ctdbd = (event: string, reqid: number, args = ''): Request => run(event, args, 30, { reqid })

const REQUESTS: Record<string, Request> = {
  'run-ok': run('ok', 'a b'),
  'run-no-words': run('ok'),
  'run-quiet': run('quiet'),
  'run-ipv6-words': run('takeip', 'eth0 2001:db8::10 64'),
  'run-unicode-words': run('unicode', 'Grüße 🙂', 5),
  'run-failed': run('fail'),
  'run-timed-out': run('hang', undefined, 1),
  'run-no-component': run('ok', undefined, 5, { component: 'nosuch' }),
  'run-component-is-file': run('ok', undefined, 5, { component: 'file' }),
  'run-no-scripts': run('x', undefined, 9, { component: 'none' }),
  'run-cancelled': run('monitor'),
  'run-refused': run('monitor'),
  'status-ok': status('ok'),
  'status-quiet': status('quiet'),
  'status-unicode': status('unicode'),
  'status-failed': status('fail'),
  'status-timed-out': status('hang'),
  'status-never-ran': status('never'),
  'status-no-component': status('ok', 'nosuch'),
  'status-component-is-file': status('ok', 'file'),
  'status-no-scripts': status('x', 'none'),
  'status-link': status('x', 'bare'),
  'status-killed': status('killed'),
  'status-bytes': status('bytes'),
  'status-nul': status('nul'),
  'status-lines': status('lines'),
  'status-empty': status('empty'),
  'script-enable': script('20.bb', 1),
  'script-disable': script('20.bb.script', 0),
  'script-absent': script('99.zz', 1),
  'script-is-link': script('10.link', 0, 'bare'),
  'script-no-component': script('20.bb', 1, 'nosuch'),
  'script-bad-name': script('bb', 1),
  'made-run-null-event': run('', undefined, 5, NULL_OR_EMPTY),
  'made-run-all-empty-words': run('fail', '', 5, { ...NULL_OR_EMPTY, flags: 1 }),
  'made-status-empty-names': status('', '', 101),
  'made-status-version-7-trailing': status('never', 'legacy', 101),
  'ctdbd-init': run('init', undefined, 30, { reqid: 2 }),
  'ctdbd-setup': ctdbd('setup', 3),
  'ctdbd-startrecovery': ctdbd('startrecovery', 4),
  'ctdbd-recovered': ctdbd('recovered', 5),
  'ctdbd-ipreallocated': ctdbd('ipreallocated', 6),
  'ctdbd-startup': ctdbd('startup', 8),
  'ctdbd-monitor': ctdbd('monitor', 9),
  'ctdbd-takeip': ctdbd('takeip', 10, 'eth0 fd02::1:1 64'),
  'ctdbd-releaseip': ctdbd('releaseip', 12, 'eth0 fd02::1:1 64'),
  'contract-init': run('init', undefined, 30, { reqid: 2 }),
  'contract-setup': ctdbd('setup', 3),
  'contract-takeip': ctdbd('takeip', 17, 'eth0 2001:db8::10 64'),
  'contract-script-enable': script('20.bb', 1, 'legacy', FIRST),
}

/** Requests that are read although no encoder writes them in this form. */
const LENIENT = new Set(['made-run-null-event', 'made-status-version-7-trailing'])

/** The result of each reply that is not 0, by the name of its file. */
const RESULTS: Record<string, number> = {
  'run-failed': ERRNO.ENOEXEC,
  'run-timed-out': ERRNO.ETIMEDOUT,
  'run-cancelled': ERRNO.ECANCELED,
  'run-refused': ERRNO.ECANCELED,
  'run-no-component': ERRNO.ENOENT,
  'run-component-is-file': ERRNO.ENOTDIR,
  'status-never-ran': ERRNO.EINVAL,
  'status-no-component': ERRNO.ENOENT,
  'status-component-is-file': ERRNO.ENOTDIR,
  'script-absent': ERRNO.ENOENT,
  'script-is-link': ERRNO.EINVAL,
  'script-no-component': ERRNO.ENOENT,
  'script-bad-name': ERRNO.ENOENT,
  'made-run-null-event': ERRNO.ENOMEM,
  'made-run-all-empty-words': ERRNO.ENOEXEC,
  'made-status-empty-names': ERRNO.EINVAL,
  'made-status-version-7-trailing': ERRNO.EINVAL,
}

type Script = [name: string, result: number, output?: string]
const OFF: Script = ['20.bb', -ERRNO.ENOEXEC]

/** The ends of the scripts without their times, because times differ between recordings. */
const STATUSES: Record<string, [summary: number, ...scripts: Script[]]> = {
  'status-ok': [0, ['10.aa', 0, 'aa ok\n'], OFF, ['30.cc', 0]],
  'status-quiet': [0, ['10.aa', 0], OFF, ['30.cc', 0]],
  'status-unicode': [0, ['10.aa', 0, 'aa unicode Grüße 🙂\n'], OFF, ['30.cc', 0, 'Grüße 地址 🙂\n']],
  'status-failed': [1, ['10.aa', 0, 'aa fail\n'], OFF, ['30.cc', 1, 'exiting 1\n']],
  'status-timed-out': [
    -ERRNO.ETIMEDOUT,
    ['10.aa', 0, 'aa hang\n'],
    OFF,
    ['30.cc', -ERRNO.ETIMEDOUT, 'hanging\n'],
  ],
  'status-no-scripts': [0],
  'status-link': [0, ['10.link', 0, 'aa x\n']],
  'status-killed': [-ERRNO.EINTR, ['10.aa', 0, 'aa killed\n'], OFF, ['30.cc', -ERRNO.EINTR]],
  'status-bytes': [0, ['10.aa', 0, 'aa bytes\n'], OFF, ['30.cc', 0, '\udcff\udcc3 caf\udce9\n']],
  'status-nul': [0, ['10.aa', 0, 'aa nul\n'], OFF, ['30.cc', 0, 'before']],
  'status-lines': [0, ['10.aa', 0, 'aa lines\n'], OFF, ['30.cc', 0, 'one\n\n  two\nno newline']],
  'status-empty': [0, ['10.aa', 0, 'aa empty\n'], OFF, ['30.cc', 0, '\n']],
}

const untimed = ({ summary, scripts }: EventStatus) => [
  summary,
  ...scripts.map(({ name, result, output }) =>
    output === undefined ? [name, result] : [name, result, output],
  ),
]

const namesOf = (kind: string) =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(`.${kind}.hex`))
    .map((file) => basename(file, `.${kind}.hex`))

t.test('fixtures: every request is read', async (t) => {
  t.same(namesOf('request').toSorted(), Object.keys(REQUESTS).toSorted(), 'each fixture is expected here')
  for (const [name, request] of Object.entries(REQUESTS)) {
    const bytes = fixture(`${name}.request`)
    t.strictSame(decodeRequest(bytes), request, name)
    if (!LENIENT.has(name)) t.equal(encodeRequest(request).toString('hex'), bytes.toString('hex'), name)
  }
})

t.test('fixtures: every reply is read', async (t) => {
  for (const name of namesOf('reply')) {
    const bytes = fixture(`${name}.reply`)
    const reply = decodeReply(bytes)
    t.equal(encodeReply(reply).toString('hex'), bytes.toString('hex'), name)
    if (name.startsWith('contract-')) continue
    const request = REQUESTS[name]
    t.match(reply, { kind: request?.kind, reqid: request?.reqid, result: RESULTS[name] ?? 0 }, name)
    t.strictSame(reply.status && untimed(reply.status), STATUSES[name], name)
    for (const each of reply.status?.scripts ?? []) t.ok(isPlausible(each), JSON.stringify(each))
  }
})

function isPlausible({ begin, end }: ScriptStatus): boolean {
  const ms = ({ seconds, microseconds }: ScriptStatus['begin']) => seconds * 1000 + microseconds / 1000
  const took = ms(end) - ms(begin)
  return (
    begin.seconds > 1.7e9 && begin.microseconds < 1e6 && end.microseconds < 1e6 && took >= 0 && took < 2000
  )
}

t.test('a reply is read to the microsecond', async (t) => {
  const at = (microseconds: number) => ({ seconds: 0x6b03053e, microseconds })
  t.strictSame(decodeReply(fixture('contract-status-x1.reply')), {
    kind: 'status',
    reqid: FIRST,
    result: 0,
    status: {
      summary: 1,
      scripts: [
        { name: '10.aa', begin: at(0x254af), end: at(0x26366), result: 0, output: 'aa x1\n' },
        { name: '20.bb', begin: at(0x263c9), end: at(0x263f9), result: -8, output: undefined },
        { name: '30.cc', begin: at(0x263fa), end: at(0x2a10d), result: 1, output: 'exiting 1\n' },
      ],
    },
  })
  t.strictSame(decodeReply(fixture('contract-status-never-ran.reply')), {
    kind: 'status',
    reqid: 101,
    result: 22,
  })
})

// ---------------------------------------------------------------- written and read again

const u32 = fc.oneof(
  fc.nat(70_000),
  fc.nat(0xffffffff),
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff),
)
const i32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, -8, -110, -125, 255, -0x80000000, 0x7fffffff))

/** Plain objects, as the decoder makes them. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true })

/** Text as a script prints it, and as no script should. Each text is the only text for its bytes. */
const text = fc
  .oneof(
    fc.constantFrom(
      '',
      ' ',
      '\n',
      '\ufeffbom',
      'Grüße',
      '地址',
      '🙂',
      '\udcff',
      'a\udc80b\udcff\udcff',
      '\ufffd',
    ),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary-ascii', maxLength: 500 }),
  )
  .map((each) => each.replaceAll('\0', ''))
const maybe = fc.option(text, { nil: undefined })

const request: fc.Arbitrary<Request> = fc.oneof(
  record({
    kind: fc.constant('run' as const),
    reqid: u32,
    component: text,
    event: text,
    args: maybe,
    timeout: u32,
    flags: u32,
  }),
  record({ kind: fc.constant('status' as const), reqid: u32, component: text, event: text }),
  record({
    kind: fc.constant('script' as const),
    reqid: u32,
    component: text,
    script: text,
    action: fc.constantFrom(0, 1),
  }),
)

const time = record({
  seconds: fc.oneof(fc.nat(), fc.maxSafeInteger()),
  microseconds: fc.oneof(fc.nat(999_999), fc.maxSafeInteger()),
})
const scriptStatus = record({ name: text, begin: time, end: time, result: i32, output: maybe })
const reply: fc.Arbitrary<Reply> = fc.oneof(
  record({ kind: fc.constantFrom('run' as const, 'script' as const), reqid: u32, result: i32 }),
  record({
    kind: fc.constant('status' as const),
    reqid: u32,
    result: i32.filter((result) => result !== 0),
  }),
  record({
    kind: fc.constant('status' as const),
    reqid: u32,
    result: fc.constant(0),
    status: record({ summary: i32, scripts: fc.array(scriptStatus, { maxLength: 40 }) }),
  }),
)

t.test('every request is read back unchanged', async (t) => {
  fc.assert(fc.property(request, (each) => isDeepStrictEqual(decodeRequest(encodeRequest(each)), each)))
  t.pass('no counterexample')
})

t.test('every reply is read back unchanged', async (t) => {
  fc.assert(fc.property(reply, (each) => isDeepStrictEqual(decodeReply(encodeReply(each)), each)))
  t.pass('no counterexample')
})

t.test('any bytes without NUL in a text are written back byte for byte', async (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ min: 1, maxLength: 60 }),
    // Bytes that begin or continue a character of several bytes are more frequent.
    fc.array(fc.constantFrom(0x41, 0x80, 0x90, 0xa0, 0xbf, 0xc1, 0xc3, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5)),
  )
  const prefix = encodeRequest({ kind: 'status', reqid: 1, component: 'c', event: '' }).subarray(0, -5)
  fc.assert(
    fc.property(bytes, (each) => {
      const packet = Buffer.concat([prefix, int32(each.length + 1), Buffer.from(each), Buffer.alloc(1)])
      packet.writeUInt32LE(packet.length)
      return encodeRequest(decodeRequest(packet)).equals(packet)
    }),
    { numRuns: 5000 },
  )
  const decoded = (...each: number[]) => {
    const packet = Buffer.concat([prefix, int32(each.length), Buffer.from(each)])
    packet.writeUInt32LE(packet.length)
    return (decodeRequest(packet) as { event: string }).event
  }
  t.equal(decoded(0xed, 0xa0, 0x80), '\udced\udca0\udc80', 'half a surrogate pair is no UTF-8')
  t.equal(decoded(0xc0, 0xaf), '\udcc0\udcaf', 'an overlong form is no UTF-8 either')
  t.equal(decoded(0xe2, 0x82, 0x41), '\udce2\udc82A')
  t.equal(decoded(0xe2, 0x82, 0xac, 0xff), '€\udcff')
})

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

t.test('strings may be NULL, empty, without a NUL, or with several', async (t) => {
  const head = encodeRequest({ kind: 'status', reqid: 1, component: 'c', event: '' }).subarray(0, -5)
  const eventOf = (...rest: (Buffer | string)[]) => {
    const packet = Buffer.concat([head, ...rest.map((each) => Buffer.from(each as string))])
    packet.writeUInt32LE(packet.length)
    return (decodeRequest(packet) as { event: string }).event
  }
  t.equal(eventOf(int32(0)), '')
  t.equal(eventOf(int32(1), '\0'), '')
  t.equal(eventOf(int32(3), 'abc'), 'abc')
  t.equal(eventOf(int32(6), 'ab\0cd\0'), 'ab')
  t.throws(() => eventOf(int32(-1), 'ab\0'), BadPacket)
  t.throws(() => eventOf(int32(4), 'ab\0'), /3 bytes left at byte 26: expected 4 of "event"/)
  const cut = encodeReply({
    kind: 'status',
    reqid: 1,
    result: 0,
    status: { summary: 0, scripts: [printed('a\0b')] },
  })
  t.equal(decodeReply(cut).status?.scripts[0]?.output, 'a', 'the encoder cuts at NUL too')
})

function printed(output: string): ScriptStatus {
  const now = { seconds: 0, microseconds: 0 }
  return { name: '10.x', begin: now, end: now, result: 0, output }
}

t.test('wrong input to an encoder is no reason to throw', async (t) => {
  t.strictSame(decodeReply(encodeReply({ kind: 'status', reqid: 1, result: 0 })), {
    kind: 'status',
    reqid: 1,
    result: 0,
    status: { summary: 0, scripts: [] },
  })
  const body = { summary: 1, scripts: [] }
  t.strictSame(decodeReply(encodeReply({ kind: 'run', reqid: 1, result: 0, status: body })).status, undefined)
  t.equal(encodeReply({ kind: 'status', reqid: 1, result: 22, status: body }).length, 20)
  const odd = { ...printed('\ud800'), begin: { seconds: 1.5, microseconds: 0.1 }, result: 2 ** 32 - 8 }
  const status = { summary: 0, scripts: [odd] }
  t.match(decodeReply(encodeReply({ kind: 'status', reqid: -1, result: 0, status })), {
    reqid: 0xffffffff,
    status: { scripts: [{ output: '\ufffd', begin: { seconds: 1, microseconds: 0 }, result: -8 }] },
  })
})

// ---------------------------------------------------------------- bytes that are no message

/** True for a message that is read, false for a message refused as BadPacket. Any other exception is a defect. */
function isRead(decode: (bytes: Buffer) => unknown, bytes: Buffer): boolean {
  try {
    decode(bytes)
    return true
  } catch (error) {
    if (error instanceof BadPacket && error.message.includes(': expected ')) return false
    throw error
  }
}

/** A message whose length field is its own length. */
function relabelled(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length >= 4) copy.writeUInt32LE(copy.length)
  return copy
}

const ALL = [
  ...namesOf('request').map((name) => ({
    name: `${name}.request`,
    bytes: fixture(`${name}.request`),
    decode: decodeRequest,
  })),
  ...namesOf('reply').map((name) => ({
    name: `${name}.reply`,
    bytes: fixture(`${name}.reply`),
    decode: decodeReply,
  })),
]

t.test('every message that is cut short is refused, or waited for', async (t) => {
  for (const { name, bytes, decode } of ALL) {
    // The bytes after the message inside its packet may be missing.
    const needed = name.endsWith('trailing.request') ? bytes.length - 5 : bytes.length
    for (let size = 0; size < bytes.length; size++) {
      const prefix = bytes.subarray(0, size)
      if (isRead(decode, prefix)) t.fail(`${name}: ${size} bytes of ${bytes.length} are read`)
      if (isRead(decode, relabelled(prefix)) !== size >= needed) t.fail(`${name}: relabelled, ${size} bytes`)
      if (new Frames().push(prefix).length > 0) t.fail(`${name}: ${size} bytes are a packet`)
    }
    t.ok(isRead(decode, bytes), name)
    t.ok(
      isRead(decode, relabelled(Buffer.concat([bytes, Buffer.from('more')]))),
      `${name} with more bytes after the message`,
    )
  }
})

t.test('every generated message that is cut short is refused', async (t) => {
  const refused = (decode: (bytes: Buffer) => unknown, whole: Buffer, share: number) => {
    const prefix = whole.subarray(0, Math.floor(share * whole.length))
    return !isRead(decode, prefix) && !isRead(decode, relabelled(prefix))
  }
  const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(fc.property(request, share, (each, part) => refused(decodeRequest, encodeRequest(each), part)))
  fc.assert(fc.property(reply, share, (each, part) => refused(decodeReply, encodeReply(each), part)))
  t.pass('no counterexample')
})

t.test('random bytes, and messages with some changed bytes, give BadPacket and nothing else', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each))
  const command = fc.constantFrom(1, 2, 3)
  const started = fc.tuple(bytes, command).map(([rest, each]) => {
    const zero = Buffer.alloc(4)
    return relabelled(Buffer.concat([zero, zero, zero, int32(each), rest]))
  })
  const changed = fc
    .tuple(fc.constantFrom(...ALL), fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 5 }))
    .map(([{ bytes: whole }, changes]) => {
      const copy = Buffer.from(whole)
      for (const [at, value] of changes) copy[4 + (at % (copy.length - 4))] = value
      return copy
    })
  fc.assert(
    fc.property(fc.oneof(bytes, bytes.map(relabelled), started, changed), (each) => {
      isRead(decodeRequest, each)
      isRead(decodeReply, each)
    }),
    { numRuns: 5000 },
  )
  const edited = (name: string, at: number, value: number) => {
    const copy = fixture(name)
    copy.writeInt32LE(value, at)
    return copy
  }
  const refuses = (decode: (bytes: Buffer) => unknown, each: Buffer, expected: RegExp) =>
    t.throws(() => decode(each), { name: 'BadPacket', message: expected })
  refuses(decodeRequest, edited('run-ok.request', 12, 4), /^command 4: expected 1 \(run\), 2 \(status\) or 3/)
  refuses(decodeRequest, edited('run-ok.request', 12, 0), /^command 0: expected/)
  refuses(
    decodeRequest,
    edited('run-ok.request', 0, 51),
    /^a packet of 50 bytes: expected 51, as its header says/,
  )
  refuses(
    decodeRequest,
    edited('contract-script-enable.request', 37, 2),
    /^action 2: expected 0 \(disable\) or 1/,
  )
  refuses(decodeReply, edited('contract-status-x1.reply', 24, -1), /^-1 scripts: expected a count/)
  refuses(decodeReply, edited('contract-status-x1.reply', 24, 4), /^0 bytes left at byte 196: expected 4 of/)
  refuses(decodeReply, edited('contract-status-x1.reply', 24, 0x7fffffff), /^0 bytes left at byte 196/)
})

// ---------------------------------------------------------------- a stream

/** Cut into pieces of these lengths, in rotation. */
function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (lengths[i % lengths.length] ?? 1)
    parts.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  return parts
}

t.test('a stream of messages is read alike, however the bytes arrive', async (t) => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 900 })), {
    minLength: 1,
  })
  fc.assert(
    fc.property(fc.array(request), lengths, (requests, cuts) => {
      const frames = new Frames()
      const chunks = pieces(Buffer.concat(requests.map(encodeRequest)), cuts)
      const packets = chunks.flatMap((chunk) => {
        const found = frames.push(chunk)
        chunk.fill(0xff) // A decoded message must not change when the input buffer changes.
        return found
      })
      return isDeepStrictEqual(packets.map(decodeRequest), requests)
    }),
  )
  t.pass('no counterexample')
})

t.test('random streams give packets of 12 bytes at least, or BadPacket for ever', async (t) => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each)))
  const smallWords = fc.array(fc.nat(40)).map((words) => [Buffer.concat(words.map(int32))])
  fc.assert(
    fc.property(fc.oneof(chunks, smallWords), (stream) => {
      const frames = new Frames(64)
      const packets: Buffer[] = []
      const open = stream.map((chunk) => isRead((each) => packets.push(...frames.push(each)), chunk))
      const whole = packets.every((packet) => packet.length === packet.readUInt32LE() && packet.length >= 12)
      const takesNoMore = !open.includes(false) || !open.slice(open.indexOf(false)).includes(true)
      return whole && takesNoMore
    }),
  )
  t.pass('no counterexample')
})

t.test('the allowed lengths of a packet are enforced', async (t) => {
  for (const length of [0, 1, 11, 65, -1]) {
    const frames = new Frames(64)
    t.throws(() => frames.push(int32(length)), { name: 'BadPacket', message: /: expected 12 to 64$/ })
    t.throws(() => frames.push(Buffer.alloc(0)), BadPacket)
    t.throws(() => frames.push(encodeRequest(status('x'))), BadPacket)
  }
  t.equal(new Frames(64).push(Buffer.concat([int32(12), Buffer.alloc(8)])).length, 1)
  t.equal(new Frames(64).push(Buffer.concat([int32(64), Buffer.alloc(60)])).length, 1)
  t.same(new Frames().push(int32(16 * 1024 * 1024)), [], '16 MiB are accepted')
  t.throws(() => new Frames().push(int32(16 * 1024 * 1024 + 1)), BadPacket)
})

/** Bytes that buffers hold, without the bytes that are no longer referenced. */
function buffers(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().arrayBuffers
}

t.test(
  'memory: an announced length costs nothing, an unfinished packet at most twice its bytes',
  async (t) => {
    const mebibyte = 1024 * 1024
    const chunk = Buffer.alloc(1000)
    const before = buffers()
    const many = Array.from({ length: 200 }, () => new Frames())
    for (const frames of many) frames.push(int32(16 * mebibyte))
    const announced = buffers() - before
    t.ok(announced < mebibyte, `200 of 16 MiB each are announced: ${announced} bytes`)
    for (const frames of many) for (let i = 0; i < 70; i++) frames.push(chunk)
    const begun = buffers() - before
    t.ok(begun < 200 * 2.1 * 70_000, `of each 70,000 bytes have come: ${begun} bytes`)
    t.equal(many.length, 200)
  },
)

t.test('a large packet in small pieces is read at a low cost', async (t) => {
  const size = 16 * 1024 * 1024
  const frames = new Frames()
  const started = performance.now()
  const packets = pieces(Buffer.concat([int32(size), Buffer.alloc(size - 4, 1)]), [997]).flatMap((each) =>
    frames.push(each),
  )
  t.ok(performance.now() - started < 5000, 'each byte is copied a few times, not thousands of times')
  t.same(
    packets.map(({ length, buffer }) => [length, buffer.byteLength]),
    [[size, size]],
    'nothing but the packet is kept',
  )
})

// ---------------------------------------------------------------- the other byte order

t.test('messages of a big-endian machine are read', async (t) => {
  const mocks = { 'node:os': { endianness: () => 'BE' } }
  const from = '../../runner/eventd/protocol/'
  const big = {
    ...(await t.mockImport<typeof import('../../runner/eventd/protocol/encode.ts')>(
      `${from}encode.js`,
      mocks,
    )),
    ...(await t.mockImport<typeof import('../../runner/eventd/protocol/decode.ts')>(
      `${from}decode.js`,
      mocks,
    )),
    ...(await t.mockImport<typeof import('../../runner/eventd/protocol/frames.ts')>(
      `${from}frames.js`,
      mocks,
    )),
  }
  const bytes = big.encodeRequest(run('ok', 'a b'))
  t.equal(
    bytes.toString('hex'),
    '00000032' +
      '00000000' +
      '7fffff38' +
      '00000001' +
      '000000076c656761637900' +
      '000000036f6b00' +
      '0000000461206200' +
      '0000001e' +
      '00000000',
  )
  t.strictSame(new big.Frames().push(bytes).map(big.decodeRequest), [run('ok', 'a b')])
  fc.assert(
    fc.property(request, (each) => isDeepStrictEqual(big.decodeRequest(big.encodeRequest(each)), each)),
  )
  fc.assert(fc.property(reply, (each) => isDeepStrictEqual(big.decodeReply(big.encodeReply(each)), each)))
  t.throws(() => big.decodeRequest(fixture('run-ok.request')), { name: 'BadPacket' })
})
