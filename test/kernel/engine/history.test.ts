/** What the history knows of events that CTDB ran: in our daemon, by our scripts; and of those by hand. */
import { join } from 'node:path'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { readOr, SCRIPT } from '../../lab/paths.ts'
import { waitFor } from '../../lab/wait-for.ts'

const TAKE = ['takeip', 'eth0', '10.0.0.1', '24']

const fileOf = (lab: Lab) => join(lab.dir, 'eventscript/history.jsonl')
const historyOf = async (lab: Lab) => (await lab.eventscript('history')).out

const reason = await prepareFile()
if (!reason) {
  inLab(
    'history and status know what our daemon, our scripts and an admin ran, each marked',
    {},
    async (t, lab) => {
      t.equal((await lab.script(...TAKE)).status, 0)
      t.match(await historyOf(lab), /OK .* s {2}10\.interface\.script {2,}takeip eth0 10\.0\.0\.1 24$/m)
      t.match((await lab.eventscript('status', 'takeip')).out, /^10\.interface +OK .*\nrun by our scripts/)

      const daemon = await lab.daemon()
      t.equal(await daemon.run('monitor'), 0)
      t.equal(await daemon.run('monitor'), 0)
      t.not(await daemon.run('takeip', 'nosuch', '10.0.0.1', '24'), 0)
      await waitFor('the runs of the daemon', () => readOr(fileOf(lab)).includes('nosuch'))
      t.match(
        await historyOf(lab),
        /OK .* s {2}daemon {2,}monitor\n {2}2 times since .*\n.*FAILED .* s {2}daemon {2,}takeip nosuch .*\n {2}10\.interface: Failed to bringup/,
      )
      t.match(await lab.eventscript('status', 'takeip'), {
        status: 1,
        out: /^10\.interface +FAILED [^]*\nrun by CTDB, in our event daemon\n$/,
      })

      await lab.eventscript('run', 'monitor')
      t.match(await historyOf(lab), / s {2}by hand {2,}monitor\n$/)
      t.match((await lab.eventscript('status')).out, /\nrun by hand\n$/)
      const fields = (await lab.eventscript('history', '-X')).out.split('\n')
      t.match(fields[0], /\|Why\|Via\|Count\|First\|$/)
      t.same(
        fields.slice(1, -1).map((line) => line.split('|').slice(7, 9).join(' ')),
        ['script 1', 'daemon 2', 'daemon 1', 'hand 1'],
      )
    },
  )

  inLab('a daemon that ends has its last runs in the history', {}, async (t, lab) => {
    const daemon = await lab.daemon()
    t.equal(await daemon.run('setup'), 0)
    await daemon.kill('SIGTERM')
    t.match(readOr(fileOf(lab)), /"event":"setup".*"via":"daemon"/)
  })

  inLab(
    'a script that is killed at its limit is in the history; one that runs is not',
    {},
    async (t, lab) => {
      lab.standIn('ip', 'while :; do sleep 1; done')
      const running = lab.node.start(SCRIPT, ...TAKE)
      await waitFor('the script to be slow', () => readOr(fileOf(lab)).endsWith('\n'))
      const { unended } = JSON.parse(readOr(fileOf(lab))) as { unended: number }
      t.match(await historyOf(lab), /^no runs in /)
      process.kill(unended, 'SIGKILL')
      await running
      t.match(
        await historyOf(lab),
        /FAILED .* takeip eth0 10.0.0.1 24\n {2}10\.interface: no end was seen after \d+\.\d s/,
      )
      t.equal((await lab.eventscript('status', 'takeip')).status, 1)
    },
  )
}
