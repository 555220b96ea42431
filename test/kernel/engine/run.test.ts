import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from '../../tap.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab } from '../../lab/in-lab.ts'
import { whyNoLab } from '../../lab/needs.ts'
import { MAIN, SCRIPT } from '../../lab/paths.ts'
import { isAlive } from '../../lab/processes.ts'
import { waitFor } from '../../lab/wait-for.ts'

t.setTimeout(300_000)
t.jobs = 4

/** A folder of handlers. Executables, unless their text is `disabled …`; they find it as `$DIR`. */
function folder(t: Test, scripts: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), 'eventscript-run-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(path, name), text.replace(/^disabled /, ''))
    chmodSync(join(path, name), text.startsWith('disabled ') ? 0o644 : 0o755)
  }
  return path
}

/** Without tap's hooks, which every node program would inherit. */
function start(dir: string, words: readonly string[], first = 'run') {
  // the history of the machine that runs the tests is none of theirs
  const env = { DIR: dir, NO_COLOR: '1', CTDB_SCRIPT_VARDIR: join(dir, 'var/scripts') }
  const argv = ['-u', 'NODE_OPTIONS', process.execPath, MAIN, first, '--events', dir, ...words]
  return execa('env', argv, { reject: false, env })
}

async function run(dir: string, ...words: string[]) {
  const { exitCode, stdout, stderr } = await start(dir, words)
  return { status: exitCode, out: stdout, err: stderr }
}

const pidIn = (dir: string, file: string) => {
  const path = join(dir, file)
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
}

void t.test(
  'scripts run in the order of their names, with the words of the event, until one fails',
  { buffered: true },
  async (t) => {
    const say = '#!/bin/sh\necho "$0 $*" >>"$DIR/log"\n'
    const dir = folder(t, {
      '20.second.script': `${say}echo one; echo two >&2; exit 3\n`,
      '10.first.script': say,
      '30.third.script': say,
      '05.not-one': say,
      'x.script': say,
    })
    const { status, out } = await run(dir, 'takeip', 'eth0', '10.0.0.1', '24')
    t.equal(status, 1)
    t.equal(
      readFileSync(join(dir, 'log'), 'utf8'),
      `${dir}/10.first.script takeip eth0 10.0.0.1 24\n${dir}/20.second.script takeip eth0 10.0.0.1 24\n`,
    )
    t.match(
      out,
      /^10\.first +OK .*\n20\.second +FAILED .*20\.second\.script ended with exit status 3\n {2}one\n {2}two$/,
    )
    const good = folder(t, { '10.first.script': say, '20.second.script': say })
    t.equal((await run(good, 'monitor')).status, 0)
  },
)

void t.test(
  'a script that overstays its time is ended with all that it has started, and named',
  { buffered: true },
  async (t) => {
    const dir = folder(t, {
      '10.hangs.script': `#!/bin/sh
trap 'echo TERM >"$DIR/term"; exit 1' TERM
sh -c 'trap "" TERM; echo $$ >"$DIR/deaf"; while :; do sleep 1; done' &
echo waiting
while :; do sleep 1; done
`,
      '20.next.script': '#!/bin/sh\ntouch "$DIR/next"\n',
    })
    const { status, out } = await run(dir, '--timeout', '1', 'monitor')
    t.equal(status, 1)
    t.match(out, /^10\.hangs +TIMEDOUT .* timed out after 1 s while running ".*10\.hangs\.script monitor"/)
    t.equal(readFileSync(join(dir, 'term'), 'utf8'), 'TERM\n', 'TERM came first')
    await waitFor('the end of the grandchild that ignores TERM', () => !isAlive(pidIn(dir, 'deaf')))
    t.notOk(existsSync(join(dir, 'next')), 'the later handlers do not run')
  },
)

void t.test('a script that ignores TERM is killed', { buffered: true }, async (t) => {
  const dir = folder(t, {
    '10.deaf.script': `#!/bin/sh\ntrap '' TERM\necho $$ >"$DIR/deaf"\nwhile :; do sleep 1; done\n`,
  })
  t.equal((await run(dir, '--timeout', '0.5', 'monitor')).status, 1)
  await waitFor('its end', () => !isAlive(pidIn(dir, 'deaf')))
})

void t.test(
  'a daemon that a script has started and that holds its output delays nothing',
  { buffered: true },
  async (t) => {
    const dir = folder(t, {
      '10.starts.script': '#!/bin/sh\nsleep 600 &\necho $! >"$DIR/daemon"\necho started\n',
      '20.next.script': '#!/bin/sh\necho next\n',
    })
    const { status, out } = await run(dir, 'startup')
    const daemon = pidIn(dir, 'daemon')
    t.ok(isAlive(daemon), 'it lives on')
    process.kill(daemon)
    t.equal(status, 0)
    t.match(out, / {2}started\n20\.next +OK .*\n {2}next$/)
  },
)

void t.test(
  'scripts that do not run are shown with the reason, and do not fail the event',
  { buffered: true },
  async (t) => {
    const dir = folder(t, {
      '10.off.script': 'disabled #!/bin/sh\nexit 1\n',
      '20.bare.script': 'exit 1\n',
      '30.lost.script': '#!/nowhere/perl\nexit 1\n',
      '40.dos.script': '#!/bin/sh\r\nexit 1\r\n',
      '50.good.script': '#!/bin/sh\n',
    })
    symlinkSync('/nowhere/60.script', join(dir, '60.dangling.script'))
    const { status, out } = await run(dir, 'monitor')
    t.equal(status, 0)
    t.match(out, /^10\.off +DISABLED .*10\.off\.script is not executable: "chmod u\+x" enables it$/m)
    t.match(out, /^20\.bare +CANNOT RUN .*its first line is no "#!" with an interpreter$/m)
    t.match(out, /^30\.lost +CANNOT RUN .*its interpreter \/nowhere\/perl does not exist$/m)
    t.match(out, /^40\.dos +CANNOT RUN .*CR LF/m)
    t.match(out, /^50\.good +OK/m)
    t.match(out, /^60\.dangling +DISABLED .*a dangling link/m)
    const list = await start(dir, [], 'list')
    t.equal(list.exitCode, 0)
    t.match(
      list.stdout,
      /^10\.off +disabled .*\n20\.bare +broken .*\n30\.lost +broken .*\n40\.dos +broken .*\n50\.good +script /,
    )
  },
)

void t.test(
  '--only runs one handler, by its name with or without the number',
  { buffered: true },
  async (t) => {
    const dir = folder(t, {
      '10.first.script': '#!/bin/sh\nexit 1\n',
      '20.second.script': '#!/bin/sh\necho second\n',
    })
    for (const name of ['20.second', 'second']) {
      const { status, out } = await run(dir, '--only', name, 'monitor')
      t.equal(status, 0)
      t.match(out, /^20\.second +OK .*\n {2}second$/)
    }
    const unknown = await run(dir, '--only', 'third', 'monitor')
    t.equal(unknown.status, 2)
    t.match(
      unknown.err,
      /^eventscript: --only third: no such handler in .*: there are 10\.first, 20\.second$/,
    )
  },
)

void t.test('--json prints what happened and nothing else', { buffered: true }, async (t) => {
  const dir = folder(t, {
    '10.off.script': 'disabled #!/bin/sh\n',
    '20.second.script': '#!/bin/sh\necho "a line"; echo another\nkill -9 $$\n',
  })
  const { status, out, err } = await run(dir, '--json', 'takeip', 'eth0', '10.0.0.1', '24')
  t.equal(status, 1)
  t.equal(err, '')
  t.match(JSON.parse(out), {
    event: 'takeip',
    words: ['eth0', '10.0.0.1', '24'],
    outcome: 'failed',
    handlers: [
      { name: '10.off', outcome: 'disabled', output: [] },
      { name: '20.second', outcome: 'failed', output: ['a line', 'another'], why: /was ended by SIGKILL/ },
    ],
  })
})

void t.test(
  'a call that makes no sense ends with 2, one line and nothing done',
  { buffered: true },
  async (t) => {
    const dir = folder(t, { '10.first.script': '#!/bin/sh\ntouch "$DIR/ran"\n' })
    const empty = folder(t, {})
    for (const [where, words, says] of [
      [dir, ['takeip', 'eth0', '10.0.0.1'], /must supply interface, IP and maskbits/],
      [dir, ['--timeout', '0', 'monitor'], /--timeout 0: expected seconds/],
      [dir, ['--timeout', 'soon', 'monitor'], /--timeout soon: expected seconds/],
      [dir, ['--record', '/nowhere/file', 'monitor'], /--record \/nowhere\/file: cannot write it/],
      [dir, [], /./],
      ['/nowhere', ['monitor'], /\/nowhere: cannot list the handlers: no such folder/],
      [empty, ['monitor'], /no handlers: expected files named NN\.name/],
    ] as const) {
      const { status, err } = await run(where, ...words)
      t.equal(status, 2, words.join(' '))
      t.match(err, says)
      t.equal(lines({ status: 2, out: '', err }).length, 1)
    }
    t.notOk(existsSync(join(dir, 'ran')))
  },
)

void t.test('Ctrl-C ends what runs, and the event fails', { buffered: true }, async (t) => {
  const dir = folder(t, { '10.long.script': '#!/bin/sh\necho $$ >"$DIR/long"\nexec sleep 600\n' })
  const child = start(dir, ['monitor'])
  await waitFor('the script', () => pidIn(dir, 'long') > 0)
  child.kill('SIGINT')
  const { exitCode, stdout } = await child
  t.equal(exitCode, 1)
  t.match(stdout, /^10\.long +FAILED .*interrupted by SIGINT while running/)
  await waitFor('its end', () => !isAlive(pidIn(dir, 'long')))
})

void t.test('a script sees the environment that we were given', { buffered: true }, async (t) => {
  const dir = folder(t, { '10.env.script': '#!/bin/sh\necho "$DIR ${LC_ALL-unset}"\n' })
  const { out } = await run(dir, 'monitor')
  t.match(out, `${dir} ${process.env['LC_ALL'] ?? 'unset'}`)
})

const skip = await whyNoLab()
inLab('our script works beside others in a folder as CTDB has it', skip ? { skip } : {}, async (t, lab) => {
  const dir = folder(t, { '50.samba.script': '#!/bin/sh\necho "samba: $*"\n' })
  symlinkSync(SCRIPT, join(dir, '10.interface.script'))
  const result = await lab.eventscript('run', '--events', dir, 'takeip', 'eth0', '10.0.0.1', '24')
  t.equal(result.status, 0, result.out)
  t.match(result.out, /^10\.interface +OK .*\n50\.samba +OK .*\n {2}samba: takeip eth0 10\.0\.0\.1 24\n$/)
  t.strictSame(await lab.node.places('10.0.0.1'), ['eth0/24'])
})

inLab(
  'a sysctl that can only be written is written: route caches are flushed',
  skip ? { skip } : {},
  async (t, lab) => {
    const file = join(lab.dir, 'recording.txt')
    const words = [
      '--only',
      '10.interface',
      '--overwrite',
      '--record',
      file,
      'takeip',
      'eth0',
      '10.0.0.1',
      '24',
    ]
    t.equal((await lab.eventscript('run', ...words)).status, 0)
    t.match(readFileSync(file, 'utf8'), /^write \/proc\/sys\/net\/ipv4\/route\/flush\n {2}in 1\n {2}took/m)
  },
)
