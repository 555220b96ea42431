/** The list of nodes: the file or command that ctdb.conf names, read as ctdbd does. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from '../tap.ts'
import { configuredNodes } from '../../runner/inspect/nodes.ts'
import { FILES } from '../../runner/inspect/doctor/files.ts'
import type { Patient } from '../../runner/inspect/finding.ts'
import { parseIni } from '../../runner/base/ini.ts'
import { MAIN } from '../lab/paths.ts'

/** A CTDB_BASE, with a ctdb tool of that version. */
class Place {
  readonly dir = mkdtempSync(join(tmpdir(), 'es-nodes-'))
  readonly #env: Record<string, string>

  constructor(t: Test, version = '4.25.1-Debian') {
    t.teardown(() => rmSync(this.dir, { recursive: true }))
    const ctdb = this.program('ctdb', `echo ${version}`)
    this.#env = { PATH: process.env['PATH'] ?? '', CTDB_BASE: this.dir, CTDB: ctdb }
  }

  file(name: string, text: string): string {
    writeFileSync(join(this.dir, name), text)
    return join(this.dir, name)
  }

  program(name: string, shell: string, head = '#!/bin/sh\n'): string {
    const path = this.file(name, `${head}${shell}\n`)
    chmodSync(path, 0o755)
    return path
  }

  conf(value: string): void {
    this.file('ctdb.conf', `[logging]\n  location = syslog\n[cluster]\n  nodes list = ${value}\n`)
  }

  async nodes(...words: string[]) {
    const env = this.#env
    const options = { env, extendEnv: false, reject: false } as const
    const { exitCode, stdout, stderr } = await execa(
      process.execPath,
      [MAIN, 'nodes', '-X', ...words],
      options,
    )
    return { exitCode, rows: stdout.split('\n').slice(1), stderr }
  }

  /** doctor's findings about the list. */
  async doctor(): Promise<string[]> {
    const patient = { facts: { privileged: true }, nodes: await configuredNodes(this.#env, 10) }
    const found = await FILES.nodes(patient as unknown as Patient)
    return found.map(({ state, subject, text }) => `${state} ${subject}: ${text}`)
  }
}

const ONE = ['|0|10.0.0.1|0|1||']

t.test('without "nodes list" the list is the file beside ctdb.conf', async (t) => {
  const place = new Place(t)
  const file = place.file('nodes', '10.0.0.1\n')
  t.same(await place.nodes(), { exitCode: 0, rows: ONE, stderr: '' })
  place.file('ctdb.conf', '[cluster]\n  # nodes list = /elsewhere\n')
  t.same(await place.nodes(), { exitCode: 0, rows: ONE, stderr: '' })
  t.same(await place.doctor(), [`ok ${file}: 1 nodes`])
})

t.test('another file is read, and a missing file is reported', async (t) => {
  const place = new Place(t)
  const file = place.file('mine', '10.0.0.1\n')
  place.conf(file)
  t.same(await place.nodes(), { exitCode: 0, rows: ONE, stderr: '' })
  t.same(await place.doctor(), [`ok ${file}: 1 nodes`])
  place.conf('/no/such/nodes')
  t.match(await place.nodes(), {
    exitCode: 1,
    stderr: /^eventscript: cannot read \/no\/such\/nodes: [^\n]*$/,
  })
  t.same(await place.doctor(), ['error /no/such/nodes: no such file: ctdbd does not start'])
  // ctdbd is started in /
  place.conf('no/such/nodes')
  t.match(await place.nodes(), { exitCode: 1, stderr: /cannot read \/no\/such\/nodes/ })
  place.conf('')
  t.match(await place.nodes(), { exitCode: 1, stderr: /nodes list is empty: expected a file, or "!"/ })
})

t.test('a command gets its words as separated by blanks, without a shell', async (t) => {
  const place = new Place(t)
  const lines = 'printf "\\n10.0.0.1\\n#10.0.0.2\\n\\t\\n  10.0.0.3 \\n"'
  const program = place.program('list', `for word; do echo "<$word>"; done >"${place.dir}/words"\n${lines}`)
  place.conf(`!${program} a  "b c" $HOME ; d`)
  const rows = ['|0|10.0.0.1|0|2||', '|1|10.0.0.2|1|3||', '|2|10.0.0.3|0|5||']
  t.same(await place.nodes(), { exitCode: 0, rows, stderr: '' })
  const words = readFileSync(join(place.dir, 'words'), 'utf8')
  t.same(words, '<a>\n<"b>\n<c">\n<$HOME>\n<;>\n<d>\n')
  t.same(await place.doctor(), [`ok !${program} a "b c" $HOME ; d: 3 nodes`])
})

t.test('a command is accepted on the command line, also for --compare', async (t) => {
  const place = new Place(t)
  const file = place.file('nodes', '10.0.0.1\n10.0.0.2\n')
  const command = `!${place.program('list', 'echo 10.0.0.1; echo "#$1"')} 10.0.0.2`
  t.match(await place.nodes(command), { exitCode: 0, rows: ['|0|10.0.0.1|0|1||', '|1|10.0.0.2|1|2||'] })
  const differs = `|1|10.0.0.2|0|2|but ${command} line 2 has 10.0.0.2, deleted|`
  t.match(await place.nodes('--compare', command), { exitCode: 1, rows: [...ONE, differs] })
  t.match(await place.nodes('--compare', file, command), { exitCode: 1 })
  t.same(await place.nodes('--compare', file, file), {
    exitCode: 0,
    rows: [...ONE, '|1|10.0.0.2|0|2||'],
    stderr: '',
  })
  t.match(await place.nodes('--compare', '!echo 10.0.0.1'), {
    exitCode: 1,
    stderr: /^eventscript: "!echo 10\.0\.0\.1": expected "!" and the full path of a program[^\n]*$/,
  })
})

/** Commands from which ctdbd 4.25.1 reads no node, so that ctdbd does not start. */
const UNREAD: readonly [string, string, RegExp][] = [
  ['fails and prints nothing', 'echo no cluster >&2; exit 1', /failed: no cluster/],
  ['prints half an address', 'printf "10.0.0.1\\n10.0."', /1 of 2 nodes: see their Problem/],
  ['prints nothing', 'exit 0', /no node in it/],
]

for (const [what, shell, said] of UNREAD)
  t.test(`a command that ${what} is an error`, async (t) => {
    const place = new Place(t)
    place.conf(`!${place.program('list', shell)}`)
    const { exitCode, stderr } = await place.nodes()
    t.equal(exitCode, 1)
    t.match(stderr, said)
    t.ok(
      (await place.doctor()).some((line) => line.startsWith('error ')),
      'doctor calls it an error',
    )
  })

t.test('a command that cannot be executed is an error', async (t) => {
  const place = new Place(t)
  place.conf(`!${place.dir}/none`)
  t.match(await place.nodes(), { exitCode: 1, stderr: /none: it, or the interpreter .* does not exist/ })
  const bare = place.program('bare', 'echo 10.0.0.1', '')
  place.conf(`!${bare}`)
  t.match(await place.nodes(), { exitCode: 1, rows: { length: 0 }, stderr: /first line is no "#!"/ })
  t.match(await place.doctor(), [/^error .*first line is no "#!"/])
})

t.test('the output of a failing command is used, as ctdbd does, and the failure is reported', async (t) => {
  const place = new Place(t)
  const program = place.program('list', 'echo 10.0.0.1; exit 2')
  place.conf(`!${program}`)
  const problem = `"!${program}" failed: exit status 2: ctdbd takes what it printed all the same`
  t.same(await place.nodes(), { exitCode: 1, rows: ONE, stderr: `eventscript: ${problem}` })
  t.same(await place.doctor(), [`warning !${program}: ${problem}`])
})

t.test('a last line without a newline is used, as ctdbd does, and is reported', async (t) => {
  const place = new Place(t)
  const program = place.program('list', 'printf 10.0.0.1')
  place.conf(`!${program}`)
  const { exitCode, rows, stderr } = await place.nodes()
  t.same({ exitCode, rows }, { exitCode: 0, rows: ONE })
  t.match(stderr, /^eventscript: .*: the last line has no end, and ctdbd takes it as it is[^\n]*$/)
  t.match(await place.doctor(), [/^warning .*: the last line has no end/])
})

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

t.test('a command that hangs is ended at --timeout, with all processes that it started', async (t) => {
  const place = new Place(t)
  const program = place.program('list', `echo 10.0.0.1; sleep 300 & echo $! >"${place.dir}/pid"; wait`)
  place.conf(`!${program}`)
  const began = Date.now()
  t.match(await place.nodes('--timeout', '1'), {
    exitCode: 1,
    rows: { length: 0 },
    stderr: new RegExp(`^eventscript: "${program}" was ended after (?:0\\.9|1\\.\\d) s[^\\n]*$`),
  })
  t.ok(Date.now() - began < 20_000, 'the end comes long before the command would end')
  const pid = Number(readFileSync(join(place.dir, 'pid'), 'utf8'))
  // The command is ended at once, but the system may take a moment to show that.
  for (let look = 0; look < 200 && isThere(pid); look += 1) await sleep(100)
  t.notOk(isThere(pid), 'no process that the command started is left')
})

t.test('a ctdb that does not know the key reads the usual file, and so does eventscript', async (t) => {
  const place = new Place(t, '4.17.12-Debian')
  place.conf('/no/such/nodes')
  const file = join(place.dir, 'nodes')
  t.same(await place.doctor(), [
    `warning ${file}: ctdb.conf has "nodes list = /no/such/nodes", which the ctdb of this node does not know: it reads this file`,
    `error ${file}: no such file: ctdbd does not start`,
  ])
  place.file('nodes', '10.0.0.1\n')
  const { exitCode, rows, stderr } = await place.nodes()
  t.same({ exitCode, rows }, { exitCode: 0, rows: ONE })
  t.match(stderr, /install ctdb 4\.21 or later/)
})

t.test('CR LF: the address is read, the line is named, and no error is reported', async (t) => {
  const place = new Place(t)
  const file = place.file('nodes', '10.0.0.1\r\n\r\n#10.0.0.2\r\n10.0.0.3\r\n')
  const crlf = 'the line ends in CR LF, which ctdbd passes over: expected LF'
  const rows = [`|0|10.0.0.1|0|1|${crlf}|`, '|1|10.0.0.2|1|3||', `|2|10.0.0.3|0|4|${crlf}|`]
  t.same(await place.nodes(), { exitCode: 0, rows, stderr: '' })
  t.same(await place.doctor(), [`warning ${file}: line 1: ${crlf}`])
  const theirs = place.file('theirs', '10.0.0.1\n#10.0.0.2\n10.0.0.4\n')
  t.match(await place.nodes('--compare', theirs), {
    exitCode: 1,
    rows: [rows[0], rows[1], `|2|10.0.0.3|0|4|but ${theirs} line 3 has 10.0.0.4|`],
  })
})

t.test('ctdb.conf is read as CTDB reads the file', (t) => {
  const text =
    '[CLUSTER] # x\n  nodes   list = a  b \\\n  c\n Nodes List = d\n[cluster]\r\nlock = x # y\r\nno key\n'
  t.same(
    [...parseIni(text)],
    [
      ['cluster/nodes list', 'a b c'],
      ['cluster/Nodes List', 'd'],
      ['cluster/lock', 'x # y'],
    ],
  )
  t.end()
})
