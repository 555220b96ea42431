/** The closing sentence of `explain monitor`: never more than what is known. */
import t from '../tap.ts'
import { concludeHealth, type HealthSight } from '../../runner/inspect/health/conclude.ts'
import { unknownEnd } from '../../runner/inspect/health/recorded.ts'

const NOW = Date.parse('2026-11-27T12:00:00Z')

function script(name: string, result = 0, ago = 10) {
  const seconds = NOW / 1000 - ago
  return {
    name,
    begin: { seconds, microseconds: 0 },
    end: { seconds, microseconds: 5000 },
    result,
    output: undefined,
  }
}

const WELL: HealthSight = {
  failing: [],
  unknown: [],
  recorded: [script('10.interface'), script('50.samba')],
  flags: [],
  running: [],
}

const conclude = (own: Partial<HealthSight>) => concludeHealth({ ...WELL, ...own }, NOW)

t.test('healthy only where all was seen, and all of it is well', (t) => {
  t.match(conclude({}), {
    state: 'healthy',
    text: /^This node is healthy: ctdbd says so, and no script failed at the last monitor event, \w{3} Nov 27 /,
  })
  t.equal(conclude({ flags: ['PartiallyOnline'] }).state, 'healthy')
  t.end()
})

const BAD: Record<string, [Partial<HealthSight>, RegExp]> = {
  'a script that is not ours has failed': [
    { recorded: [script('10.interface'), script('50.samba', 1)] },
    /^This node is UNHEALTHY, or becomes so at the next monitor event: 50\.samba at the last monitor event: ERROR /,
  ],
  'a script had no time left': [{ recorded: [script('50.samba', -110)] }, /50\.samba .*: TIMEDOUT/],
  'a handler fails now': [
    { failing: ['10.interface'] },
    /^This node is UNHEALTHY, or .*: 10\.interface fails now\.$/,
  ],
  'ctdbd says so': [
    { flags: ['Unhealthy'] },
    /^This node is UNHEALTHY, says ctdbd: no script that failed is known: "ctdb event status legacy monitor" names it\.$/,
  ],
  'the node is banned': [{ flags: ['Banned', 'Inactive'] }, /^This node is BANNED, says ctdbd/],
  'the node is disabled and unhealthy': [
    { flags: ['Disabled', 'Unhealthy'], recorded: 'the event daemon hangs' },
    /^This node is UNHEALTHY and DISABLED, says ctdbd: .*; the event daemon hangs\.$/,
  ],
}

for (const [what, [own, text]] of Object.entries(BAD))
  t.test(`unhealthy: ${what}`, (t) => {
    t.match(conclude(own), { state: 'unhealthy', text })
    t.end()
  })

const UNKNOWN: Record<string, [Partial<HealthSight>, RegExp]> = {
  'ctdbd does not answer': [
    { flags: '"ctdb -X nodestatus all" was ended' },
    /: "ctdb -X nodestatus all" was ended\.$/,
  ],
  'the event daemon does not answer': [{ recorded: 'no such socket' }, /: no such socket\.$/],
  'nobody can say what runs': [{ running: 'ps failed' }, /: ps failed\.$/],
  'a script hangs': [
    { running: ['50.samba monitor (pid 7, 20 s)'] },
    /: still running: 50\.samba monitor \(pid 7, 20 s\)\.$/,
  ],
  'the last monitor event is old': [{ recorded: [script('50.samba', 0, 500)] }, / began 500 s ago\.$/],
  'a script was never run': [
    { unknown: ['60.nfs'] },
    /: 60\.nfs was not run, and no end of it is recorded\.$/,
  ],
  'no script ran': [{ recorded: [] }, /: no script ran /],
}

for (const [what, [own, text]] of Object.entries(UNKNOWN))
  t.test(`not known: ${what}`, (t) => {
    const { state, text: said } = conclude(own)
    t.equal(state, 'unknown')
    t.match(said, /^It is not known whether this node is healthy: /)
    t.match(said, text)
    t.end()
  })

t.test('of a script that is not run, what is recorded', (t) => {
  const recorded = [script('50.samba', 1)]
  t.match(
    unknownEnd(recorded, 'monitor', '50.samba'),
    /^unknown; recorded at the last monitor: ERROR +0\.005 /,
  )
  t.equal(unknownEnd(recorded, 'monitor', '60.nfs'), 'unknown; no end of it is recorded at the last monitor')
  t.match(
    unknownEnd('no such socket', 'takeip', '60.nfs'),
    /^unknown; nor is its end at the last takeip known: no such/,
  )
  t.end()
})
