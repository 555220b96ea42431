/** CTDB_SCRIPT_VARDIR on a file system that stops answering: addresses go, events and commands end, the daemon answers. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { HungFiles, whyNoHungFiles } from '../../lab/hung-files.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import { MAIN } from '../../lab/paths.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { endsAtSigterm, held, hosting, untilGone } from '../last-act/dying.ts'

const skip = (await prepareFile()) ?? whyNoHungFiles()

/** Seconds after which a command counts as hanging. */
const HANGS = 60

inLab(
  'the daemon: addresses go, other events end at their deadline, ctdbd dies',
  { skip },
  async (t, lab) => {
    const files = await HungFiles.mount(lab)
    lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
    files.takeState()
    const { ctdbd, daemon } = await hosting(t, lab)
    t.equal(await daemon.run('monitor'), 0, 'as long as it answers all is well')
    await files.hang()

    t.equal(await daemon.runWithin(5, 'monitor'), 110)
    t.equal(await daemon.runWithin(25, 'releaseip', 'eth0', '10.0.0.1', '24'), 0)
    t.strictSame(await held(lab), ['eth0/64'])
    await daemon.logged(/my-public-ip-addresses.*no answer, its file system hangs/)

    ctdbd.kill('SIGKILL')
    t.comment(`${await untilGone(lab)} ms`)
    t.equal(await daemon.ended, 3)
  },
)

inLab('the daemon ends at SIGTERM, with the last act', { skip }, async (t, lab) => {
  const files = await HungFiles.mount(lab)
  files.takeState()
  const { daemon } = await hosting(t, lab)
  await files.hang()
  await endsAtSigterm(t, lab, daemon)
})

inLab('it answers again: locks are taken and lists are kept', { skip }, async (t, lab) => {
  const files = await HungFiles.mount(lab)
  files.takeState()
  const { daemon } = await hosting(t, lab)
  await files.hang()
  t.equal(await daemon.runWithin(25, 'releaseip', 'eth0', '10.0.0.1', '24'), 0)
  files.goOn()
  t.equal(await daemon.run('takeip', 'eth0', '10.0.0.1', '24'), 0)
  t.match(files.hosted(), /^10\.0\.0\.1$/m)
})

inLab('the script, started by CTDB: the address goes', { skip }, async (t, lab) => {
  const files = await HungFiles.mount(lab)
  files.takeState()
  t.equal((await lab.script('takeip', 'eth0', '10.0.0.1', '24')).status, 0)
  t.equal(files.hosted(), '10.0.0.1\n')
  await files.hang()
  const { status, out } = await lab.script('releaseip', 'eth0', '10.0.0.1', '24')
  t.equal(status, 0)
  t.match(
    out,
    /^WARNING: .*iptables\.flock: no answer, its file system hangs: the firewall is changed without it/m,
  )
  t.match(out, /^WARNING: .*my-public-ip-addresses is not kept: .*no answer/m)
  t.strictSame(await lab.node.places('10.0.0.1'), [])
})

/** Of each the words, and what it says. */
const COMMANDS: readonly [words: string, said: RegExp][] = [
  ['run releaseip eth0 10.0.0.1 24', /the run is not kept in the history: .*no answer/],
  ['run monitor --timeout 4', /TIMEDOUT/],
  ['history', /no answer/],
  ['status monitor', /no answer|no event daemon/],
  ['audit --timeout 5', /no answer/],
  ['doctor --timeout 5', /no answer/],
  ['ip --timeout 5', /parked: no answer/],
  ['cleanup', /1 address dropped|not known|nothing/],
]

inLab('every command ends', { skip }, async (t, lab) => {
  const files = await HungFiles.mount(lab)
  files.takeState()
  await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
  mkdirSync(join(lab.dir, 'etc/events/legacy'), { recursive: true })
  await files.hang()
  for (const [words, said] of COMMANDS) {
    const running = lab.node.start(process.execPath, MAIN, ...words.split(' '))
    let over: Awaited<typeof running> | undefined
    void running.then((ended) => (over = ended))
    await waitFor(`the end of ${words}`, () => over !== undefined, HANGS)
    t.match(`${over?.stdout}${over?.stderr}`, said, words)
    t.equal(over?.signal, undefined, words)
  }
})
