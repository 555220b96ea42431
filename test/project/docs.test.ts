/** What the documents promise: options, examples, links. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { execa } from 'execa'
import t from 'tap'
import { MAIN } from '../lab/lab.ts'

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

t.test('what the README and the documents point to is there', (t) => {
  const documents = ['handlers', 'recordings', 'routing', 'dad'].map((name) => `docs/${name}.md`)
  for (const file of ['README.md', ...documents]) {
    const text = readFileSync(file, 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)\)/g))
      t.ok(existsSync(join(file, '..', target)), target)
  }
  t.end()
})

t.test('the table of what was tested has just what the suites run', (t) => {
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
  const handlers = ['10.interface', '11.routing', '13.per_ip_routing'].flatMap((name) => [
    `dist/events.d/${name}.script`,
    `dist/events.d/${name}.mjs`,
  ])
  for (const program of ['dist/runner/main.js', ...handlers, 'dist/announce.cjs'])
    t.ok(packed.includes(program), program)
})

/** The example of docs/handlers.md in that language, with an `ss` that a test can tell what to print. */
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
    `the example handler in ${language} works: healthy, unhealthy, and events that are none of its business`,
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

t.test('the example handler in TypeScript writes where it says, and rehearses', async (t) => {
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

t.test('wrong usage is one line and exit status 2', async (t) => {
  const wrong: [string[], RegExp][] = [
    [[], /which command\? "eventscript --help" lists them/],
    [['nosuch'], /nosuch/],
    [['run'], /event/i],
    [['run', 'takip'], /event "takip": no handler knows it/],
    [['run', 'toString'], /event "toString": no handler knows it/],
    [['run', 'about'], /event "about": no handler knows it/],
    [['run', 'monitor', '--only'], /Not enough arguments following: only/],
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
