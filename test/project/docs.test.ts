/** The documents keep their promises: options, examples, links, paths, the form of decisions. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { transform } from 'esbuild'
import { execa } from 'execa'
import t from '../tap.ts'
import { MAIN } from '../lab/paths.ts'

const eventscript = (words: string[], env: Record<string, string> = {}) =>
  execa(process.execPath, [MAIN, ...words], { reject: false, env })

const optionsIn = (text: string) => [...new Set(text.match(/--[a-z][a-z-]*/g))].toSorted()

t.test('the manual page names every command and option of --help, and no others', async (t) => {
  const page = readFileSync('docs/eventscript.8', 'utf8')
  const documented = page
    .split('\n')
    .filter((line) => line.startsWith('.It Fl'))
    .flatMap((line) => line.match(/-[a-z][a-z-]*/g) ?? [])
    .filter((name) => name.length > 2)
    .map((name) => `-${name}`)
  const { stdout: help } = await eventscript(['--help'])
  const commands = [...help.matchAll(/^ {2}eventscript (\w+)/gm)].map(([, command]) => command ?? '')
  t.ok(commands.length >= 6)
  const all = [...optionsIn(help)]
  for (const command of commands) {
    t.match(page, new RegExp(`^\\.It Cm ${command}\\b`, 'm'), command)
    all.push(...optionsIn((await eventscript([command, '--help'])).stdout))
  }
  t.same(documented.toSorted(), optionsIn(all.join(' ')))
})

/** Every Markdown file of the project, by its path. */
const MARKDOWN = ['.', '.github', 'docs', 'findings', 'fixtures', 'packaging'].flatMap((folder) =>
  readdirSync(folder, { recursive: folder !== '.', encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
)

/** The anchor of a heading, as hosts of repositories derive the anchor. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')

const anchorsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))

t.test('the target of every link in a Markdown file exists, and its heading', (t) => {
  let links = 0
  for (const file of MARKDOWN)
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^\w+:/.test(target)) continue
      links++
      const [path = '', anchor] = target.split('#')
      const to = path === '' ? file : join(file, '..', path)
      t.ok(existsSync(to), `${file}: ${target}`)
      if (anchor !== undefined) t.ok(anchorsOf(to).includes(anchor), `${file}: ${target}`)
    }
  t.ok(links > 30, `${links} links`)
  t.end()
})

t.test('every file of the project that a Markdown file names exists', (t) => {
  const named = /`((?:runner|events\.d|test|docs|fixtures|findings|packaging|scripts)\/[\w./-]*)`/g
  let names = 0
  // The changelog names paths of earlier versions.
  for (const file of MARKDOWN.filter((name) => name !== 'CHANGELOG.md'))
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(named)) {
      if (path.includes('NN.name')) continue
      names++
      t.ok(existsSync(path), `${file}: ${path}`)
    }
  t.ok(names > 30, `${names} names`)
  t.end()
})

t.test('each guarantee names a fault, a promise, and tests that exist', (t) => {
  const rows = readFileSync('docs/guarantees.md', 'utf8')
    .split('\n')
    .filter((line) => /^\| (?!fault |--)/.test(line))
    .map((line) => line.split('|').slice(1, -1))
  t.ok(rows.length > 15, `${rows.length} guarantees`)
  for (const [fault = '', promise = '', shownBy = '', ...more] of rows) {
    t.ok(fault.trim() && promise.trim() && more.length === 0, fault)
    const files = shownBy.trim().split(', ')
    for (const file of files) t.ok(existsSync(/^`(test\/\S+\.test\.ts)`$/.exec(file)?.[1] ?? ''), file)
  }
  t.end()
})

const DECISION = /^# (\d+)\. \S.*\n\nDate: \d{4}-\d\d-\d\d\n\nStatus: (?:Accepted|Superseded by \d+)\n\n## /
const PARTS = ['Context', 'Decision', 'Consequences']

t.test('every decision has a date, a status, a context, the decision, and its consequences', (t) => {
  const files = readdirSync('docs/adr').toSorted()
  t.ok(files.length >= 16)
  for (const [i, name] of files.entries()) {
    const text = readFileSync(join('docs/adr', name), 'utf8')
    t.equal(Number(DECISION.exec(text)?.[1]), i + 1, `${name}: number, date and status`)
    t.equal(Number.parseInt(name, 10), i + 1, `${name}: the number of the file`)
    const parts = text.split(/^## /m).slice(1)
    t.same(
      parts.map((part) => part.split('\n')[0]),
      PARTS,
      name,
    )
    for (const part of parts) t.match(part, /^\w+\n\n\S/, `${name}: no part is empty`)
  }
  t.end()
})

t.test('the table of tested versions lists exactly the runs of the suites', (t) => {
  const text = readFileSync('README.md', 'utf8')
  const [, table = ''] = /^(\| distribution [^]*?)\n\n/m.exec(text) ?? []
  const [heading = [], , ...rows] = table.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  const tested = JSON.parse(readFileSync('test/releases/tested.json', 'utf8')) as Record<string, string>[]
  const columns = heading.map((name) => name.toLowerCase())
  t.same(columns, ['distribution', 'ctdb', 'iproute2', 'node', 'systemd'])
  t.same(
    rows,
    tested.map((row) => columns.map((name) => row[name] ?? '')),
  )
  t.end()
})

t.test('the package holds every program that the built ones start', async (t) => {
  const { stdout } = await execa('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  const packed = files.map(({ path }) => path)
  const names = readdirSync('events.d').map((file) => basename(file, '.ts'))
  t.ok(names.length >= 4, names.join())
  const handlers = names.flatMap((name) => [`dist/events.d/${name}.script`, `dist/events.d/${name}.mjs`])
  const helpers = readdirSync('runner/libexec').map((file) => `dist/runner/libexec/${file}`)
  t.ok(helpers.length >= 5, helpers.join())
  const programs = ['dist/runner/main.js', 'dist/ctdb-eventd', 'dist/announce.cjs']
  for (const program of [...programs, ...handlers, ...helpers]) t.ok(packed.includes(program), program)
})

/** The example of docs/handlers.md in that language, with an `ss` whose output the test chooses. */
async function withExample(dir: string, language: 'sh' | 'ts', listening: boolean) {
  const text = readFileSync('docs/handlers.md', 'utf8')
  const code = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(text)?.[1] ?? ''
  for (const folder of ['events', 'bin']) mkdirSync(join(dir, folder), { recursive: true })
  const file = join(dir, 'events', language === 'sh' ? '60.nfs.script' : '60.nfs.mjs')
  writeFileSync(file, language === 'sh' ? code : (await transform(code, { loader: 'ts' })).code)
  chmodSync(file, 0o755)
  writeFileSync(join(dir, 'bin/ss'), `#!/bin/sh\n${listening ? 'echo "LISTEN 0 64 *:2049 *:*"' : ''}\n`)
  chmodSync(join(dir, 'bin/ss'), 0o755)
  const env = {
    PATH: `${join(dir, 'bin')}:${process.env['PATH']}`,
    CTDB_SCRIPT_VARDIR: join(dir, 'var/scripts'),
  }
  return (...words: string[]) => eventscript([...words, '--events', join(dir, 'events')], env)
}

for (const language of ['sh', 'ts'] as const)
  t.test(
    `the example handler in ${language} works: healthy, unhealthy, and events that are of no concern`,
    async (t) => {
      const up = await withExample(t.testdir({}), language, true)
      t.match(await up('run', 'monitor'), { exitCode: 0, stdout: /60\.nfs +OK/ })
      t.match(await up('run', 'startup'), { exitCode: 0 })
      const down = await withExample(t.testdir({}), language, false)
      const { exitCode, stdout } = await down('run', 'monitor')
      t.equal(exitCode, 1)
      t.match(stdout, /60\.nfs +FAILED/)
      t.match(stdout, /ERROR: nothing listens on port 2049: "systemctl status nfs-server" says why/)
    },
  )

t.test('the example handler in TypeScript writes to the documented place, and rehearses', async (t) => {
  const dir = t.testdir({})
  const example = await withExample(dir, 'ts', true)
  const dry = await example('run', '--dry-run', 'takeip', 'eth0', '10.0.0.1', '24')
  t.match(
    dry.stdout,
    `printf '%s\\n' 10.0.0.1 >${join(dir, 'var/scripts/nfs/last-taken')}`.replace("printf '%s\\n'", 'echo'),
  )
  t.notOk(existsSync(join(dir, 'var')))
  await example('run', 'takeip', 'eth0', '10.0.0.1', '24')
  t.equal(readFileSync(join(dir, 'var/scripts/nfs/last-taken'), 'utf8'), '10.0.0.1\n')
  t.match((await example('list')).stdout, /60\.nfs +handler +NFS: the port answers \(monitor takeip\)/)
})

t.test('wrong usage gives a single line and exit status 2', async (t) => {
  const wrong: [string[], RegExp][] = [
    [[], /which command\? "eventscript --help" lists them/],
    [['nosuch'], /^eventscript: "nosuch": no such command: "eventscript --help" lists all$/],
    [['status', '--events', '/etc'], /^eventscript: status: "--events": no such option or word: /],
    [
      ['staus'],
      /^eventscript: "staus": no such command: did you mean "status"\? "eventscript --help" lists all$/,
    ],
    [
      ['status', '--sokcet'],
      /^eventscript: status: "--?sokcet": no such option or word: did you mean "--socket"\?/,
    ],
    [
      ['status', 'monitor', 'all'],
      /^eventscript: status: "all": no such option or word: "eventscript status --help"/,
    ],
    [['run'], /^eventscript: run: a word is missing: expected "eventscript run <event> \[words..\]"$/],
    [['run', 'takip'], /event "takip": no handler knows it/],
    [['run', 'toString'], /event "toString": no handler knows it/],
    [['run', 'about'], /event "about": no handler knows it/],
    [
      ['run', 'monitor', '--only'],
      /^eventscript: --only: its value is missing: "eventscript run --help" lists the options$/,
    ],
    [['run', '--timeout', 'soon', 'monitor'], /--timeout soon: expected seconds/],
    [['run', '--events', '/no/such', 'monitor'], /\/no\/such: cannot list the handlers: no such folder/],
    [['run', '--only', 'nosuch', 'monitor'], /--only nosuch: no such handler/],
    [['run', '--redact', 'monitor'], /--redact goes with --record/],
    [['run', '--record', '/no/such/file', 'monitor'], /cannot write it: ENOENT/],
    [['history', '--last', 'many'], /--last many: expected a number/],
    [['replay'], /name a recording/],
  ]
  for (const [words, expected] of wrong) {
    const { exitCode, stderr, stdout } = await eventscript(words)
    t.equal(exitCode, 2, words.join(' '))
    t.match(stderr, expected)
    t.equal(stderr.split('\n').length, 1, stderr)
    t.equal(stdout, '')
  }
})
