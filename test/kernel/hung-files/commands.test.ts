/** Files of CTDB on a file system that stops answering, and commands: each ends in its time, by itself or by a signal. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HungFiles, whyNoHungFiles } from '../../lab/hung-files.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { DIST, MAIN } from '../../lab/paths.ts'
import type { Process } from '../../lab/processes.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { held } from '../last-act/dying.ts'

/** Seconds that a command is given, and those after which it counts as hanging: all of them start at once. */
const [LIMIT, HANGS] = ['8', 60]

/** What each names when nobody answers: the file that it needs first. */
const LOOKS: readonly [words: string, named: RegExp][] = [
  [`run monitor --timeout ${LIMIT}`, /TIMEDOUT .*script\.options/],
  [`run --events ETC/events/legacy monitor`, /events\/legacy\/: no answer/],
  [`explain monitor --timeout ${LIMIT}`, /TIMEDOUT: .*script\.options/],
  [`ip --timeout ${LIMIT}`, /script\.options: no answer/],
  [`ifaces --timeout ${LIMIT}`, /script\.options: no answer/],
  [`nodes --timeout ${LIMIT}`, /nodes: no answer/],
  [`audit --timeout ${LIMIT}`, /script\.options: no answer/],
  [`doctor --timeout ${LIMIT}`, /events\/legacy\/: no answer/],
  [`check --timeout ${LIMIT}`, /UNKNOWN - .*script\.options: no answer/],
  [`metrics --timeout ${LIMIT}`, /script\.options: no answer/],
  ['cleanup --dry-run', /script\.options: no answer/],
  ['list --events ETC/events/legacy', /events\/legacy\/: no answer/],
  ['replay ETC/recording', /recording: no answer/],
  ['install --dry-run', /events\/legacy\/: no answer/],
  ['uninstall --dry-run', /events\/legacy\/: no answer/],
]

const LOOK_LONG = ['run', 'explain', 'ip', 'audit', 'doctor', 'cleanup']

const skip = (await prepareFile()) ?? whyNoHungFiles()

/** A node whose files are all over there, and nobody answers. */
async function hung(lab: Lab): Promise<void> {
  const files = await HungFiles.mount(lab)
  lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
  lab.configure('nodes', '10.1.0.1\n10.1.0.2\n')
  lab.configure('recording', 'eventscript recording 1\n')
  mkdirSync(join(lab.dir, 'etc/events/legacy'), { recursive: true })
  for (const file of ['public_addresses', 'script.options', 'nodes', 'recording', 'events']) files.take(file)
  await files.hang()
}

const start = (lab: Lab, words: string) =>
  lab.node.start(process.execPath, MAIN, ...words.replaceAll('ETC', join(lab.dir, 'etc')).split(' '))

inLab('every command that looks ends in its time, and names the file', { skip }, async (t, lab) => {
  await hung(lab)
  await Promise.all(
    LOOKS.map(async ([words, named]) => {
      const running = start(lab, words)
      let over: Awaited<typeof running> | undefined
      void running.then((ended) => (over = ended))
      await waitFor(`the end of ${words}`, () => over !== undefined, HANGS)
      t.match(`${over?.stdout}${over?.stderr}`, named, words)
      t.ok([1, 3].includes(over?.exitCode ?? 0), `${words}: status ${over?.exitCode}`)
    }),
  )
})

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  inLab(`${signal} ends every command that waits`, { skip }, async (t, lab) => {
    await hung(lab)
    const readers = (): Process[] =>
      lab.processes().filter(({ command }) => /^(cat|ls -1A) -- /.test(command))
    for (const name of LOOK_LONG) {
      const event = name === 'run' || name === 'explain' ? ' monitor' : ''
      const running = start(lab, `${name}${event} --timeout 600`)
      await waitFor(`${name} to wait for a file`, () => readers().length > 0)
      process.kill(running.pid ?? 0, signal)
      let isOver = false
      void running.then(() => (isOver = true))
      await waitFor(`the end of ${name}`, () => isOver, HANGS)
      await waitFor('the end of what it started', () => readers().length === 0)
      t.ok(isOver, name)
    }
  })

inLab('cleanup lets the addresses go, and says what it went by', { skip }, async (t, lab) => {
  for (const place of ['10.0.0.1/24 dev eth0', 'fd00::1/64 dev eth1', '10.0.0.77/24 dev eth0'])
    await lab.node.must('ip', 'addr', 'add', ...place.split(' '))
  writeFileSync(join(lab.dir, 'var/my-public-ip-addresses'), '10.0.0.1\nfd00::1\n')
  await hung(lab)
  const { status, out } = await lab.eventscript('cleanup')
  t.match(out, /public_addresses: no answer/)
  t.match(out, /^2 addresses dropped/m)
  t.strictSame(await held(lab), [])
  t.strictSame(await lab.node.places('10.0.0.77'), ['eth0/24'], "the host's own stays")
  t.comment(`status ${status}`)
})

/** A look in the first thread, as in none of our files. */
const LOOK = `const { endProcessAfter } = await import(process.argv[2]); const { readFileSync } = await import('node:fs')
endProcessAfter('ip', 1); process.on('SIGTERM', () => {}); readFileSync(process.argv[1])`

inLab('a look that nobody thought of: the process is killed after its time', { skip }, async (t, lab) => {
  await hung(lab)
  const file = join(lab.dir, 'etc/public_addresses')
  const words = ['--input-type=module', '-e', LOOK, file, join(DIST, 'runner/cli/last-resort.js')]
  const running = lab.node.start(process.execPath, ...words)
  let over: Awaited<typeof running> | undefined
  void running.then((ended) => (over = ended))
  await waitFor('its end', () => over !== undefined, HANGS)
  t.equal(over?.signal, 'SIGKILL')
  t.match(over?.stderr, /^eventscript: ip: no end after 1 s: a file system that it looks at hangs/)
})

inLab(
  'a ctdb.conf that dangles: cleanup lets go, and says what it does not know',
  { skip },
  async (t, lab) => {
    await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
    const conf = join(lab.dir, 'etc/ctdb.conf')
    rmSync(conf, { force: true })
    symlinkSync('/nowhere/ctdb.conf', conf)
    const { out, err } = await lab.eventscript('cleanup')
    t.match(
      `${out}${err}`,
      /WARNING: cannot read .*ctdb\.conf: a link .*whether \[failover\] is disabled is not known/,
    )
    t.strictSame(await lab.node.places('10.0.0.1'), [])
    const doctor = await lab.eventscript('doctor')
    t.match(doctor.out, /ctdb\.conf: a link whose target does not exist .*CTDB goes by its defaults/)
  },
)

for (const ending of ['by itself', 'at SIGTERM'] as const)
  inLab(
    `a recording whose file system hangs meanwhile is cut short: run ends ${ending}`,
    { skip },
    async (t, lab) => {
      const files = await HungFiles.mount(lab)
      const events = join(lab.dir, 'etc/two')
      mkdirSync(events)
      const [script, seen] = [join(events, '50.hangs.script'), join(lab.dir, 'seen')]
      const rest = ending === 'by itself' ? 'exit 0' : 'exec sleep 600'
      writeFileSync(script, `#!/bin/sh\nkill -STOP ${files.server}\n: >${seen}\n${rest}\n`, { mode: 0o755 })
      const running = start(lab, `run --events ${events} --timeout 300 --record ${files.folder}/rec monitor`)
      await waitFor('the script', () => existsSync(seen), HANGS)
      if (ending === 'at SIGTERM') running.kill('SIGTERM')
      let over: Awaited<typeof running> | undefined
      void running.then((ended) => (over = ended))
      await waitFor('its end', () => over !== undefined, HANGS)
      t.equal(over?.exitCode, ending === 'by itself' ? 0 : 1)
      t.match(over?.stderr, /--record \S+\/rec: no answer: cut short here/)
    },
  )

inLab('a recording on a file system that may hang is as any other', { skip }, async (t, lab) => {
  const files = await HungFiles.mount(lab)
  // the same file here and in the lab, which alone has that file system
  const [file, here] = [`${files.folder}/rec`, join(lab.dir, 'served/rec')]
  const record = (...more: string[]) => lab.eventscript('run', 'monitor', '--record', file, ...more)
  await record()
  t.equal((statSync(here).mode & 0o777).toString(8), '600')
  t.match(readFileSync(here, 'utf8'), /^eventscript recording 1\nevent monitor\n[^]*\nresult [a-z ]+\n$/)
  t.match((await record()).err, /rec: cannot write it: EEXIST: name another file, or add --overwrite/)
  t.equal((await record('--overwrite')).status, 0)
  t.match((await lab.eventscript('replay', file)).out, 'as recorded')
  rmSync(here)
  symlinkSync('/nowhere/rec', here)
  t.match((await record('--overwrite')).err, /rec: cannot write it: EEXIST/)
})
