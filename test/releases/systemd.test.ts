/**
 * ctdb.service dies, in every way that there is, under a booted systemd: no public address stays, and the journal says
 * who took them away. `RELEASES=trixie` boots that one; else sid, with the newest CTDB and systemd.
 */
import t, { type Test } from '../tap.ts'
import { TESTED } from './release.ts'
import { boot, rootWithSystemd, whyNotBooted, type Booted } from '../lab/ctdb/booted.ts'
import {
  heldIn,
  journalFrom,
  OWN,
  setUp,
  SHORT_STOP,
  startCtdb,
  untilOver,
  type Line,
} from '../lab/ctdb/booted-ctdb.ts'

const BOOTABLE = ['sid', 'trixie']
const chosen = process.env['RELEASES']?.split(',') ?? ['sid']
const systemdOf = (name: string) => TESTED.find(({ release }) => release === name)?.systemd
/** Of a container, and of the test with it. */
const SECONDS = 400

/** Who dropped the addresses. */
type Who = 'shutdown' | 'ctdb-eventd' | 'ExecStopPost' | 'OnFailure'

interface Way {
  name: string
  act: string
  /** With our event daemon. */
  ours: Who[]
  /** With CTDB's own, where that makes a difference. */
  stock?: Who[]
  /** The service ends as it should: OnFailure= is none of it. */
  orderly?: true
}

const MAIN_PID = '$(systemctl show -P MainPID ctdb)'
/** What the whole control group is killed with may hit what ExecStopPost= starts, too. */
const OUTSIDE: Who[] = ['ExecStopPost', 'OnFailure']

const WAYS: readonly Way[] = [
  { name: 'systemctl stop', act: 'systemctl stop ctdb', ours: ['shutdown'], orderly: true },
  { name: 'kill -9 of ctdbd', act: `kill -9 ${MAIN_PID}`, ours: ['ctdb-eventd'], stock: ['ExecStopPost'] },
  {
    name: 'a stop that hangs',
    act: `${SHORT_STOP}; kill -STOP ${MAIN_PID}; systemctl stop ctdb`,
    ours: ['ctdb-eventd'],
    stock: ['ExecStopPost'],
  },
  { name: 'systemctl kill -s KILL', act: 'systemctl kill -s KILL ctdb', ours: OUTSIDE, stock: OUTSIDE },
  {
    name: 'a 1 in cgroup.kill',
    act: 'echo 1 >/sys/fs/cgroup/system.slice/ctdb.service/cgroup.kill',
    ours: OUTSIDE,
  },
]

const DROPPED = /\b6 addresses dropped\b/

/** Out of who wrote the line that counts them. */
function whoDropped(lines: readonly Line[]): Who[] {
  const counted = lines.filter(({ text }) => DROPPED.test(text))
  if (counted.length === 0) return ['shutdown']
  return counted.map((line) => {
    if (line.name === 'ctdb-eventd') return 'ctdb-eventd'
    return line.unit === 'eventscript-cleanup.service' ? 'OnFailure' : 'ExecStopPost'
  })
}

/** What is in the journal has its writer's name and its own priority. */
function namesAndPriorities(t: Test, lines: readonly Line[]): void {
  const names = new Set(lines.map(({ name }) => name))
  for (const name of ['main.js', 'logger', 'node']) t.notOk(names.has(name), `no line of "${name}"`)
  for (const line of lines.filter(({ text }) => DROPPED.test(text))) {
    const byDaemon = line.name === 'ctdb-eventd'
    const name = byDaemon ? 'ctdb-eventd' : 'eventscript'
    t.match(line, { name, priority: byDaemon ? '3' : '4', unit: /^(?:ctdb|eventscript-cleanup)\.service$/ })
  }
}

/** How what ExecStopPost= started has ended: `exited 0`, `killed 9/KILL`. */
async function stopPost({ sh }: Booted): Promise<string> {
  const text = await sh('systemctl show -P ExecStopPost ctdb')
  const [, code, status] = /code=(\S+) ; status=(\S+)/.exec(text) ?? []
  return `${code} ${status}`
}

async function dies(t: Test, node: Booted, way: Way, expected: Who[]): Promise<void> {
  await startCtdb(node)
  const journal = await journalFrom(node)
  await node.sh(way.act)
  await untilOver(node)
  t.same(await heldIn(node), [OWN.replace(/\/.*/, '')], 'no public address is left, its own is')
  const lines = await journal()
  const who = whoDropped(lines)
  t.equal(who.length, 1, 'once: the next run finds nothing to do')
  t.ok(expected.includes(who[0] ?? 'shutdown'), `they went by ${who.join()}`)
  const unit = lines.filter(({ about }) => about === 'eventscript-cleanup.service').map(({ text }) => text)
  if (way.orderly) t.same(unit, [], 'OnFailure= has no part in it')
  else t.match(unit.at(-1), /^Finished /, 'what OnFailure= starts has ended well')
  const post = await stopPost(node)
  t.match(post, expected === OUTSIDE ? /^(?:killed 9|exited 0)/ : /^exited 0/, `ExecStopPost: ${post}`)
  namesAndPriorities(t, lines)
  t.comment(
    `${way.name}: by ${who.join()}; ExecStopPost= ${post}; OnFailure= ${unit.length > 0 ? 'ran' : '-'}`,
  )
}

/** What the daemon says at its start, by the journal's own words. */
async function daemonsOwnLines(t: Test, { sh }: Booted): Promise<void> {
  const pid = /pid=(\d+)/.exec(await sh('journalctl -t ctdb-eventd -o cat -g "^daemon started" -n 1'))?.[1]
  t.match(
    await sh(`journalctl -t ctdb-eventd _PID=${pid} -p notice -o cat`),
    'startup completed successfully',
  )
  const errors = await sh('journalctl -t ctdb-eventd -p err -o cat')
  t.match(errors, /is gone: last act: 6 addresses dropped/)
  t.notMatch(errors, 'startup completed')
}

const why = whyNotBooted()
t.jobs = 2
t.setTimeout(SECONDS * 1000)
if (!chosen.some((release) => BOOTABLE.includes(release)))
  t.plan(0, `RELEASES names none of ${BOOTABLE.join(', ')}`)
for (const release of BOOTABLE.filter((each) => chosen.includes(each)))
  for (const eventd of [true, false])
    void t.test(
      `${release}, ${eventd ? 'our event daemon' : "CTDB's event daemon, our script"}`,
      { buffered: true, ...(why === undefined ? {} : { skip: why }) },
      async (t) => {
        const had = await rootWithSystemd(release)
        if ('why' in had) return t.plan(0, had.why)
        const node = await boot(had.root, SECONDS)
        try {
          const versions = await node.sh('systemctl --version | head -n 1; ctdb version; uname -r')
          t.comment(versions.replaceAll('\n', ', '))
          t.equal(
            /^systemd (\d+)/.exec(versions)?.[1],
            systemdOf(release),
            'as test/releases/tested.json says',
          )
          await setUp(node, { eventd })
          for (const way of WAYS) {
            const expected = eventd ? way.ours : way.stock
            // what is not right in one way would only take its time in the next
            if (expected && t.passing()) await t.test(way.name, (t) => dies(t, node, way, expected))
          }
          if (eventd && t.passing()) await daemonsOwnLines(t, node)
        } finally {
          await node.close()
        }
      },
    )
