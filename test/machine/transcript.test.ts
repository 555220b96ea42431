/**
 * A recording is written, read, edited by people and cut short by accidents. None of these may surprise the reader.
 */
import * as fc from 'fast-check'
import t from '../tap.ts'
import { canonical, familyOf } from '../../runner/inet/address.ts'
import { contains, networkOf, networkText, parseNetwork } from '../../runner/inet/network.ts'
import { fromShell, toShell } from '../../runner/machine/argv.ts'
import { CannotRun, FileError, LockBusy, Mismatch } from '../../runner/machine/errors.ts'
import { redactor } from '../../runner/machine/recording/redact/redact.ts'
import { Replay } from '../../runner/machine/recording/replay.ts'
import {
  writeHead,
  writeHeader,
  writeNote,
  writeTail,
} from '../../runner/machine/recording/write-transcript.ts'
import { readTranscript } from '../../runner/machine/recording/read-transcript.ts'
import {
  BadTranscript,
  isNote,
  type Header,
  type Note,
  type Step,
  type Transcript,
} from '../../runner/machine/recording/transcript.ts'
import { replayFile } from '../../runner/engine/replay-event.ts'
import { Usage } from '../../runner/base/refusal.ts'

// The time of day must not decide whether a build passes. FUZZ_RUNS=100000 searches longer.
fc.configureGlobal({ seed: 20_260_807, numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) })

type Entry = Step | Note

function write(header: Header, entries: readonly Entry[]): string {
  const lines = entries.map((entry) =>
    isNote(entry) ? writeNote(entry) : writeHead(entry) + writeTail(entry),
  )
  return writeHeader(header) + lines.join('')
}

/** Steps without line numbers, because the written steps have none. */
function unnumbered({ entries }: Transcript): object[] {
  return entries.map(({ line: _line, ...entry }) => entry)
}

const HEADER: Header = { event: 'monitor', words: [], env: {}, facts: {} }
const RESULT: Note = { verb: 'result', outcome: 'ok' }

// ---------------------------------------------------------------- written and read again

const text = fc.oneof(
  fc.constantFrom(
    '',
    '\n',
    'one line\n',
    'no newline',
    '\n\n',
    ' \n',
    'a\r\nb\r\n',
    '\u0000\u001b[1m\n',
    '# x\n',
  ),
  fc.string({ unit: 'binary' }),
  fc.array(fc.string({ unit: 'grapheme' })).map((lines) => lines.map((line) => `${line}\n`).join('')),
)
const word = fc.oneof(
  fc.constantFrom(
    'eth0',
    '',
    "it's",
    '$HOME',
    '"',
    '\\',
    'a b',
    '\t',
    '\n',
    "'\n'",
    '#',
    '\u0001',
    '`id`',
    '\u2028',
  ),
  fc.string({ unit: 'binary' }),
)
const argv = fc.array(word, { minLength: 1, maxLength: 5 })
const ms = fc.option(
  fc.integer({ min: 0, max: 99_999 }).map((tenths) => tenths / 10),
  { nil: undefined },
)
const trouble = fc.record({
  kind: fc.constantFrom('file' as const, 'program' as const, 'busy' as const),
  code: fc.oneof(fc.constantFrom('EACCES', 'another has it'), fc.string({ minLength: 1 })),
})
const answer = fc.record({ status: fc.integer({ min: 0, max: 255 }), out: text, err: text })

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    verb: fc.constant('ask' as const),
    how: fc.constant('run' as const),
    argv,
    input: fc.option(text, { nil: undefined }),
    answer,
    ms,
  }),
  fc.record({
    verb: fc.constant('change' as const),
    how: fc.constantFrom('run' as const, 'start' as const, 'script' as const),
    argv,
    answer,
    ms,
  }),
  fc.record({ verb: fc.constant('ask' as const), how: fc.constant('run' as const), argv, trouble, ms }),
  fc.record({ verb: fc.constant('read' as const), path: word, text, ms }),
  fc.record({ verb: fc.constant('read' as const), path: word, absent: fc.constant(true), ms }),
  fc.record({ verb: fc.constant('read' as const), path: word, trouble }),
  fc.record({ verb: fc.constant('write' as const), path: word, text, ms }),
  fc.record({ verb: fc.constant('write' as const), path: word, text, trouble }),
  fc.record({ verb: fc.constant('lock' as const), path: word, seconds: fc.nat(), ms }),
  fc.record({
    verb: fc.constant('lock' as const),
    path: word,
    seconds: fc.nat(),
    shared: fc.constant(true),
    ms,
  }),
  fc.record({ verb: fc.constant('lock' as const), path: word, seconds: fc.nat(), trouble }),
  fc.record({ verb: fc.constant('unlock' as const), path: word }),
  fc.record({ verb: fc.constant('find' as const), program: word, path: fc.option(word, { nil: undefined }) }),
)
const note: fc.Arbitrary<Note> = fc.oneof(
  fc.record({ verb: fc.constant('handler' as const), name: word }),
  fc.record({
    verb: fc.constant('say' as const),
    text: fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\n', ' ')),
  }),
  fc.record({
    verb: fc.constant('end' as const),
    outcome: fc.constantFrom('ok', 'failed', 'cannot-run'),
    why: fc.option(fc.string({ unit: 'binary', minLength: 1 }), { nil: undefined }),
  }),
)
const header: fc.Arbitrary<Header> = fc.record({
  event: word,
  words: fc.array(word),
  env: fc.dictionary(fc.constantFrom('CTDB_BASE', 'CTDB', 'EVENTSCRIPT_ANNOUNCE'), word),
  facts: fc.dictionary(fc.constantFrom('privileged', 'announcer', 'options'), word),
})

void t.test('a written recording is read again unchanged', async (test) => {
  fc.assert(
    fc.property(header, fc.array(fc.oneof(step, note)), (head, entries) => {
      const written = write(head, [...entries, RESULT])
      const found = readTranscript(written)
      test.notOk(found.cut)
      // An empty step is not written: an input of no characters counts as no input.
      const meant = JSON.parse(JSON.stringify(entries), (key, value: unknown) =>
        key === 'input' && value === '' ? undefined : value,
      ) as object[]
      if (JSON.stringify(found.header) !== JSON.stringify({ ...found.header, ...head })) return false
      return (
        write(found.header, found.entries) === written && sameEntries(unnumbered(found), [...meant, RESULT])
      )
    }),
  )
})

function sameEntries(found: object[], meant: object[]): boolean {
  const sorted = (entries: object[]) =>
    JSON.stringify(entries, (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    )
  return sorted(found) === sorted(meant)
}

void t.test('a command of any words is a single line, and a shell would see the same words', async (test) => {
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const line = toShell(words)
      return !line.includes('\n') && JSON.stringify(fromShell(line)) === JSON.stringify(words)
    }),
  )
  test.same(fromShell(`ip "a b" c\\ d 'e'"f" $'g\\n' h$'\\x01'`), [
    'ip',
    'a b',
    'c d',
    'ef',
    'g\n',
    'h\u0001',
  ])
  for (const open of ["'a", '"a', "$'a", '\\']) test.equal(fromShell(open), undefined, open)
})

void t.test('people may edit a recording: comments, blank lines and quotes change nothing', async (test) => {
  const found = readTranscript(
    [
      'eventscript recording 1',
      '# edited',
      '',
      "event 'takeip' eth0 10.0.0.1 24",
      "env CTDB_BASE='/a b'",
      'fact privileged=yes',
      '   ',
      'ask ip -json',
      '# in the middle',
      '  exit 0',
      '  out one',
      '',
      '  out= "two"',
      'result ok',
      '',
    ].join('\n'),
  )
  test.match(found.header, { event: 'takeip', words: ['eth0', '10.0.0.1', '24'], env: { CTDB_BASE: '/a b' } })
  test.match(unnumbered(found), [{ argv: ['ip', '-json'], answer: { status: 0, out: 'one\ntwo' } }, RESULT])
  test.notOk(found.cut)
})

// ---------------------------------------------------------------- damage

const SAMPLE = write(
  { event: 'takeip', words: ['eth0', '10.0.0.1', '24'], env: { CTDB: 'ctdb' }, facts: { privileged: 'yes' } },
  [
    { verb: 'handler', name: '10.interface' },
    { verb: 'read', path: '/etc/ctdb/script.options', absent: true, ms: 0.1 },
    {
      verb: 'ask',
      how: 'run',
      argv: ['ip', '-json', 'addr', "it's"],
      answer: { status: 1, out: '[]\nü', err: 'no\n' },
      ms: 1.5,
    },
    {
      verb: 'change',
      how: 'run',
      argv: ['ctdb', 'tickle'],
      input: 'a b\n\u0001c\n',
      answer: { status: 0, out: '', err: '' },
    },
    { verb: 'lock', path: '/var/lock', seconds: 10, trouble: { kind: 'busy', code: 'someone has it' } },
    { verb: 'write', path: '/proc/x', text: '1\n', trouble: { kind: 'file', code: 'EACCES' } },
    { verb: 'find', program: 'arping', path: '/usr/bin/arping' },
    { verb: 'say', text: 'WARNING: two\nlines' },
    { verb: 'end', outcome: 'failed', why: 'because' },
    { verb: 'result', outcome: 'failed' },
  ],
)

/** Reads the recording, or names the line that cannot be read. A replay of the result gives no surprise either. */
async function staysCalm(damaged: string): Promise<string> {
  try {
    const { cut } = readTranscript(damaged)
    const { problems } = await replayFile(damaged, [])
    return cut ? `cut: ${problems.join()}` : 'read'
  } catch (error) {
    if (error instanceof Usage) return error.message
    if (!(error instanceof BadTranscript)) throw error
    if (!/^line \d+: ".*": expected \S/s.test(error.message)) throw error
    return error.message
  }
}

void t.test('a recording that is cut anywhere is read up to the cut, and reports the cut', async (test) => {
  const bytes = Buffer.from(SAMPLE)
  const headerEnds = SAMPLE.indexOf('env ')
  for (let length = 0; length < bytes.length; length += 1) {
    const damaged = bytes.subarray(0, length).toString('utf8')
    const told = await staysCalm(damaged)
    if (length < headerEnds) test.match(told, /^line \d+: /, `after ${length} bytes`)
    else test.match(told, /cut short after line \d+/, `after ${length} bytes`)
  }
})

void t.test('the rest of a cut recording is as recorded', async (test) => {
  const lines = SAMPLE.split('\n')
  const whole = unnumbered(readTranscript(SAMPLE))
  for (let count = 2; count < lines.length - 1; count += 1) {
    const found = readTranscript(`${lines.slice(0, count).join('\n')}\n`)
    const complete = unnumbered(found).slice(0, -1)
    test.same(complete, whole.slice(0, complete.length))
    test.ok(found.cut)
  }
})

void t.test('flipped bytes and strange lines give a line number, never a stack', async (test) => {
  const lines = SAMPLE.split('\n')
  const at = fc.nat(Buffer.byteLength(SAMPLE) - 1)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 4 }), async (flips) => {
      const bytes = Buffer.from(SAMPLE)
      for (const [index, value] of flips) bytes[index] = value
      await staysCalm(bytes.toString('utf8'))
    }),
  )
  const strange = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...lines),
    fc
      .tuple(
        fc.constantFrom(
          'ask',
          'read',
          '  out',
          '  out=',
          '  exit',
          '  took',
          '  error',
          'env',
          'event',
          'lock',
          '  in',
        ),
        word,
      )
      .map((words) => words.join(' ')),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(lines.length), strange), { maxLength: 4 }),
      async (inserted) => {
        const damaged = [...lines]
        for (const [index, line] of inserted) damaged.splice(index, 0, line)
        await staysCalm(damaged.join('\n'))
      },
    ),
  )
  await fc.assert(fc.asyncProperty(fc.array(strange), async (all) => void (await staysCalm(all.join('\n')))))
  test.pass('no other exception')
})

void t.test('an unreadable line is named with its number and the expected form', async (test) => {
  const TOP = 'eventscript recording 1\nevent monitor\n'
  const cases: [string, RegExp][] = [
    ['', /^line 1: "": expected "eventscript recording 1"/],
    ['eventscript recording 1', /^line 1: .*: expected .*newline/],
    ['eventscript recording 2\n', /^line 1: "eventscript recording 2": expected/],
    ['eventscript recording 1\r\nevent monitor\r\n', /^line 1: "eventscript recording 1\\r"/],
    ['eventscript recording 1\n', /^line 1: .*expected the line "event NAME/],
    ['eventscript recording 1\nask ip\n', /^line 2: "ask ip": expected the line "event NAME/],
    [`${TOP}  exit 0\n`, /^line 3: " {2}exit 0": expected a step before its details/],
    [`${TOP}ask ip 'x\n`, /^line 3: .*expected "ask PROGRAM/],
    [`${TOP}ask ip\n  out x\n`, /^line 4: " {2}out x": expected "exit N" before the output/],
    [`${TOP}ask ip\n  exit -1\n`, /^line 4: .*expected "exit N \[SIGNAL\]"/],
    [`${TOP}ask ip\n  exit 0\n  out= "x\n`, /^line 5: .*expected a JSON string/],
    [`${TOP}read /x\n  out= 5\n`, /^line 4: .*expected a JSON string/],
    [`${TOP}read /x\n  error fire EIO\n`, /^line 4: .*expected "error file\|program\|busy CODE"/],
    [`${TOP}read /x\n  took long\n`, /^line 4: .*expected "took" with a number/],
    [`${TOP}read /x\n  exit 0\n`, /^line 4: .*expected a detail of "read"/],
    [`${TOP}say x\n  out x\n`, /^line 4: .*expected nothing of that kind below "say"/],
    [`${TOP}lock /x soon\n`, /^line 3: .*expected "lock FILE SECONDS \[shared\]"/],
    [`${TOP}lock /x 5 alone\n`, /^line 3: .*expected "lock FILE SECONDS \[shared\]"/],
    [`${TOP}lock /x\n`, /^line 3: .*expected "lock FILE SECONDS \[shared\]"/],
    [`${TOP}write\n`, /^line 3: .*expected "write FILE"/],
    [`${TOP}find\n`, /^line 3: .*expected "find PROGRAM"/],
    [`${TOP}end Well\n`, /^line 3: .*expected "end OUTCOME"/],
    [`${TOP}env X\n`, /^line 3: .*expected "env NAME=VALUE"/],
    [`${TOP}fact =x\n`, /^line 3: .*expected "fact NAME=VALUE"/],
    [`${TOP}frobnicate\n`, /^line 3: "frobnicate": expected ask, change/],
  ]
  for (const [damaged, expected] of cases)
    test.throws(() => readTranscript(damaged), { name: 'BadTranscript', message: expected }, damaged)
})

// ---------------------------------------------------------------- replaying

function machine(...entries: Entry[]) {
  return new Replay(readTranscript(write(HEADER, [...entries, RESULT])))
}

void t.test('the replayed machine answers in turn, and with the errors of the live machine', async (test) => {
  const system = machine(
    { verb: 'read', path: '/a', text: '' },
    { verb: 'read', path: '/b', absent: true },
    { verb: 'read', path: '/c', trouble: { kind: 'file', code: 'EACCES' } },
    { verb: 'ask', how: 'run', argv: ['ip'], trouble: { kind: 'program', code: 'ENOENT' } },
    { verb: 'lock', path: '/l', seconds: 3, trouble: { kind: 'busy', code: 'taken' } },
    { verb: 'lock', path: '/l', seconds: 3 },
    { verb: 'find', program: 'x' },
    { verb: 'unlock', path: '/l' },
  )
  test.equal(await system.read('/a'), '')
  test.equal(await system.read('/b'), undefined)
  await test.rejects(system.read('/c'), new FileError('read', '/c', 'EACCES'))
  await test.rejects(system.run('ask', ['ip'], {}), new CannotRun('ip', 'ENOENT'))
  await test.rejects(system.hold('/l', 3), new LockBusy('taken'))
  const release = await system.hold('/l', 3)
  test.equal(await system.find('x'), undefined)
  test.throws(() => system.finished(), Mismatch, 'the lock is still to be released')
  await release()
  system.finished()
})

void t.test(
  'a step that differs from the recorded step shows both, and no step after it is answered',
  async (test) => {
    const system = machine({
      verb: 'change',
      how: 'run',
      argv: ['ip', 'a'],
      input: 'x\n',
      answer: { status: 0, out: '', err: '' },
    })
    const expected = /line 4: .*differ\n +asked now: ask ip a\n +recorded: +change ip a\n +in x/s
    await test.rejects(system.run('ask', ['ip', 'a'], {}), { name: 'Mismatch', message: expected })
    await test.rejects(system.run('change', ['ip', 'a'], { input: 'x\n' }), { message: expected })
    test.throws(() => system.finished(), { message: expected })
  },
)

void t.test('a program that the deadline ended has no answer', async (test) => {
  const system = machine({ verb: 'ask', how: 'run', argv: ['ctdb', 'ip'] })
  await test.rejects(system.run('ask', ['ctdb', 'ip'], {}), {
    message: /line 4: .*does not say how this ended/s,
  })
})

void t.test('an address in a network stays in it when hidden, and a network stays a network', (test) => {
  const hide = redactor('node1')
  test.equal(hide('10.0.0.1/24 via 10.0.0.254'), '198.18.0.1/24 via 198.18.0.129')
  test.equal(hide('10.0.0.0/24 10.0/16 10.5.0.0/16'), '198.18.0.0/24 198.18.0.0/16 198.22.0.0/16')
  test.equal(
    hide('10.0.0.0/255.255.255.0 10.5/255.255.0.0'),
    '198.18.0.0/255.255.255.0 198.22.0.0/255.255.0.0',
  )
  test.equal(hide('fd00::/64 fd00::fe fe80::7'), '2001:db8::/64 2001:db8::81 fe80::1')
  const dotted = fc.ipV4().filter((ip) => !/^(127|0|255)\./.test(ip))
  const six = fc.ipV6().map((ip) => canonical(ip) ?? '')
  const plain = six.filter((ip) => ip.includes(':') && !/^(?:0?:|ff)/.test(ip))
  for (const [addresses, head, all] of [
    [dotted, 8, 32],
    [plain, 16, 128],
  ] as const)
    fc.assert(
      fc.property(
        fc.array(addresses, { minLength: 2, maxLength: 8 }),
        fc.integer({ min: head, max: all }),
        (some, bits) => {
          const own = redactor('node1')
          const hidden = some.map((ip) => own(ip))
          const networks = some.map((ip) => networkText(networkOf(ip, bits)))
          return some.every((ip, i) =>
            networks.every((text, j) => {
              const network = parseNetwork(own(text), familyOf(ip))
              const before = parseNetwork(text, familyOf(ip))
              if (typeof network === 'string' || typeof before === 'string') return false
              return contains(network, hidden[i] ?? '') === contains(before, ip) && hidden[j] !== ''
            }),
          )
        },
      ),
    )
  test.end()
})

void t.test('private values are hidden alike in every spelling, and no value is hidden twice', (test) => {
  const hide = redactor('node1')
  const same = (spellings: string[], other: string) => {
    for (const text of spellings) test.equal(hide(text), other, text)
  }
  same(['10.0.0.1', '::ffff:10.0.0.1'], '198.18.0.1')
  same(['fd00::1', 'FD00:0:0::1'], '2001:db8::1')
  same(['fd00::1: no such host'], '2001:db8::1: no such host')
  same(['src:10.0.0.1, eth0:fd00::1.'], 'src:198.18.0.1, eth0:2001:db8::1.')
  same(['at 10.0.0.1.'], 'at 198.18.0.1.')
  same(['ctdb.10.0.0.1 ctdb.fd00::1'], 'ctdb.198.18.0.1 ctdb.2001:db8::1')
  same(['fd000000000000000000000000000001'], '20010db8000000000000000000000001')
  same(['52:54:00:12:34:56', '52:54:00:12:34:56'.toUpperCase()], '02:00:00:00:00:01')
  same(['node1 Node1'], 'node node')
  same(['::1 127.0.0.1 ff02::1 12:34:56 1.2.3'], '::1 127.0.0.1 ff02::1 12:34:56 1.2.3')
  test.end()
})
