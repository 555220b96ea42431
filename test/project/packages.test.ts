/** `.ci/packages`: packages are installed where no person sits at a terminal, and elsewhere only on request. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from '../tap.ts'
import { DIST } from '../lab/paths.ts'

const CI = join(DIST, '../.ci')
const needsScript = { skip: existsSync('/usr/bin/script') ? false : 'needs script: install bsdutils' }
const INSTALLING = { exitCode: 0, said: 'installing strace\n', calls: 'update -qq\ninstall -y -qq strace\n' }

interface Asked {
  argv: readonly string[]
  user?: number
}

/** A run on a Debian without strace. `calls` are the words of each apt-get. npm, which `run` calls next, fails. */
async function run(folder: string, { argv, user = 0 }: Asked) {
  const stub = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  const log = join(folder, 'calls')
  stub('dpkg-query', `case "$*" in *strace) exit 1 ;; *) echo 'install ok installed' ;; esac`)
  stub('id', `echo ${user}`)
  stub('apt-get', `echo "$*" >>'${log}'`)
  stub('npm', 'exit 1')
  const [program = '', ...words] = argv
  const env = { PATH: `${folder}:${process.env['PATH']}` }
  const how = { env, stdin: 'ignore', all: true, reject: false, stripFinalNewline: false } as const
  const { exitCode, all } = await execa(program, words, how)
  const calls = existsSync(log) ? readFileSync(log, 'utf8') : ''
  // A terminal ends each line with two characters.
  return { exitCode, said: all.replaceAll('\r', ''), calls }
}

const packages = join(CI, 'packages')
const atTerminal = (words = '') => ['script', '-qec', `${packages} ${words}`, '/dev/null']

t.test('without a terminal the missing package is installed', async (t) => {
  t.same(await run(t.testdir(), { argv: [packages] }), INSTALLING)
})

t.test(
  'at a terminal the missing package is named, and is installed on request only',
  needsScript,
  async (t) => {
    const said = 'not installed: strace: what needs them is skipped; --install would install them\n'
    t.same(await run(t.testdir(), { argv: atTerminal() }), { exitCode: 0, said, calls: '' })
    t.same(await run(t.testdir(), { argv: atTerminal('--install') }), INSTALLING)
  },
)

t.test('a user without rights installs nothing, and fails if they ask for an installation', async (t) => {
  const said = 'not installed: strace: what needs them is skipped; root and apt-get could install them\n'
  const asked = { argv: [packages], user: 1000 }
  t.same(await run(t.testdir(), asked), { exitCode: 0, said, calls: '' })
  asked.argv.push('--install')
  t.same(await run(t.testdir(), asked), { exitCode: 1, said, calls: '' })
})

t.test('both programs refuse an unknown argument before they do anything', async (t) => {
  const said = '--instal: unknown argument: expected --install or none\n'
  for (const program of ['packages', 'run'])
    t.same(await run(t.testdir(), { argv: [join(CI, program), '--instal'] }), {
      exitCode: 2,
      said,
      calls: '',
    })
})
