import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import * as fc from 'fast-check'
import { join } from 'node:path'
import t, { type Test } from '../tap.ts'
import { factsHere } from '../../runner/node/facts.ts'
import { loadSettings } from '../../runner/node/settings.ts'
import { semaphore } from '../../runner/eventd/run/semaphore.ts'
import { runEvent } from '../../runner/engine/run-event.ts'
import type { World } from '../../runner/engine/world.ts'
import { parseEvent } from '../../runner/node/events.ts'
import type { Handler, Node } from '../../runner/handler.ts'
import { findHandlers, type Entry } from '../../runner/engine/find-handlers.ts'
import { refuse, Usage } from '../../runner/base/refusal.ts'
import { fromShell, toArgv, toShell, type Word } from '../../runner/machine/argv.ts'
import { toBytes, toText } from '../../runner/machine/bytes.ts'
import { altered, doorTo } from '../../runner/machine/machine.ts'
import { live } from '../../runner/machine/live/live.ts'
import { ANYBODY } from '../../runner/machine/remedy/remedy.ts'

t.test('a typed command is a list of words, whatever the values contain', (t) => {
  const argv = (strings: TemplateStringsArray, ...values: Word[]) => toArgv(strings, values)
  const evil = 'a b; rm -rf $HOME'
  t.same(argv`ip addr add ${'10.0.0.1'}/${24} dev ${evil}`, ['ip', 'addr', 'add', '10.0.0.1/24', 'dev', evil])
  t.same(argv`ip addr add ${'x'} ${['brd', '+']} dev e`, ['ip', 'addr', 'add', 'x', 'brd', '+', 'dev', 'e'])
  t.same(argv`ip addr add x ${[]} dev e`, ['ip', 'addr', 'add', 'x', 'dev', 'e'])
  t.same(argv`echo ${''} end`, ['echo', '', 'end'], 'an empty value stays a word')
  t.same(argv`src [${'fd00::1'}]`, ['src', '[fd00::1]'])
  t.end()
})

t.test('a command can be pasted into a shell, and read back', (t) => {
  const commands = [
    ['ip', 'addr'],
    ['a b', "it's", '', '$x', '*', '\\'],
    ['ss', 'src', '[fd00::1]'],
    ['x\ny'],
  ]
  for (const argv of commands) t.same(fromShell(toShell(argv)), argv, toShell(argv))
  t.equal(
    toShell(['ip', 'addr', 'add', '10.0.0.1/24', 'brd', '+', 'dev', 'eth0']),
    'ip addr add 10.0.0.1/24 brd + dev eth0',
  )
  t.equal(fromShell("a 'open"), undefined)
  t.end()
})

t.test("an event's words become typed arguments, with addresses in canonical form", (t) => {
  t.same(parseEvent('takeip', ['eth0', 'FD00:0::1', '64']).args, {
    iface: 'eth0',
    address: 'fd00::1',
    bits: 64,
  })
  t.same(parseEvent('releaseip', ['__none__', '10.0.0.1', '24']).args, {
    iface: '__none__',
    address: '10.0.0.1',
    bits: 24,
  })
  t.same(parseEvent('releaseip', ['eth0@if5', '10.0.0.1', '24']).args, {
    iface: 'eth0',
    address: '10.0.0.1',
    bits: 24,
  })
  t.same(parseEvent('updateip', ['__none__', 'eth1', '10.0.0.1', '24']).args, {
    from: '__none__',
    to: 'eth1',
    address: '10.0.0.1',
    bits: 24,
  })
  t.equal(parseEvent('monitor', []).args, undefined)
  t.end()
})

t.test('a wrong word is named, with the expected value', (t) => {
  const wrong: [string[], RegExp][] = [
    [['takeip'], /must supply interface, IP and maskbits: takeip takes 3 words, got nothing/],
    [['takeip', 'eth0', '10.0.0.1'], /got "eth0 10.0.0.1"/],
    [['takeip', 'eth0', '10.0.0.1', '24', 'x'], /takes 3 words/],
    [['updateip', 'eth0', '10.0.0.1', '24'], /must supply old interface, new interface, IP and maskbits/],
    [['takeip', '__none__', '10.0.0.1', '24'], /takeip needs a real interface/],
    [['updateip', 'eth0', '__none__', '10.0.0.1', '24'], /needs a real interface/],
    [['takeip', '', '10.0.0.1', '24'], /"" is no interface name \(it is blank\)/],
    [['takeip', ' ', '10.0.0.1', '24'], /it is blank/],
    [['takeip', 'a/b', '10.0.0.1', '24'], /contains "\/"/],
    [['takeip', 'a b', '10.0.0.1', '24'], /or a blank/],
    [['takeip', '..', '10.0.0.1', '24'], /the kernel refuses it/],
    [['takeip', '-eth0', '10.0.0.1', '24'], /begins with "-"/],
    [['takeip', 'sixteen-bytes-xx', '10.0.0.1', '24'], /longer than 15 bytes/],
    [['takeip', 'eth0', '10.0.0', '24'], /"10.0.0" is no IP address/],
    [['takeip', 'eth0', '10.0.0.1/24', '24'], /without mask/],
    [['takeip', 'eth0', 'fe80::1%eth0', '64'], /is no IP address/],
    [['takeip', 'eth0', '224.0.0.1', '24'], /a multicast address/],
    [['takeip', 'eth0', '::', '64'], /unspecified/],
    [
      ['takeip', 'eth0', '10.0.0.1', '33'],
      /"33" is no netmask for 10.0.0.1: takeip expects a number of bits from 1 to 32/,
    ],
    [['takeip', 'eth0', 'fd00::1', '129'], /from 1 to 128/],
    [['takeip', 'eth0', '10.0.0.1', '24x'], /no netmask/],
    [['takeip', 'eth0', '10.0.0.1', '-1'], /no netmask/],
    [['monitor', 'now'], /monitor takes no arguments, got "now"/],
    [['../x'], /is no event name/],
  ]
  for (const [[name = '', ...words], message] of wrong)
    t.throws(() => parseEvent(name, words), { name: 'Usage', message }, [name, ...words].join(' '))
  t.doesNotThrow(() => parseEvent('reconfigure', ['any', 'words']), 'the protocol carries any name')
  t.end()
})

// ------------------------------------------------------------------------------------------------ the engine

const here = (extra: Partial<World> = {}): World => ({
  facts: {
    env: { CTDB_BASE: '/nonexistent' },
    privileged: true,
    announcer: 'announce',
    reader: ANYBODY,
    optionsFolder: '/nonexistent',
  },
  system: (signal) => live({ signal }),
  ...extra,
})

const module = (name: string, monitor: (node: Node) => Promise<void>): Entry => ({
  name,
  path: name,
  kind: 'module',
  load: () => Promise.resolve({ about: name, monitor } satisfies Handler),
})
const monitor = parseEvent('monitor', [])
const limits = { handler: 20_000 }

function folderWith(t: Test, scripts: Record<string, string>): string {
  const folder = t.testdir({})
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), text)
    if (name.endsWith('.script')) chmodSync(join(folder, name), 0o755)
  }
  return folder
}

t.test('handlers run in order, and the first failure ends the event', async (t) => {
  const ran: string[] = []
  const note = (name: string) => module(name, () => Promise.resolve(void ran.push(name)))
  const fails = module('20.b', (node) => {
    node.say('about to fail')
    return refuse('20.b: no link: plug it in')
  })
  const report = await runEvent([note('10.a'), fails, note('30.c')], monitor, here(), limits)
  t.same(ran, ['10.a'])
  t.match(report, {
    event: 'monitor',
    outcome: 'failed',
    handlers: [
      { name: '10.a', outcome: 'ok' },
      { name: '20.b', outcome: 'failed', output: ['about to fail'], why: '20.b: no link: plug it in' },
    ],
  })
})

t.test('a handler ignores an event that it does not know', async (t) => {
  const report = await runEvent(
    [module('10.a', () => refuse('called'))],
    parseEvent('startup', []),
    here(),
    limits,
  )
  t.equal(report.outcome, 'ok')
})

t.test('a defect keeps its stack, a refusal has none', async (t) => {
  const broken = module('10.a', () => Promise.reject(new TypeError('x is undefined')))
  const report = await runEvent([broken], monitor, here(), limits)
  t.equal(report.outcome, 'failed')
  t.match(
    report.handlers[0]?.why,
    /defect in the handler, please report it: TypeError: x is undefined\n {4}at /,
  )
})

t.test('at its deadline a handler is ended, and the program that used the time is named', async (t) => {
  const hangs = module('10.a', async (node) => {
    await node.ask`sleep 600`
  })
  const report = await runEvent([hangs, module('20.b', () => refuse('must not run'))], monitor, here(), {
    handler: 200,
  })
  t.match(report, {
    outcome: 'timedout',
    handlers: [{ why: /^timed out after 0.2 s while running "sleep 600"$/ }],
  })
  t.equal(report.handlers.length, 1)
})

t.test('a script whose turn does not come within the time of its event is not started', async (t) => {
  const folder = t.testdir()
  const marker = join(folder, 'ran')
  writeFileSync(join(folder, '10.a.script'), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 })
  const turn = semaphore(1)
  const leave = await turn(new AbortController().signal)
  const world = here({ turn })
  const report = await runEvent(findHandlers(folder), monitor, world, { handler: 200, event: 200 })
  t.match(report, {
    outcome: 'timedout',
    handlers: [
      {
        name: '10.a',
        why: 'timed out after the 0.2 s of the event, 0.2 s of it waiting while scripts of other events ran: it was not started',
      },
    ],
  })
  t.notOk(existsSync(marker))

  setTimeout(() => leave?.(), 300)
  t.match(await runEvent(findHandlers(folder), monitor, world, { handler: 9000, event: 9000 }), {
    outcome: 'ok',
  })
  t.ok(existsSync(marker), 'the unused turn goes to the next script')
})

t.test('a script that has waited for its turn has the rest of the time of its event', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, '10.a.script'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 })
  const turn = semaphore(1)
  const leave = await turn(new AbortController().signal)
  setTimeout(() => leave?.(), 100)
  const world = here({ turn })
  const report = await runEvent(findHandlers(folder), monitor, world, { handler: 600, event: 600 })
  t.match(report.handlers, [
    { why: /^timed out after the 0.6 s of the event, .* while running ".*10.a.script/ },
  ])
})

t.test('a handler that waits for nothing at all is ended too', async (t) => {
  const never = module('10.a', () => new Promise(() => {}))
  const report = await runEvent([never], monitor, here(), { handler: 50 })
  t.match(report, { outcome: 'timedout', handlers: [{ why: 'timed out after 0.05 s' }] })
})

t.test('an interrupted event fails, and names the reason', async (t) => {
  const stop = new AbortController()
  const hangs = module('10.a', async (node) => {
    setTimeout(() => stop.abort(new Error('interrupted by SIGINT')), 50)
    await node.ask`sleep 600`
  })
  const report = await runEvent([hangs], monitor, here({ interrupt: stop.signal }), limits)
  t.match(report, {
    outcome: 'failed',
    handlers: [{ why: 'interrupted by SIGINT while running "sleep 600"' }],
  })
})

t.test('executables are handlers too: words, output of both kinds in order, exit status', async (t) => {
  const folder = folderWith(t, {
    '10.ok.script': '#!/bin/sh\necho "$1 $2 $3"\necho on stderr >&2\necho "last"\n',
    '20.bad.script': '#!/bin/sh\necho going down\nexit 3\n',
    '30.never.script': '#!/bin/sh\necho never\n',
  })
  const report = await runEvent(
    findHandlers(folder),
    parseEvent('takeip', ['eth0', '10.0.0.1', '24']),
    here(),
    limits,
  )
  t.match(report, {
    outcome: 'failed',
    handlers: [
      { name: '10.ok', outcome: 'ok', output: ['takeip eth0 10.0.0.1', 'on stderr', 'last'] },
      {
        name: '20.bad',
        outcome: 'failed',
        output: ['going down'],
        why: /20.bad.script ended with exit status 3/,
      },
    ],
  })
  t.equal(report.handlers.length, 2)
})

t.test('a grandchild that keeps the output open delays nothing', async (t) => {
  const folder = folderWith(t, {
    '10.daemon.script': '#!/bin/sh\nsleep 600 &\necho "$!" >"$0.pid"\necho started\n',
  })
  const report = await runEvent(findHandlers(folder), monitor, here(), { handler: 30_000 })
  t.match(report, { outcome: 'ok', handlers: [{ output: ['started'] }] })
  const pid = Number(readFileSync(join(folder, '10.daemon.script.pid'), 'utf8'))
  t.ok(process.kill(pid, 0), 'the grandchild goes on, as a daemon should')
  process.kill(pid, 'SIGKILL')
})

t.test('at the deadline the whole process group of a script is killed, even with TERM ignored', async (t) => {
  const folder = folderWith(t, {
    '10.hangs.script':
      '#!/bin/sh\ntrap "" TERM\n(trap "" TERM; echo $$ >"$0.pid"; while :; do sleep 1; done) &\necho waiting\nwait\n',
  })
  const report = await runEvent(findHandlers(folder), monitor, here(), { handler: 400 })
  t.match(report, { outcome: 'timedout', handlers: [{ why: /10.hangs.script monitor"$/ }] })
  const pid = Number(readFileSync(join(folder, '10.hangs.script.pid'), 'utf8'))
  const gone = () => {
    try {
      process.kill(-pid, 0)
      return false
    } catch {
      return true
    }
  }
  for (let i = 0; i < 100 && !gone(); i += 1) await new Promise((resolve) => setTimeout(resolve, 50))
  t.ok(gone())
})

t.test('a script that cannot run is named with the reason, and the event goes on as with CTDB', async (t) => {
  const folder = folderWith(t, {
    '10.no-bang.script': 'echo x\n',
    '20.no-interpreter.script': '#!/no/such/interpreter\n',
    '30.crlf.script': '#!/bin/sh\r\necho x\r\n',
    '40.last.script': '#!/bin/sh\necho reached\n',
  })
  writeFileSync(join(folder, '05.off.script'), '#!/bin/sh\n', { mode: 0o644 })
  const report = await runEvent(findHandlers(folder), monitor, here(), limits)
  t.match(report, {
    outcome: 'ok',
    handlers: [
      { name: '05.off', outcome: 'disabled', why: /chmod u\+x/ },
      { name: '10.no-bang', outcome: 'cannot-run', why: /first line is no "#!"/ },
      {
        name: '20.no-interpreter',
        outcome: 'cannot-run',
        why: /interpreter \/no\/such\/interpreter does not exist/,
      },
      { name: '30.crlf', outcome: 'cannot-run', why: /lines end in CR LF/ },
      { name: '40.last', outcome: 'ok', output: ['reached'] },
    ],
  })
})

t.test('the folder is read in the order of the bytes, and other files are skipped', (t) => {
  const folder = folderWith(t, {
    '10.a.script': '#!/bin/sh\n',
    '10.a-b.script': '#!/bin/sh\n',
    '9.x.script': '#!/bin/sh\n',
    '10.a.script~': '',
    '10.a.options': '',
    '10.c.mjs': 'export default { about: "c" }',
    '10.c.script': '#!/bin/sh\n',
    README: '',
  })
  const found = findHandlers(folder).map(({ name, kind }) => `${name} ${kind}`)
  t.same(found, ['10.a-b script', '10.a script', '10.c module'])
  t.throws(() => findHandlers('/no/such/folder'), Usage)
  t.end()
})

t.test('a module that is no handler fails its event with a sentence', async (t) => {
  const folder = folderWith(t, { '10.x.mjs': 'export const y = 1\n', '20.y.mjs': 'syntax error here\n' })
  const [x, y] = findHandlers(folder)
  t.match(await runEvent(x ? [x] : [], monitor, here(), limits), {
    outcome: 'failed',
    handlers: [{ why: /10.x.mjs is no handler/ }],
  })
  t.match(await runEvent(y ? [y] : [], monitor, here(), limits), {
    outcome: 'failed',
    handlers: [{ why: /20.y.mjs cannot be loaded/ }],
  })
})

// ------------------------------------------------------------------------------------------------ settings

t.test('options files are shell, ours come last, and the environment is the default', async (t) => {
  const base = t.testdir({
    'script.options':
      '# comment\nyes=yes\nCTDB_PARTIALLY_ONLINE_INTERFACES="$yes"\nCTDB_KILLTCP_USE_SS_KILL=no\necho noise\n',
    own: {
      '10.interface.options':
        "if true; then CTDB_KILLTCP_USE_SS_KILL='YES'; fi\n[ -e /nonexistent ] && . /nonexistent\n",
    },
  })
  const facts = {
    ...factsHere('announce', join(base, 'own')),
    env: { CTDB_BASE: base, EVENTSCRIPT_ANNOUNCE: 'no' },
  }
  process.env['EVENTSCRIPT_ANNOUNCE'] = 'no'
  const settings = await loadSettings(doorTo(live()), facts, '10.interface')
  delete process.env['EVENTSCRIPT_ANNOUNCE']
  t.equal(settings.option('CTDB_PARTIALLY_ONLINE_INTERFACES'), 'yes')
  t.equal(settings.option('CTDB_KILLTCP_USE_SS_KILL'), 'yes')
  t.equal(settings.option('EVENTSCRIPT_ANNOUNCE'), 'no')
  t.same(settings.warnings, [])
})

t.test('a file of comments needs no shell; a bad value gives a WARNING and the default', async (t) => {
  const base = t.testdir({ 'script.options': '# CTDB_PARTIALLY_ONLINE_INTERFACES=yes\n\n' })
  const facts = { ...factsHere('announce'), env: { CTDB_BASE: base, EVENTSCRIPT_ANNOUNCE: 'maybe' } }
  const asked: string[] = []
  const machine = live()
  const settings = await loadSettings(
    doorTo(
      altered(machine, {
        run: (verb, argv, options) => (asked.push(toShell(argv)), machine.run(verb, argv, options)),
      }),
    ),
    facts,
    '10.interface',
  )
  t.same(asked, [])
  t.equal(settings.option('EVENTSCRIPT_ANNOUNCE'), 'yes')
  t.match(settings.warnings, [/EVENTSCRIPT_ANNOUNCE="maybe": expected yes, no: using yes/])
})

t.test('without options files the environment is asked for every option', async (t) => {
  const base = t.testdir({})
  const options = [
    'CTDB_PARTIALLY_ONLINE_INTERFACES',
    'CTDB_KILLTCP_USE_SS_KILL',
    'EVENTSCRIPT_ANNOUNCE',
    'EVENTSCRIPT_DAD',
    'EVENTSCRIPT_DAD_PROBES',
    'EVENTSCRIPT_DAD_INTERVAL_MS',
  ] as const
  for (const name of options) process.env[name] = 'nonsense'
  const facts = factsHere('announce')
  for (const name of options) delete process.env[name]
  const { warnings } = await loadSettings(
    doorTo(live()),
    { ...facts, env: { ...facts.env, CTDB_BASE: base } },
    '10.interface',
  )
  t.same(
    warnings.map((line) => line.split('=')[0]?.replace('WARNING: ', '')),
    options,
  )
})

t.test('a value may span several lines, and other variables are ignored', async (t) => {
  const base = t.testdir({
    'script.options':
      'EVENTSCRIPT_DAD="fast\n  fd00::1=off * \n"\nSECRET=x\nEVENTSCRIPT_DAD_PROBES=5\nIFS=,\n',
  })
  const facts = { ...factsHere('announce'), env: { CTDB_BASE: base } }
  let printed = ''
  const machine = live()
  const door = doorTo(
    altered(machine, {
      async run(verb, argv, options) {
        const answer = await machine.run(verb, argv, options)
        printed += answer.out
        return answer
      },
    }),
  )
  const settings = await loadSettings(door, facts, '10.interface')
  t.equal(settings.option('EVENTSCRIPT_DAD').of('fd00::1'), 'off')
  t.equal(settings.option('EVENTSCRIPT_DAD').of('fd00::2'), 'fast')
  t.equal(settings.option('EVENTSCRIPT_DAD_PROBES'), 5)
  t.match(settings.warnings, [/nothing of "\*"/])
  t.notMatch(printed, 'SECRET')
})

t.test('an options file with a syntax error is named, with the message of the shell', async (t) => {
  const base = t.testdir({ 'script.options': 'A="open\n' })
  const facts = { ...factsHere('announce'), env: { CTDB_BASE: base } }
  await t.rejects(loadSettings(doorTo(live()), facts, '10.interface'), {
    message: /script.options: the shell cannot read it: .*nterminated/i,
  })
})

t.test('options of which a part is missing are not taken for all', async (t) => {
  const base = t.testdir({ 'script.options': 'CTDB_PARTIALLY_ONLINE_INTERFACES=yes\n[ -e / ] && exit 0\n' })
  const facts = { ...factsHere('announce'), env: { CTDB_BASE: base } }
  await t.rejects(loadSettings(doorTo(live()), facts, '10.interface'), {
    message: /script.options: the shell ended before it had printed the options: .* an "exit" in it/,
  })
})

// ------------------------------------------------------------------------------------------------ the live machine

t.test('the live machine runs programs, and handles files and locks', async (t) => {
  const dir = t.testdir({ plain: 'text\n' })
  const door = doorTo(live())
  t.match(await door.ask`sh -c ${'echo out; echo err >&2; exit 3'}`, {
    status: 3,
    out: 'out\n',
    err: 'err\n',
  })
  t.match(await door.ask({ input: 'a\nb\n' })`cat`, { status: 0, out: 'a\nb\n' })
  t.match(await door.ask`sh -c ${'kill -9 $$'}`, { status: 137 })
  await t.rejects(door.ask`no-such-program-here x`, { message: /no-such-program-here: not found in PATH/ })
  t.equal(await door.read(join(dir, 'plain')), 'text\n')
  t.equal(await door.read(join(dir, 'none')), undefined)
  await t.rejects(door.read(dir), { message: /cannot read .*: it is a directory/ })
  await door.write(join(dir, 'new/folder/file'), 'x\n')
  t.equal(await door.read(join(dir, 'new/folder/file')), 'x\n')
  mkdirSync(join(dir, 'taken'))
  await t.rejects(door.write(join(dir, 'plain/below'), 'x'), { message: /cannot write/ })
  t.ok(await door.find('sh'))
  t.equal(await door.find('no-such-program-here'), undefined)

  const lock = join(dir, 'locks/a.lock')
  const order: string[] = []
  await door.hold(lock, 5, async () => {
    order.push('held')
    t.match(await door.ask`flock -n ${lock} true`, { status: 1 }, 'flock(1) sees our lock')
    await t.rejects(
      door.hold(lock, 0, () => Promise.resolve()),
      { name: 'LockBusy', message: /another process has held it/ },
    )
  })
  t.match(await door.ask`flock -n ${lock} true`, { status: 0 }, 'flock(1) sees that our lock is free')
  t.same(order, ['held'])
})

t.test(
  'a file that is written keeps its kind: a link, with its mode, and bytes that are no UTF-8',
  async (t) => {
    const dir = t.testdir({ real: {}, etc: {} })
    const door = doorTo(live())
    const file = join(dir, 'real/rt_tables')
    const link = join(dir, 'etc/rt_tables')
    writeFileSync(file, Buffer.from('# r\xe9seau\n', 'latin1'))
    chmodSync(file, 0o640)
    symlinkSync('../real/rt_tables', link)
    await door.write(link, `${await door.read(link)}1000\tctdb.10.0.0.1\n`, { readers: 'all' })
    t.ok(lstatSync(link).isSymbolicLink())
    t.equal(statSync(file).mode & 0o7777, 0o640)
    t.equal(readFileSync(file, 'latin1'), '# r\xe9seau\n1000\tctdb.10.0.0.1\n')
    symlinkSync('nowhere', join(dir, 'etc/dangling'))
    await door.write(join(dir, 'etc/dangling'), 'x\n')
    t.equal(await door.read(join(dir, 'etc/dangling')), 'x\n')
    t.ok(lstatSync(join(dir, 'etc/dangling')).isSymbolicLink())

    const some = [0x00, 0x61, 0x80, 0xbf, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xed, 0xb2, 0xf0, 0x9f, 0x98, 0xff]
    const bytes = fc.array(fc.oneof(fc.constantFrom(...some), fc.nat(255)), { maxLength: 12 })
    fc.assert(
      fc.property(bytes, (list) => toBytes(toText(Buffer.from(list))).equals(Buffer.from(list))),
      { numRuns: 5000 },
    )
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => toText(Buffer.from(text)) === text))
  },
)
