/** After `uninstall` nothing of ours acts: neither an announcer, nor who tries parked addresses again, nor an event that had begun. */
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Result } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { programPath } from '../../lab/needs.ts'
import { SCRIPT } from '../../lab/paths.ts'
import { waitFor } from '../../lab/wait-for.ts'

const needs = ['arping', 'flock']
const IP = '10.0.0.1'
const PARK = 'EVENTSCRIPT_DAD_CONFLICT=park\nEVENTSCRIPT_IPV4_DAD=yes\n'

const placeIn = (lab: Lab) => join(lab.dir, 'etc/events/legacy/10.interface.script')
const parkedFile = (lab: Lab) => join(lab.dir, 'eventscript/parked')
const parked = (lab: Lab) => (existsSync(parkedFile(lab)) ? readFileSync(parkedFile(lab), 'utf8') : '')

/** Our link stands where CTDB looks; put by hand, as `install` wants a repository of root's. */
function linked(lab: Lab, options = ''): string {
  mkdirSync(join(lab.dir, 'etc/events/legacy'), { recursive: true })
  symlinkSync(SCRIPT, placeIn(lab))
  lab.configure('script.options', options)
  return placeIn(lab)
}

async function rivalWith(lab: Lab) {
  await lab.node.calm()
  const rival = await lab.plugIn('rival')
  await rival.must('ip', 'addr', 'add', `${IP}/24`, 'dev', 'eth0')
  await waitFor('the rival to answer', () => lab.observer.reaches(IP))
  return rival
}

const takeip = (lab: Lab): Promise<Result> => lab.node.run(placeIn(lab), 'takeip', 'eth0', IP, '24')
const isGone = (lab: Lab) => lstatSync(placeIn(lab), { throwIfNoEntry: false }) === undefined

if (!(await prepareFile())) {
  inLab('a parked address is not left behind, and not given up', { needs }, async (t, lab) => {
    linked(lab, PARK)
    await rivalWith(lab)
    t.equal((await takeip(lab)).status, 0)
    t.match(parked(lab), `${IP} 24 eth0`)
    const refused = await lab.eventscript('uninstall')
    t.equal(refused.status, 1)
    t.match(
      refused.err,
      new RegExp(`${IP} parked on this node: expected none, as our helper .*: end the conflict, or`),
    )
    t.match([parked(lab), isGone(lab)], [new RegExp(`^${IP} `), false], 'nothing is changed')
    t.equal((await lab.node.run(placeIn(lab), 'releaseip', 'eth0', IP, '24')).status, 0)
    const { status, out, err } = await lab.eventscript('uninstall')
    t.same([status, err, lab.announcers(), isGone(lab)], [0, '', [], true])
    t.notMatch(out, 'WARNING', 'who tried again has ended by itself')
  })

  inLab('announcements that had begun are completed', { needs }, async (t, lab) => {
    linked(lab)
    const wire = await lab.observer.watch('lan', IP)
    t.equal((await takeip(lab)).status, 0)
    const { status, out } = await lab.eventscript('uninstall')
    t.same([status, lab.announcers()], [0, []])
    t.notMatch(out, 'WARNING')
    t.equal(wire.seen().length, 6, 'three rounds in two forms')
    t.same(await lab.node.places(IP), ['eth0/24'], 'the address stays: CTDB has asked for it')
    wire.stop()
  })

  inLab('announcements without an end are ended, and named', { needs }, async (t, lab) => {
    linked(lab, PARK.replace('park', 'seize'))
    await rivalWith(lab)
    t.equal((await takeip(lab)).status, 0)
    await waitFor('the announcer', () => existsSync(join(lab.dir, 'eventscript/announcer.socket')))
    const { status, out } = await lab.eventscript('uninstall')
    t.same([status, lab.announcers()], [0, []])
    t.match(
      out,
      new RegExp(
        `WARNING: announcing \\(pid \\d+, begun with "${IP} eth0 seized"\\) went on for 10 s: ended`,
      ),
    )
  })

  inLab('an event that was running parks nothing that stays', { needs }, async (t, lab) => {
    linked(lab, PARK)
    await rivalWith(lab)
    // the event stands still after its first question about the address until the link is gone
    const [begun, go] = [join(lab.dir, 'begun'), join(lab.dir, 'go')]
    lab.standIn(
      'arping',
      `case "$*" in *-D*|*-0*) touch '${begun}'; while ! [ -e '${go}' ]; do sleep 0.1; done ;; esac; exec ${programPath('arping')} "$@"`,
    )
    const event = takeip(lab)
    await waitFor('the event', () => existsSync(begun))
    const uninstalling = lab.eventscript('uninstall')
    await waitFor('the link to go', () => isGone(lab))
    writeFileSync(go, '')
    t.equal((await event).status, 0)
    const { status, out } = await uninstalling
    t.same([status, parked(lab), await lab.node.places(IP), lab.announcers()], [0, '', [], []])
    t.match(out, `WARNING: ${IP}: parked meanwhile, and taken off: ctdbd lets a script take it again`)
  })

  inLab(
    'our daemon lets go of what it has parked once our handler is gone',
    { needs: [...needs, 'perl'] },
    async (t, lab) => {
      const daemon = await lab.daemon(PARK)
      await rivalWith(lab)
      t.equal(await daemon.run('takeip', 'eth0', IP, '24'), 0)
      t.match(parked(lab), `${IP} 24 eth0`)
      rmSync(placeIn(lab))
      await waitFor('the address to go', async () => (await lab.node.places(IP)).length === 0)
      t.equal(parked(lab), '')
      t.match(daemon.log(), `${IP}: no longer parked, and not on this node: our handler was uninstalled`)
    },
  )
}
