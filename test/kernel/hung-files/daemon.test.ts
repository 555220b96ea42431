/** Files of CTDB on a file system that stops answering, and the event daemon: it answers, lets go, and sees ctdbd die. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../../../runner/eventd/client.ts'
import { HungFiles, whyNoHungFiles } from '../../lab/hung-files.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { endsAtSigterm, held, hosting, untilGone } from '../last-act/dying.ts'

/** What an admin may link onto the cluster file system; an event reads each. */
const FILES = ['public_addresses', 'script.options']

/** The result of `ctdb event status`. */
async function status(lab: Lab): Promise<number> {
  const client = await connect(join(lab.dir, 'etc/run/eventd.socket'))
  try {
    return (await client.request({ kind: 'status', component: 'legacy', event: 'monitor' })).result
  } finally {
    client.close()
  }
}

/** One more script in the folder: it says that it ran. */
function addScript(lab: Lab): void {
  const script = join(lab.dir, 'etc/events/legacy/50.other.script')
  writeFileSync(script, `#!/bin/sh\necho "other: $1"\n`)
  chmodSync(script, 0o755)
}

const skip = (await prepareFile()) ?? whyNoHungFiles()

for (const file of FILES) {
  inLab(`${file} hangs: events end, others go on, addresses go`, { skip }, async (t, lab) => {
    const files = await HungFiles.mount(lab)
    lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
    files.take(file)
    const { ctdbd, daemon } = await hosting(t, lab)
    addScript(lab)
    t.equal(await daemon.run('monitor'), 0)
    await files.hang()

    const monitor = daemon.runWithin(4, 'monitor')
    t.equal(await status(lab), 0, 'ctdb event status answers meanwhile')
    t.equal(await monitor, 110)
    await daemon.logged(new RegExp(file))

    t.equal(await daemon.run('releaseip', 'eth0', '10.0.0.1', '24'), 0)
    t.strictSame(await held(lab), ['eth0/64'])
    await daemon.logged(/other: releaseip/)

    ctdbd.kill('SIGKILL')
    t.comment(`${await untilGone(lab)} ms`)
    t.equal(await daemon.ended, 3)
    t.match(daemon.log(), /last act: 1 address dropped/)
  })

  inLab(`${file} hangs: the daemon ends at SIGTERM, with the last act`, { skip }, async (t, lab) => {
    const files = await HungFiles.mount(lab)
    lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
    files.take(file)
    const { daemon } = await hosting(t, lab)
    await files.hang()
    await endsAtSigterm(t, lab, daemon)
  })

  inLab(`${file} is answered again: so is the daemon`, { skip }, async (t, lab) => {
    const files = await HungFiles.mount(lab)
    lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
    files.take(file)
    const { daemon } = await hosting(t, lab)
    await files.hang()
    t.equal(await daemon.runWithin(2, 'monitor'), 110)
    files.goOn()
    t.equal(await daemon.run('monitor'), 0)
    t.strictSame(await held(lab), ['eth0/24', 'eth0/64'])
  })
}

inLab(
  'the folder of the scripts hangs: events go by the scripts that were there',
  { skip },
  async (t, lab) => {
    const files = await HungFiles.mount(lab)
    lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
    const { ctdbd, daemon } = await hosting(t, lab)
    t.equal(await daemon.run('monitor'), 0)
    files.take('events')
    t.equal(await daemon.run('monitor'), 0)
    await files.hang()
    t.equal(await daemon.run('releaseip', 'eth0', '10.0.0.1', '24'), 0)
    t.equal(await status(lab), 0)
    await daemon.logged(/events\/legacy\/: no answer.*: going by the scripts/)
    ctdbd.kill('SIGKILL')
    await untilGone(lab)
    t.equal(await daemon.ended, 3)
  },
)

inLab(
  'one script hangs there: its event ends at the deadline, the daemon goes on',
  { skip },
  async (t, lab) => {
    const files = await HungFiles.mount(lab)
    lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
    const { daemon } = await hosting(t, lab)
    addScript(lab)
    files.take('events/legacy/50.other.script')
    t.equal(await daemon.run('monitor'), 0)
    await daemon.logged(/other: monitor/)
    await files.hang()
    const monitor = daemon.runWithin(3, 'monitor')
    t.equal(await status(lab), 0)
    t.equal(await monitor, 110)
    t.equal(await status(lab), 0)
    files.goOn()
    t.equal(await daemon.run('monitor'), 0)
  },
)

inLab(
  'the file system is not mounted: addresses go, as my-public-ip-addresses has them',
  { skip },
  async (t, lab) => {
    const files = await HungFiles.mount(lab)
    lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
    for (const file of FILES) files.take(file)
    const { ctdbd, daemon } = await hosting(t, lab)
    await files.unmount()
    t.equal(await daemon.run('releaseip', 'eth0', '10.0.0.1', '24'), 0)
    t.strictSame(await held(lab), ['eth0/64'])
    t.strictSame(lab.hosted(), ['fd00::1'])
    ctdbd.kill('SIGKILL')
    await untilGone(lab)
    t.equal(await daemon.ended, 3)
    t.match(daemon.log(), /last act: 1 address dropped/)
  },
)
