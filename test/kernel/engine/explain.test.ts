/** Rehearsals of a node that has scripts of others: what was not run is not said to be well. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { MAIN } from '../../lab/paths.ts'
import { writeProgram } from '../../lab/stand-ins.ts'
import { waitFor } from '../../lab/wait-for.ts'

const legacy = (lab: Lab) => join(lab.dir, 'etc/events/legacy')

/** `eventscript …`, which asks the event daemon of the lab. */
const here = async (lab: Lab, ...words: string[]) =>
  await lab.node.run('env', 'CTDB_TEST_MODE=yes', process.execPath, MAIN, ...words)

/** The file that says how 50.samba ends. */
const endOf = (lab: Lab) => join(lab.dir, 'samba')

async function nodeWithSamba(lab: Lab) {
  // processes of other tests are none of this node's
  lab.standIn('ps', `"$real" "$@" | grep -e '^ *PID' -e '${lab.dir}'`)
  const daemon = await lab.daemon()
  writeProgram(
    join(legacy(lab), '50.samba.script'),
    `[ "$1" = monitor ] || exit 0
touch '${lab.dir}/begun'
while [ -e '${lab.dir}/hangs' ]; do sleep 1; done
read end <'${endOf(lab)}'; [ "$end" = 0 ] || echo 'ERROR: smbd is not running'; exit $end`,
  )
  writeFileSync(endOf(lab), '0\n')
  return daemon
}

const NODESTATUS =
  '|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|\n'

const reason = await prepareFile()
if (!reason) {
  inLab('explain monitor: healthy only where ctdbd and all scripts say so', {}, async (t, lab) => {
    t.match(await here(lab, 'explain', 'monitor'), {
      status: 1,
      out: /\nIt is not known whether this node is healthy: .*eventd\.socket: no such socket/,
    })
    const daemon = await nodeWithSamba(lab)
    t.equal(await daemon.run('monitor'), 0)
    t.match(await here(lab, 'explain', 'monitor'), {
      status: 0,
      out: /\n50\.samba\n {2}not run: unknown; recorded at the last monitor: OK [^]*\nThis node is healthy: /,
    })
    writeFileSync(endOf(lab), '1\n')
    t.not(await daemon.run('monitor'), 0)
    const failed = await here(lab, 'explain', 'monitor')
    t.equal(failed.status, 1)
    t.match(
      failed.out,
      /\n50\.samba\n {2}not run: unknown; recorded at the last monitor: ERROR .*\n {2}OUTPUT: ERROR: smbd is not running\n/,
    )
    t.match(failed.out, /\nThis node is UNHEALTHY, or becomes so at the next monitor event: 50\.samba /)
    t.notMatch(failed.out, /is healthy/)
    lab.ctdbSays('nodestatus all', `${NODESTATUS}|0|10.1.0.1|0|0|1|0|0|0|1|0|Y|\n`)
    t.match((await here(lab, 'explain', 'monitor')).out, /\nThis node is BANNED, says ctdbd: 50\.samba /)
    const { out } = await here(lab, 'explain', '--json', 'monitor')
    t.match(JSON.parse(out), { outcome: 'ok', health: { state: 'unhealthy', text: /^This node is BANNED/ } })
  })

  inLab('explain monitor: a script that hangs', {}, async (t, lab) => {
    const daemon = await nodeWithSamba(lab)
    t.equal(await daemon.run('monitor'), 0)
    writeFileSync(join(lab.dir, 'hangs'), '')
    const monitor = daemon.runWithin(120, 'monitor')
    let said = ''
    await waitFor(
      'the script to be running for long',
      async () => {
        said = (await here(lab, 'explain', 'monitor')).out
        return said.includes('still running: ')
      },
      60,
    )
    t.match(
      said,
      /\nIt is not known whether this node is healthy: still running: 50\.samba monitor \(pid \d+, \d+ s\)/,
    )
    rmSync(join(lab.dir, 'hangs'))
    t.equal(await monitor, 0)
  })

  inLab(
    'an executable that is not run has no end: dry run, explain, recording and its replay',
    {},
    async (t, lab) => {
      const daemon = await nodeWithSamba(lab)
      const events = ['--events', legacy(lab)]
      const record = join(lab.dir, 'recording')
      t.equal(await daemon.run('setup'), 0)
      const dry = await here(lab, 'run', '--dry-run', '--record', record, ...events, 'setup')
      t.match(
        dry.out,
        /# 50\.samba\n.*50\.samba\.script setup\n# not run: unknown; recorded at the last setup: OK /,
      )
      t.match((await here(lab, 'replay', record)).out, /: as recorded/)
      t.notOk(existsSync(join(lab.dir, 'begun')), 'it was not run')
      const explained = await here(lab, 'explain', ...events, 'setup')
      t.match(explained, {
        status: 0,
        out: /\n50\.samba\n.*\n {2}not run: unknown; recorded at the last setup: OK /,
      })
      t.match(
        (await here(lab, 'explain', ...events, 'takeip', 'eth0', '10.0.0.1', '24')).out,
        /not run: unknown; nor is its end at the last takeip known: Event takeip has never run/,
      )
      t.match(JSON.parse((await here(lab, 'explain', '--json', ...events, 'setup')).out), {
        handlers: [
          { name: '10.interface' },
          { name: '50.samba', outcome: 'not-run', why: /^unknown; recorded / },
        ],
      })
    },
  )
}
