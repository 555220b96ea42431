/**
 * Whatever program goes wrong in whatever way at whatever step of an event: an event that succeeded has done its work, and when
 * the faults have stopped the next events repair all, and nothing is left. `npm run test:faults` is the long form.
 */
import t, { type Test } from '../tap.ts'
import { prepareFile } from '../lab/in-lab.ts'
import { Lab } from '../lab/lab.ts'
import { whyMissing } from '../lab/needs.ts'
import { endProcesses } from '../lab/processes.ts'
import { look, withoutState } from '../lab/remains.ts'
import { PUBLIC } from './addresses.ts'
import { Faults } from './faults.ts'
import { EVENTS, ONLY, ROUNDS, SECONDS, SEED, SETTING } from './options.ts'
import { LvsPart } from './lvs.ts'
import { Round, type Surroundings } from './round.ts'
import { HANDLERS, HANDLERS_WITH_LVS, oneShot, resident, type Runner } from './runners.ts'

interface Setting {
  name: string
  start: (lab: Lab, handlers: readonly string[]) => Runner | Promise<Runner>
  atOnce: number
  isRouted: boolean
  options: string
  /** The shared address of LVS. */
  lvs?: string
}

const ROUTING = `CTDB_PER_IP_ROUTING_CONF=$CTDB_BASE/policy_routing
CTDB_PER_IP_ROUTING_RULE_PREF=100
CTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000
CTDB_PER_IP_ROUTING_TABLE_ID_HIGH=1009
`

const SETTINGS: readonly Setting[] = [
  { name: 'one-shot', start: oneShot, atOnce: 1, isRouted: false, options: 'EVENTSCRIPT_DAD=fast\n' },
  { name: 'one-shot, policy routing', start: oneShot, atOnce: 1, isRouted: true, options: ROUTING },
  { name: 'resident', start: resident, atOnce: 3, isRouted: false, options: 'EVENTSCRIPT_DAD=fast\n' },
  { name: 'resident, policy routing', start: resident, atOnce: 3, isRouted: true, options: ROUTING },
  { name: 'one-shot, LVS', start: oneShot, atOnce: 1, isRouted: false, options: '', lvs: '10.0.0.100' },
  { name: 'resident, LVS', start: resident, atOnce: 3, isRouted: false, options: '', lvs: 'fd00::100' },
]

const NEEDS = ['perl', 'iptables', 'ip6tables', 'timeout']

async function start(setting: Setting): Promise<Surroundings> {
  const lab = await Lab.start()
  try {
    return await furnish(lab, setting)
  } catch (error) {
    await lab.close()
    throw error
  }
}

async function furnish(lab: Lab, setting: Setting): Promise<Surroundings> {
  const faults = new Faults(lab)
  for (const iface of ['eth0', 'eth1']) {
    await lab.node.writeSysctl(`net/ipv6/conf/${iface}/router_solicitation_delay`, 0)
    await lab.node.writeSysctl(`net/ipv6/neigh/${iface}/retrans_time_ms`, 100)
  }
  await lab.node.calm()
  lab.configure('public_addresses', PUBLIC.map(({ ip, bits }) => `${ip}/${bits} eth0,eth1\n`).join(''))
  const far = (ip: string) => (ip.includes(':') ? 'fd05::/64 fd00::251' : '10.5.0.0/16 10.0.0.251')
  lab.configure('policy_routing', PUBLIC.map(({ ip }) => `${ip} ${far(ip)}\n`).join(''))
  const { atOnce, isRouted, lvs: shared } = setting
  lab.configure('script.options', setting.options + (shared ? LvsPart.options(shared) : ''))
  const lvs = shared === undefined ? undefined : new LvsPart(lab, shared)
  const clean = withoutState(await look(lab))
  const runner = await setting.start(lab, lvs ? HANDLERS_WITH_LVS : HANDLERS)
  return { lab, faults, runner, atOnce, isRouted, lvs, clean }
}

async function stop({ lab, runner }: Surroundings): Promise<void> {
  await runner.close().catch(() => {})
  endProcesses(lab.dir)
  await lab.close()
}

/** Gives back the number of events. After a failure the next round has a node of its own. */
async function run(t: Test, setting: Setting): Promise<void> {
  let on = await start(setting)
  let events = 0
  const faults: string[] = []
  const rounds = ONLY === undefined ? Array.from({ length: ROUNDS }, (_, i) => i) : [Number(ONLY)]
  for (const number of rounds) {
    const round = new Round(on, SEED + number)
    const before = on.faults.injected().length
    let hasFailed = false
    try {
      await round.run(EVENTS)
      t.pass(`round ${number}`)
    } catch (error) {
      hasFailed = true
      const again = `FAULTS_SETTING='${setting.name}' FAULTS_SEED=${SEED} FAULTS_ONLY=${number} FAULTS_EVENTS=${EVENTS} repeats it`
      t.fail(`round ${number}: ${(error as Error).message}`, { again, story: round.story })
    }
    events += round.events
    faults.push(...on.faults.injected().slice(before))
    if (!hasFailed) continue
    await stop(on)
    on = await start(setting)
  }
  await stop(on)
  t.comment(`${events} events, ${faults.length} faults: ${countsOf(faults)}`)
}

function countsOf(faults: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const line of faults) {
    const [, kind = '', program = ''] = line.split(' ')
    for (const each of [kind, program]) counts.set(each, (counts.get(each) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ')
}

const skip = (await prepareFile()) ?? whyMissing(NEEDS)
t.jobs = 2
t.setTimeout(SECONDS * 1000)
const exact = SETTINGS.filter(({ name }) => name === SETTING)
for (const setting of exact.length > 0 ? exact : SETTINGS.filter(({ name }) => name.includes(SETTING)))
  t.test(setting.name, { buffered: true, ...(skip ? { skip } : {}) }, (t) => run(t, setting))
