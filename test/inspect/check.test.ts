/** `eventscript check` and `metrics`: ranges, figures, states, and the report when CTDB does not answer. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from '../tap.ts'
import { figuresOf, parseThresholds, type Sight } from '../../runner/inspect/check/figures.ts'
import { hungAmong, hungInside, parseEventStatus } from '../../runner/inspect/check/handlers.ts'
import { parseRange } from '../../runner/inspect/check/range.ts'
import { judge, statusLine } from '../../runner/inspect/check/verdict.ts'
import { asMetrics, writeMetrics } from '../../runner/inspect/check/metrics.ts'
import { parseProcesses } from '../../runner/eventd/hung/proc.ts'
import type { BelievedNode, Flag } from '../../runner/net/ctdb/daemon-view.ts'
import { MAIN } from '../lab/paths.ts'

const NONE = { warning: new Map(), critical: new Map() }
const node = (number: number, ...flags: Flag[]): BelievedNode => ({
  node: number,
  address: `fd01::${number + 1}`,
  flags,
  here: number === 0,
})
const well: Sight = {
  nodes: [node(0), node(1), node(2)],
  addresses: [],
  handlers: [{ name: '10.interface', outcome: 'ok', seconds: 0.3 }],
  hung: [],
}

t.test('ranges alert as the plugin guidelines require', (t) => {
  const cases: [string, number[], number[]][] = [
    ['10', [-1, 11], [0, 5, 10]],
    ['10:', [9, -1], [10, 99]],
    ['~:10', [11], [-99, 10]],
    ['10:20', [9, 21], [10, 20]],
    ['@10:20', [10, 15, 20], [9, 21]],
    ['0', [1], [0]],
    ['1.5', [1.6], [1.5]],
  ]
  for (const [text, bad, good] of cases) {
    const range = parseRange(text)
    for (const value of bad) t.equal(range?.alerts(value), true, `${text}: ${value} alerts`)
    for (const value of good) t.equal(range?.alerts(value), false, `${text}: ${value} does not alert`)
  }
  for (const text of ['', ':', 'x', '20:10', '1,5', '@', '5:x']) t.equal(parseRange(text), undefined, text)
  t.end()
})

t.test('thresholds are given for each figure', (t) => {
  const given = parseThresholds('-w', ['nodes_disabled=1,handlers_slowest=2.5', 'addresses=5:'])
  t.same([...given.keys()], ['nodes_disabled', 'handlers_slowest', 'addresses'])
  t.throws(() => parseThresholds('-w', ['5']), {
    message: /no such figure: expected FIGURE=RANGE, of nodes, /,
  })
  t.throws(() => parseThresholds('-c', ['nodes=x']), { message: /-c nodes=x: "x" is no range/ })
  const sight = { ...well, nodes: [node(0), node(1, 'Disabled')] }
  t.equal(judge(sight, NONE).state, 'WARNING')
  t.equal(judge(sight, { ...NONE, warning: given }).state, 'WARNING', '0 addresses are fewer than 5')
  t.equal(judge(sight, { ...NONE, warning: parseThresholds('-w', ['nodes_disabled=1']) }).state, 'OK')
  t.equal(judge(sight, { ...NONE, critical: parseThresholds('-c', ['nodes_disabled=0']) }).state, 'CRITICAL')
  t.end()
})

t.test('a node is counted in each of its states, and a lost node as lost only', (t) => {
  const nodes = [
    node(0),
    node(1, 'Disconnected', 'Unhealthy', 'Inactive'),
    node(2, 'Banned', 'Inactive'),
    node(3, 'Disabled', 'Unhealthy'),
    node(4, 'Unknown', 'Unhealthy'),
    node(5, 'PartiallyOnline'),
  ]
  const figures = Object.fromEntries(figuresOf({ ...well, nodes }).map(({ name, names }) => [name, names]))
  t.match(figures, {
    nodes_disconnected: ['1'],
    nodes_unknown: ['4'],
    nodes_banned: ['2'],
    nodes_disabled: ['3'],
    nodes_unhealthy: ['3'],
    nodes_stopped: [],
    nodes_partially_online: ['5'],
  })
  t.end()
})

t.test(
  'a critical figure stays critical when another answer is missing; a missing answer is UNKNOWN',
  (t) => {
    const why = '"ctdb event status" printed nothing'
    t.match(judge({ ...well, handlers: why }, NONE), { state: 'UNKNOWN', text: why, reasons: [why] })
    const banned = { ...well, nodes: [node(0, 'Banned')], handlers: why }
    t.match(judge(banned, NONE), { state: 'CRITICAL', text: `1 banned node (node 0); ${why}` })
    const nobody = '"ctdb -X nodestatus all" failed: Warning: All nodes are banned.'
    t.equal(
      judge({ nodes: nobody, addresses: nobody, handlers: nobody, hung: nobody }, NONE).state,
      'CRITICAL',
    )
    const line = statusLine(judge({ ...well, hung: 'a|b\nc' }, NONE))
    t.match(line, /^CTDB UNKNOWN - a!b c \| nodes=3;;;0 /)
    t.end()
  },
)

t.test('one thing is told in the singular, and a node by its number', (t) => {
  const text = (...nodes: BelievedNode[]) => judge({ ...well, nodes }, NONE).text
  t.equal(text(node(0, 'Unhealthy')), '1 unhealthy node (node 0)')
  t.equal(text(node(0, 'Unhealthy'), node(1), node(2, 'Unhealthy')), '2 unhealthy nodes (nodes 0, 2)')
  t.equal(text(node(0, 'PartiallyOnline')), '1 node with an interface that is down (node 0)')
  t.equal(
    judge({ ...well, hung: ['50.samba'] }, NONE).text,
    '1 event script that runs for longer than an event may (50.samba)',
  )
  t.equal(text(node(0)), '1 node, 0 addresses, 1 script are well')
  t.end()
})

t.test('"ctdb event status" is read from 4.17 and newer, also when script output looks odd', (t) => {
  const out = `00.ctdb              OK         0.005 Sun Nov 22 23:39:13 2026
10.interface         ERROR      0.324 Sun Nov 22 23:39:13 2026
  OUTPUT: ERROR: No link on the public network interface eth0
OK 20.none
20.slow              TIMEDOUT   Sun Nov 22 15:07:21 2026
  OUTPUT: hanging
30.off               DISABLED  ${''}
40.what              CANNOT RUN (Interrupted system call)
  OUTPUT:
50.a-name-that-is-longer-than-its-column OK         11.250 Sun Nov 22 23:39:13 2026
`
  const ends = parseEventStatus({ status: 1, out, err: '' })
  const inShort = ends.map(({ name, outcome, seconds }) => ({ name, outcome, seconds }))
  t.same(inShort, [
    { name: '00.ctdb', outcome: 'ok', seconds: 0.005 },
    { name: '10.interface', outcome: 'failed', seconds: 0.324 },
    { name: '20.slow', outcome: 'timedout', seconds: 0 },
    { name: '30.off', outcome: 'disabled', seconds: 0 },
    { name: '40.what', outcome: 'cannot-run', seconds: 0 },
    { name: '50.a-name-that-is-longer-than-its-column', outcome: 'ok', seconds: 11.25 },
  ])
  t.same(parseEventStatus({ status: 22, out: 'Event monitor has never run in legacy\n', err: '' }), [])
  t.throws(
    () => parseEventStatus({ status: 5, out: '', err: 'socket connect failed - /run/ctdb/eventd.socket\n' }),
    {
      message: /printed "socket connect failed - .*": expected a line for each script/,
    },
  )
  t.throws(() => parseEventStatus({ status: 0, out: 'half a', err: '' }), { message: /printed "half a"/ })
  t.throws(() => parseEventStatus({ status: 0, out: '', err: '' }), { message: /printed nothing, exit/ })
  t.match(judge({ ...well, handlers: [] }, NONE).text, / are well; no event script has run at monitor/)
  t.end()
})

t.test('a hung script is a script that runs, not a script in an editor', (t) => {
  const ps = (age: number, args: string) => ` 4711     1  4711 Ss   -    ${age} ${args}\n`
  const script = '/etc/ctdb/events/legacy/50.samba.script'
  const text = [
    ps(300, `/bin/sh ${script} monitor`),
    ps(300, `node ${script} takeip eth0 10.0.0.1 24`),
    ps(10, `/bin/sh ${script} monitor`),
    ps(300, `vi ${script}`),
    ps(300, `tail -f /var/log/ctdb/log.ctdb`),
  ].join('')
  t.same(hungAmong(parseProcesses(text)), [
    '50.samba monitor (pid 4711, 300 s)',
    '50.samba takeip (pid 4711, 300 s)',
  ])
  t.end()
})

t.test('a module that hangs inside our event daemon is counted there, an executable by ps alone', (t) => {
  const event = { event: 'monitor', words: [] }
  const running = [
    { ...event, ms: 75_400, handler: '10.interface', program: 'ip -json addr show', programMs: 75_000 },
    { ...event, ms: 61_000, handler: '11.routing' },
    { ...event, ms: 60_000, handler: '91.lvs' },
    { ...event, ms: 75_000, handler: '50.samba', program: '/etc/ctdb/events/legacy/50.samba.script monitor' },
    { ...event, ms: 75_000 },
  ]
  t.same(hungInside([{ running, waiting: [{ ...event, ms: 75_000 }] }]), [
    '10.interface monitor (in the event daemon, 75 s: ip -json addr show)',
    '11.routing monitor (in the event daemon, 61 s)',
  ])
  t.end()
})

t.test('metrics are replaced as a whole, are readable by all, and use only a name that is read', (t) => {
  const dir = t.testdir({ 'ctdb.prom': 'old' })
  const file = join(dir, 'ctdb.prom')
  const text = asMetrics(
    well,
    judge(well, NONE),
    new Map([
      ['11.routing', 3],
      ['91.lvs', 2],
    ]),
  )
  writeMetrics(file, text)
  t.equal(readFileSync(file, 'utf8'), text)
  t.equal(statSync(file).mode & 0o777, 0o644)
  t.same(readdirSync(dir), ['ctdb.prom'], 'no draft is left')
  t.throws(() => writeMetrics(join(dir, 'ctdb.txt'), text), { name: 'Usage', message: /ends in \.prom/ })
  t.throws(() => writeMetrics(join(dir, 'none/ctdb.prom'), text), { message: /cannot write .*no such file/ })
  t.match(
    text,
    /^# TYPE eventscript_handlers_slowest_seconds gauge\neventscript_handlers_slowest_seconds 0\.3$/m,
  )
  t.match(
    text,
    /^# TYPE eventscript_routing_put_back_total counter\neventscript_routing_put_back_total\{handler="11\.routing"\} 3$/m,
  )
  t.match(
    text,
    /^# TYPE eventscript_sysctls_put_back_total counter\neventscript_sysctls_put_back_total\{handler="91\.lvs"\} 2$/m,
  )
  t.end()
})

/** `eventscript check` with a program of ours as the ctdb tool. */
async function check(t: Test, tool: string | undefined, ...words: string[]) {
  const dir = t.testdir({ etc: {}, var: {}, ctdb: `#!/bin/sh\n${tool ?? ''}\n` })
  chmodSync(join(dir, 'ctdb'), 0o755)
  const CTDB = tool === undefined ? join(dir, 'none') : join(dir, 'ctdb')
  const env = { CTDB_BASE: join(dir, 'etc'), CTDB_SCRIPT_VARDIR: join(dir, 'var'), CTDB }
  return await execa(process.execPath, [MAIN, 'check', ...words], { reject: false, env })
}

const HEAD =
  '|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|'

t.test('a ctdb tool that is missing, fails, hangs or answers half is UNKNOWN, with the reason', async (t) => {
  const cases: [string, string | undefined, RegExp][] = [
    ['missing', undefined, /none: it, or the interpreter its first line names, does not exist/],
    [
      'fails',
      'echo "connect() failed, errno=2" >&2; exit 1',
      /"ctdb -X nodestatus all" failed: connect\(\) failed/,
    ],
    [
      'hangs',
      'exec sleep 60',
      / - ctdbd does not answer: "ctdb -X nodestatus all" was ended after 0\.\d s: /,
    ],
    ['hangs with a child', 'sleep 60', / - ctdbd does not answer: .* was ended after 0\.\d s/],
    ['nothing', 'exit 0', /ctdb printed nothing: expected a table/],
    ['another table', 'echo "|A|B|"', /ctdb printed "\|A\|B\|"|"!A!B!": expected a table/],
    ['half a line', `echo '${HEAD}'; printf '|0|10.0.0.1|0'`, /begins and ends with/],
    [
      'a line without its end',
      `printf '${HEAD}\\n|0|10.0.0.1|0|0|0|0|0|0|0|0|Y|'`,
      /no line end: more was to come/,
    ],
    ['a header alone', `echo '${HEAD}'`, /named no node/],
    ['an odd flag', `echo '${HEAD}'; echo '|0|10.0.0.1|x|0|0|0|0|0|0|0|Y|'`, /Disconnected is no 0 or 1/],
    ['an odd address', `echo '${HEAD}'; echo '|0|10.0.0|0|0|0|0|0|0|0|0|Y|'`, /IP is no IP address/],
    [
      'answers the first question only',
      `case $* in *nodestatus*) echo '${HEAD}'; echo '|0|10.0.0.1|0|0|0|0|0|0|0|0|Y|';; *) exit 1;; esac`,
      /"ctdb pnn" failed: exit status 1.* \| nodes=1;/,
    ],
  ]
  for (const [what, tool, expected] of cases) {
    const began = performance.now()
    const { exitCode, stdout } = await check(t, tool, '--timeout', what.startsWith('hangs') ? '1' : '20')
    t.equal(exitCode, 3, what)
    t.match(stdout, /^CTDB UNKNOWN - /)
    t.match(stdout, expected)
    t.equal(stdout.split('\n').length, 1, 'the output is a single line')
    t.ok(performance.now() - began < 25_000, what)
  }
})

t.test('whatever hangs, the plugin answers and ends, and the programs that it started end too', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'esh-'))
  t.teardown(() => rmSync(base, { recursive: true, force: true }))
  for (const dir of ['run', 'bin', 'left']) mkdirSync(join(base, dir))
  const hangs = `echo $$ > ${join(base, 'left')}/$$; exec sleep 90`
  const tool = join(base, 'ctdb')
  const answers = (hanging: string) => `#!/bin/sh
case $* in
*nodestatus*) echo '${HEAD}'; echo '|0|10.0.0.1|0|0|0|0|0|0|0|0|Y|';;
*pnn*) echo 0;;
*ip*) echo '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|';;
*event*) ${hanging};;
esac
`
  const daemon = createServer((client) => client.on('error', () => {}))
  await new Promise<void>((resolve) => daemon.listen(join(base, 'run/eventscript.socket'), resolve))
  t.teardown(() => daemon.close())
  const PATH = process.env['PATH'] ?? ''
  const env = { CTDB_TEST_MODE: 'yes', CTDB_BASE: base, CTDB_SCRIPT_VARDIR: join(base, 'var'), CTDB: tool }
  const cases: [string, string, string, RegExp][] = [
    ['the tool, and the daemon', hangs, 'exit 0', /event status legacy monitor" was ended after/],
    ['a child of the tool', `(${hangs}); true`, 'exit 0', /event status legacy monitor" was ended after/],
    ['what has left the tool', `setsid sleep 30 & wait`, 'exit 0', /event status legacy monitor" was ended/],
    ['ps', 'exit 0', hangs, /"ps -ww .* was ended after/],
  ]
  for (const [what, hanging, ps, expected] of cases) {
    writeFileSync(tool, answers(hanging), { mode: 0o755 })
    writeFileSync(join(base, 'bin/ps'), `#!/bin/sh\n${ps}\n`, { mode: 0o755 })
    const began = performance.now()
    const { exitCode, stdout } = await execa(process.execPath, [MAIN, 'check', '--timeout', '2'], {
      reject: false,
      env: { ...env, PATH: `${join(base, 'bin')}:${PATH}` },
    })
    t.equal(exitCode, 3, what)
    t.match(stdout, expected, what)
    t.match(stdout, / \| nodes=1;/, `${what}: the available figures are reported`)
    t.ok(performance.now() - began < 20_000, `${what}: the plugin ends long before the stand-in would`)
  }
  const left = readdirSync(join(base, 'left'))
  t.ok(left.length >= 3, 'the stand-ins were started')
  for (const pid of left) t.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' }, `${pid} has ended`)
})

t.test('the time that a program gets to end does not delay us after the program has ended', async (t) => {
  const live = new URL('../../runner/machine/live/live.js', import.meta.url).href
  for (const atOnce of [true, false]) {
    const text = `
import { live } from ${JSON.stringify(live)}
const system = live({ signal: AbortSignal.timeout(300), atOnce: () => ${atOnce} })
await system.run('ask', ['sleep', '90'], {}).catch(({ name }) => console.log(name))
console.log(process.getActiveResourcesInfo().includes('Timeout') ? 'a timer' : 'no timer')
`
    const file = join(t.testdir(), 'ends.mjs')
    writeFileSync(file, text)
    const { NODE_OPTIONS: _, ...env } = process.env
    const { stdout } = await execa(process.execPath, [file], { env, extendEnv: false })
    t.equal(stdout, 'Interrupted\nno timer', atOnce ? 'by KILL' : 'by TERM')
  }
})

t.test('wrong usage of the plugin is UNKNOWN too', async (t) => {
  for (const words of [['-w', '5'], ['--nosuch'], ['-c', 'nodes=x'], ['--timeout', 'soon'], ['-w']]) {
    const { exitCode, stdout } = await check(t, 'exit 1', ...words)
    t.equal(exitCode, 3, words.join(' '))
    t.match(stdout, /^CTDB UNKNOWN - /)
  }
})

t.test('our event daemon reports its hung scripts; a daemon that hangs itself is UNKNOWN', async (t) => {
  // The path is short, because the path of a socket has 107 bytes at most.
  const base = mkdtempSync(join(tmpdir(), 'esc-'))
  t.teardown(() => rmSync(base, { recursive: true, force: true }))
  mkdirSync(join(base, 'run'))
  const tool = join(base, 'ctdb')
  writeFileSync(
    tool,
    `#!/bin/sh\ncase $* in *nodestatus*) echo '${HEAD}'; echo '|0|10.0.0.1|0|0|0|0|0|0|0|0|Y|';; "event status"*) exit 0;; esac\nexit 1\n`,
    { mode: 0o755 },
  )
  const env = { CTDB_TEST_MODE: 'yes', CTDB_BASE: base, CTDB_SCRIPT_VARDIR: join(base, 'var'), CTDB: tool }
  const ask = () => execa(process.execPath, [MAIN, 'check', '--timeout', '20'], { reject: false, env })
  const running = [{ event: 'monitor', words: [], ms: 90_000, handler: '10.interface' }]
  const activity = JSON.stringify([{ component: 'legacy', running, waiting: [] }])
  const cases: [string, string | undefined, RegExp][] = [
    [
      'a hung module',
      activity,
      /^CTDB CRITICAL - 1 event script that runs .* \(10\.interface monitor \(in the event daemon, 90 s\)\)/,
    ],
    ['half an answer', activity.slice(0, 20), /^CTDB UNKNOWN .*eventscript\.socket: the event daemon said /],
    [
      'no answer',
      undefined,
      /^CTDB UNKNOWN .*eventscript\.socket: no answer within [\d.]+ s: the event daemon hangs/,
    ],
  ]
  for (const [what, answer, expected] of cases) {
    const daemon = createServer((client) => {
      client.on('error', () => {})
      if (answer !== undefined) client.end(answer)
    })
    await new Promise<void>((resolve) => daemon.listen(join(base, 'run/eventscript.socket'), resolve))
    t.match((await ask()).stdout, expected, what)
    await new Promise((resolve) => daemon.close(resolve))
  }
  t.match((await ask()).stdout, / scripts_hung=0;/, 'without our daemon, ps alone counts')
})

t.test('ctdb event status: what each script printed', (t) => {
  const out = `10.interface         OK         0.104 Sun Nov 22 15:07:20 2026
  OUTPUT: hello
30.cc                ERROR      0.002 Sun Nov 22 15:07:21 2026
  OUTPUT: one
two

31.dd                TIMEDOUT   Sun Nov 22 15:07:21 2026
  OUTPUT:
    three
    four
40.ee                DISABLED  ${' '}
`
  t.same(
    parseEventStatus({ status: 1, out, err: '' }).map(({ name, began, output }) => [name, began, output]),
    [
      ['10.interface', 'Sun Nov 22 15:07:20 2026', ['hello']],
      ['30.cc', 'Sun Nov 22 15:07:21 2026', ['one', 'two']],
      ['31.dd', 'Sun Nov 22 15:07:21 2026', ['three', 'four']],
      ['40.ee', undefined, undefined],
    ],
  )
  t.end()
})
