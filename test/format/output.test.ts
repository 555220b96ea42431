/** The output for programs and for people: tables, and docs/output.md, which describes each column. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from '../tap.ts'
import { faultColumns } from '../../runner/inspect/audit/fault.ts'
import { ADDRESS_COLUMNS, addressState, type AddressRow } from '../../runner/inspect/addresses.ts'
import { SHARED_COLUMNS } from '../../runner/inspect/cluster/about.ts'
import { NODE_FAULT_COLUMNS } from '../../runner/inspect/cluster/audits.ts'
import { OWNED_COLUMNS } from '../../runner/inspect/cluster/owners.ts'
import { NODE_FINDING_COLUMNS } from '../../runner/cli/judge/all-nodes.ts'
import { FIGURE_NAMES, thresholdOf } from '../../runner/inspect/check/figures.ts'
import { FIGURE_COLUMNS } from '../../runner/inspect/check/verdict.ts'
import { FINDING_COLUMNS } from '../../runner/inspect/finding.ts'
import { INTERFACE_COLUMNS } from '../../runner/inspect/interfaces.ts'
import { NODE_COLUMNS } from '../../runner/inspect/nodes.ts'
import { compareNodes, parseNodes } from '../../runner/net/ctdb/nodes-file.ts'
import type { Held } from '../../runner/net/ip-json.ts'
import { NO_COLOURS } from '../../runner/format/colours.ts'
import { fit } from '../../runner/format/wrap.ts'
import { allFindingLines } from '../../runner/cli/judge/finding-lines.ts'
import { handlerReport, outcomeWhy } from '../../runner/cli/handler-report.ts'
import { asFields, asObjects, asTable, formatOf, type Column } from '../../runner/format/table.ts'
import { MAIN } from '../lab/paths.ts'

const COLUMNS: readonly Column<{ ip: string; up?: boolean; all?: string[]; why?: string }>[] = [
  { name: 'IP', field: 'ip', value: ({ ip }) => ip },
  { name: 'Up', field: 'up', value: ({ up }) => up },
  { name: 'All', field: 'all', value: ({ all }) => all, quiet: true },
  { name: 'Why', field: 'why', value: ({ why }) => why },
]

const eventscript = (words: string[], env: Record<string, string> = {}) =>
  execa(process.execPath, [MAIN, ...words], { reject: false, env })

t.test('-X, -Y and -x CHAR print fields as the ctdb tool does', (t) => {
  const rows = [
    { ip: 'fd00::1', up: true, all: ['eth0', 'eth1'], why: 'two\nlines' },
    { ip: '10.0.0.1', up: false },
  ]
  t.same(asFields(COLUMNS, rows, '|'), [
    '|IP|Up|All|Why|',
    '|fd00::1|1|eth0,eth1|two lines|',
    '|10.0.0.1|0|||',
  ])
  t.same(asFields(COLUMNS, [], ';'), [';IP;Up;All;Why;'], 'an empty list prints the heading alone')
  t.same(formatOf({ X: true }), formatOf({ Y: true }))
  t.same(formatOf({ x: ',' }), { kind: 'fields', separator: ',' })
  t.same(formatOf({ X: true, x: ',' }), { kind: 'fields', separator: ',' })
  t.same(formatOf({}), { kind: 'text' })
  t.end()
})

t.test('a separator that occurs in a value or a heading is refused, and nothing is printed', async (t) => {
  const rows = [{ ip: 'fd00::1', all: ['a', 'b'] }]
  t.throws(() => asFields(COLUMNS, rows, ':'), {
    name: 'Usage',
    message: /-x ":": it occurs in IP "fd00::1"/,
  })
  t.throws(() => asFields(COLUMNS, rows, ','), { message: /it occurs in All "a,b"/ })
  t.throws(() => asFields(COLUMNS, [], 'U'), { message: /it occurs in the heading "Up"/ })
  for (const x of ['', 'ab', '\n', '"'])
    t.throws(() => formatOf({ x }), { message: /expected one character/ })
  t.throws(() => formatOf({ json: true, X: true }), { message: /two formats/ })
  const dir = t.testdir({ nodes: 'fd00::1\n10.0.0.1\n' })
  t.match(await eventscript(['nodes', '-x', ':', join(dir, 'nodes')]), {
    exitCode: 2,
    stdout: /^$/,
    stderr: /^eventscript: -x ":": it occurs in IP "fd00::1": take a separator that does not, or --json$/,
  })
  t.match(await eventscript(['nodes', '-x;', join(dir, 'nodes')]), { exitCode: 0, stdout: /^;Node;IP;/ })
})

t.test('JSON has a field for each column; an unknown value is null', (t) => {
  t.same(asObjects(COLUMNS, [{ ip: '10.0.0.1', up: false, all: [] }]), [
    { ip: '10.0.0.1', up: false, all: [], why: null },
  ])
  t.end()
})

t.test('a listing fits the terminal, however narrow', (t) => {
  const why = 'a long sentence that says what was seen, what was expected and what to do about it'
  const rows = [{ ip: 'fd00::1', up: true, why }, { ip: '10.0.0.1' }]
  t.same(asTable(COLUMNS, rows, Infinity, NO_COLOURS), [
    'IP        Up   Why',
    `fd00::1   yes  ${why}`,
    '10.0.0.1  -    -',
  ])
  for (const width of [100, 60, 40, 30, 20])
    for (const line of asTable(COLUMNS, rows, width, NO_COLOURS))
      t.ok(line.length <= width, `${width}: ${line}`)
  t.match(
    asTable(COLUMNS, rows, 30, NO_COLOURS).join('\n'),
    /^IP: fd00::1\nUp: yes\nWhy: a long/,
    'each row is a paragraph',
  )
  const all = asTable(COLUMNS, rows, 45, NO_COLOURS).join(' ').replaceAll(/\s+/g, ' ')
  t.ok(all.includes(why), 'no word is lost')
  t.same(fit('  name: a b c d e f g h i j k', 22), ['  name: a b c d e f g', '      h i j k'])
  t.same(fit('short', 22), ['short'])
  t.equal(
    fit(`${' '.repeat(40)}deeply indented`, 30)
      .join('')
      .trim()
      .replaceAll(/\s+/g, ' '),
    'deeply indented',
  )
  t.equal(fit('x'.repeat(50), 20).join('').replaceAll(' ', ''), 'x'.repeat(50))
  t.end()
})

const noScript = existsSync('/usr/bin/script') ? {} : { skip: 'needs script: install bsdutils' }
t.test('listings are fitted and coloured on a terminal only', noScript, async (t) => {
  const file = join(
    t.testdir({ nodes: 'fd00::1\nno such address at all, and more words behind it\n' }),
    'nodes',
  )
  // chalk uses no colours on a machine that says CI
  const env = { ...process.env, CI: undefined, FORCE_COLOR: undefined, NO_COLOR: undefined, TERM: 'xterm' }
  const command = `stty cols 50; ${process.execPath} ${MAIN} nodes ${file} 2>/dev/null`
  const { stdout } = await execa('script', ['-qec', command, '/dev/null'], { reject: false, env })
  t.match(stdout, '\u001b[', 'the listing is coloured')
  // oxlint-disable-next-line no-control-regex -- colours
  for (const line of stdout.replaceAll(/\u001b\[[\d;]*m|\r/g, '').split('\n')) t.ok(line.length <= 50, line)
  const plain = await execa(process.execPath, [MAIN, 'nodes', file], { reject: false, env })
  t.notMatch(plain.stdout, '\u001b[')
  t.match(plain.stdout, /"no such address at all, and more words behind it" is no IP address/)
})

t.test('output to a closed pipe ends quietly', async (t) => {
  const nodes = Array.from({ length: 60_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}\n`).join(
    '',
  )
  const file = join(t.testdir({ nodes }), 'nodes')
  const { stdout, stderr } = await execa('sh', [
    '-c',
    `"$0" "$1" nodes -X "$2" | head -1`,
    process.execPath,
    MAIN,
    file,
  ])
  t.equal(stdout, '|Node|IP|Deleted|Line|Problem|')
  t.equal(stderr, '')
})

t.test('the nodes file has numbers, deleted lines, duplicates, and lines that are no address', (t) => {
  const nodes = parseNodes(
    '\n  FD01:0::1 \n#fd01::2\n\n[fd01::3]\n::ffff:10.0.0.1\n10.0.0.1\nfe80::1%eth0\n# ours\n10.0.0.2\r\n#\n',
  )
  t.match(nodes, [
    { node: 0, address: 'fd01::1', deleted: false, line: 2, problem: undefined },
    { node: 1, address: 'fd01::2', deleted: true, line: 3, problem: undefined },
    { node: 2, address: 'fd01::3', line: 5 },
    { node: 3, address: '10.0.0.1', line: 6 },
    { node: 4, address: '10.0.0.1', line: 7, problem: '10.0.0.1 is there already, in line 6, as node 3' },
    { node: 5, address: undefined, problem: /"fe80::1%eth0" is no IP address: .* without mask or zone/ },
    { node: 6, deleted: true, line: 9, problem: /this comment is a deleted node, and takes the number 6/ },
    { node: 7, problem: /CR LF/ },
    { node: 8, deleted: true, problem: undefined },
  ])
  t.equal(nodes.length, 9)
  t.end()
})

t.test(
  'two spellings of the same address count as equal in two nodes files; any other difference is named',
  async (t) => {
    const ours = 'fd01::1\nfd01::2\n#fd01::3\nfd01::4\n'
    t.same(
      compareNodes(
        parseNodes(ours),
        parseNodes('\nFD01:0::1\n[fd01::2]\n#fd01::3\nfd01::0004\n'),
        'f',
      ).filter(({ problem }) => problem),
      [],
    )
    const dir = t.testdir({
      ours,
      theirs: 'fd01::1\n#fd01::2\n#fd01::3\n\nfd01::5\nfd01::6\n',
      short: 'fd01::1\n',
    })
    const [a, b] = [join(dir, 'ours'), join(dir, 'theirs')]
    const { exitCode, stdout, stderr } = await eventscript(['nodes', '-X', '--compare', b, a])
    t.equal(exitCode, 1)
    t.same(stdout.split('\n'), [
      '|Node|IP|Deleted|Line|Problem|',
      '|0|fd01::1|0|1||',
      `|1|fd01::2|0|2|but ${b} line 2 has fd01::2, deleted|`,
      '|2|fd01::3|1|3||',
      `|3|fd01::4|0|4|but ${b} line 5 has fd01::5|`,
      `|4||0||only ${b} line 6 has fd01::6|`,
    ])
    t.match(stderr, /ours: 3 of 5 nodes: see their Problem/)
    t.match(await eventscript(['nodes', '--json', a]), { exitCode: 0, stderr: '' })
    t.match(
      (await eventscript(['nodes', '--compare', join(dir, 'short'), a])).stdout,
      /fd01::2 .* has no node 1/,
    )
    t.match(await eventscript(['nodes', join(dir, 'none')]), {
      exitCode: 1,
      stderr: /cannot read .*none: no such file/,
    })
  },
)

t.test('a row that is too long for the terminal is a paragraph, and the others stay a table', (t) => {
  const rows = ['10.0.0.1', '10.0.0.2', 'a'.repeat(70), '10.0.0.3'].map((address) => ({ address }))
  const columns: Column<{ address: string }>[] = [
    { name: 'Public IP', field: 'address', value: ({ address }) => address },
    { name: 'State', field: 'state', value: () => 'here' },
  ]
  t.same(asTable(columns, rows, 60, NO_COLOURS), [
    'Public IP  State',
    '10.0.0.1   here',
    '10.0.0.2   here',
    'Public IP:',
    `  ${'a'.repeat(58)}`,
    `  ${'a'.repeat(12)}`,
    'State: here',
    '',
    '10.0.0.3   here',
  ])
  t.end()
})

t.test(
  'findings that differ in their subject alone are one line with a count; commands of their own stay',
  (t) => {
    const finding = (i: number, remedy?: string) => ({
      state: 'warning' as const,
      subject: `10.0.0.${i}`,
      text: `in public_addresses: expected the daemon to know 10.0.0.${i}`,
      ...(remedy === undefined ? {} : { remedy }),
    })
    const many = Array.from({ length: 150 }, (_, i) => finding(i + 1))
    t.same(allFindingLines(NO_COLOURS, many), [
      'WARNING  10.0.0.1, 10.0.0.2, 10.0.0.3 and 147 more: in public_addresses: expected the daemon to know 10.0.0.1',
    ])
    t.equal(allFindingLines(NO_COLOURS, many.slice(0, 3)).length, 3)
    const own = many.map((_, i) => finding(i, `eventscript run releaseip eth0 10.0.0.${i} 24`))
    t.equal(allFindingLines(NO_COLOURS, own).length, 300)
    t.end()
  },
)

t.test('a failure is told without blanks before its colon, and its further lines are indented', (t) => {
  t.equal(outcomeWhy(NO_COLOURS, 'failed', 'one\ntwo', '    '), 'FAILED: one\n    two')
  const report = { name: '10.x', outcome: 'failed', ms: 1, began: '', why: 'one\ntwo' } as const
  t.equal(
    handlerReport(NO_COLOURS, { ...report, output: ['WARNING: same', 'other\nmore', 'WARNING: same'] }),
    '10.x                 FAILED     0.001 s  one\n    two\n  WARNING: same (2 times)\n  other\n    more',
  )
  t.end()
})

const held = (iface: string, bits = 64, state: Held['state'] = 'ready'): Held => ({
  iface,
  bits,
  state,
  altnames: [],
  address: 'fd00::1',
})

t.test('the state of an address shows daemon, file and kernel side by side', (t) => {
  const address = 'fd00::1'
  const on = (node: number, active: string[] = []) => ({
    address,
    node,
    active,
    available: ['eth0'],
    configured: ['eth0'],
  })
  const listed = { address, bits: 64, ifaces: ['eth0', 'eth1'] }
  const cases: [string, Partial<AddressRow>][] = [
    ['here', { believed: on(0, ['eth0']), listed, held: [held('eth0')] }],
    ['elsewhere', { believed: on(1), listed, held: [] }],
    ['unassigned', { believed: on(-1), listed, held: [] }],
    ['stray', { believed: on(1), listed, held: [held('eth0')] }],
    ['stray', { believed: on(-1), listed, held: [held('eth0')] }],
    ['stray', { listed, held: [held('eth0')] }],
    ['missing', { believed: on(0, ['eth0']), listed, held: [] }],
    ['wrong-interface', { believed: on(0, ['eth0']), listed, held: [held('eth1')] }],
    ['wrong-netmask', { believed: on(0, ['eth0']), listed, held: [held('eth0', 80)] }],
    ['double', { believed: on(0, ['eth0']), listed, held: [held('eth0'), held('eth1')] }],
    ['duplicate', { believed: on(0, ['eth0']), listed, held: [held('eth0', 64, 'duplicate')] }],
    ['tentative', { believed: on(0, ['eth0']), listed, held: [held('eth0', 64, 'tentative')] }],
    ['unlisted', { believed: on(1), held: [] }],
    ['unloaded', { listed, held: [] }],
    ['parked', { believed: on(0, ['eth0']), listed, held: [held('lo', 128)], parked: true }],
    ['stray', { believed: on(1), listed, held: [held('eth0'), held('lo', 128)], parked: true }],
  ]
  for (const [state, row] of cases)
    t.equal(addressState({ address, held: [], parked: false, ...row }, 0), state, JSON.stringify(row))
  t.end()
})

/** The tables of docs/output.md: for each command, the columns with their JSON fields. */
function described(): Map<string, [string, string][]> {
  const sections = readFileSync('docs/output.md', 'utf8').split(/^## /m).slice(1)
  return new Map(
    sections.map((section) => {
      const table = /^\| column[^]*?(?=\n\n|\n*$(?![^]))/m.exec(section)?.[0] ?? ''
      const rows = table.split('\n').slice(2)
      const cells = rows.map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
      return [section.split('\n')[0] ?? '', cells.map(([, column = '', field = '']) => [column, field])]
    }),
  )
}

t.test('docs/output.md describes every column and its JSON field, in order, and no others', (t) => {
  const pages = described()
  const tables: Record<string, readonly { name: string; field: string }[]> = {
    'eventscript ip': ADDRESS_COLUMNS,
    'eventscript ifaces': INTERFACE_COLUMNS,
    'eventscript nodes': NODE_COLUMNS,
    'eventscript audit': faultColumns(),
    'eventscript check': FIGURE_COLUMNS,
    'eventscript doctor': FINDING_COLUMNS,
    'eventscript about': SHARED_COLUMNS,
    'eventscript ip --all-nodes': OWNED_COLUMNS,
    'eventscript audit --all-nodes': NODE_FAULT_COLUMNS,
    'eventscript doctor --all-nodes': NODE_FINDING_COLUMNS,
  }
  for (const [command, columns] of Object.entries(tables))
    t.same(
      pages.get(command),
      columns.map(({ name, field }) => [name, field]),
      command,
    )
  t.end()
})

t.test('docs/output.md has every figure of check with its default thresholds', (t) => {
  const text = readFileSync('docs/output.md', 'utf8')
  const rows = [...text.matchAll(/^\| (\w+) +\| +(\d*) +\| +(\d*) +\|/gm)].map(([, ...cells]) => cells)
  const none = new Map()
  const defaults = FIGURE_NAMES.map((name) => [
    name,
    thresholdOf(name, 'warning', none)?.text ?? '',
    thresholdOf(name, 'critical', none)?.text ?? '',
  ])
  t.same(rows, defaults)
  t.end()
})

t.test('list, history and status print as docs/output.md describes', async (t) => {
  const pages = described()
  const dir = t.testdir({ events: { '10.one.script': '#!/bin/sh\necho hello\nexit 3\n' } })
  execFileSync('chmod', ['+x', join(dir, 'events/10.one.script')])
  const env = { CTDB_SCRIPT_VARDIR: join(dir, 'var/scripts'), CTDB_BASE: join(dir, 'etc') }
  mkdirSync(join(dir, 'var'))
  const events = ['--events', join(dir, 'events')]
  t.equal((await eventscript(['run', ...events, 'monitor'], env)).exitCode, 1)
  const reads: [string, (json: unknown) => object | undefined][] = [
    ['list', (json) => (json as object[])[0]],
    ['history', (json) => (json as object[])[0]],
    ['status', (json) => (json as { handlers: object[] }).handlers[0]],
  ]
  for (const [command, first] of reads) {
    const page = pages.get(`eventscript ${command}`) ?? []
    const fields = (
      await eventscript([command, ...(command === 'list' ? events : []), '-X'], env)
    ).stdout.split('\n')
    t.equal(fields[0], `|${page.map(([column]) => column).join('|')}|`)
    t.equal(fields.length, 2)
    t.equal(fields[1]?.split('|').length, page.length + 2)
    const object =
      first(
        JSON.parse(
          (await eventscript([command, ...(command === 'list' ? events : []), '--json'], env)).stdout,
        ),
      ) ?? {}
    // CTDB's result of an executable is a number for CTDB's own clients
    const known = Object.keys(object).filter((key) => key !== 'result')
    t.same(known.toSorted(), page.map(([, field]) => field).toSorted(), command)
  }
  writeFileSync(join(dir, 'odd'), 'x')
  t.match(
    (await eventscript(['status', '-X'], env)).stdout.split('\n')[1],
    /^\|10\.one\|failed\|.*\|hello\|$/,
  )
})
