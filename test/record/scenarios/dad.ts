/** EVENTSCRIPT_DAD: takeip and updateip with each policy. */
import type { Scenario, Stage } from './stage.ts'

const RIVAL = 'ip addr add fd00::1/64 dev lan nodad'
const EVENTS = ['takeip eth0 fd00::1 64', 'updateip eth1 eth0 fd00::1 64']
/** What a run that was killed has left. */
const LEFT = `/proc/sys/net/ipv6/conf/eth0/router_solicitation_delay 1 0
/proc/sys/net/ipv6/conf/eth0/dad_transmits 1 3
/proc/sys/net/ipv6/neigh/eth0/retrans_time_ms 1000 100
`

async function leftLowered(stage: Stage): Promise<void> {
  stage.kept('dad/lowered', LEFT)
  await stage.sysctl('net/ipv6/conf/eth0/router_solicitation_delay', '0')
  await stage.sysctl('net/ipv6/conf/eth0/dad_transmits', '3')
  await stage.sysctl('net/ipv6/neigh/eth0/retrans_time_ms', '100')
}

/** Both events, with the option as given. */
function withDad(what: string, value: string, more?: (stage: Stage) => Promise<void> | void): Scenario[] {
  return EVENTS.map((event) => ({
    name: `${event.split(' ')[0]}.v6-dad-${what}`,
    event,
    async prepare(stage) {
      stage.options(`EVENTSCRIPT_DAD="${value}"\n`)
      if (event.startsWith('updateip')) await stage.held('fd00::1/64', 'eth1')
      await more?.(stage)
    },
  }))
}

const [takeAfterACrash] = withDad('default-after-a-crash', 'fast fd00::1=default', leftLowered)

export const dad: readonly Scenario[] = [
  ...withDad('fast', 'fast'),
  ...withDad('optimistic', 'optimistic'),
  ...withDad('off', 'off'),
  ...withDad('off-for-one-address', 'fast fd00::1=off'),
  ...withDad('fast-duplicate', 'fast', (stage) => stage.observer(RIVAL)),
  ...withDad('off-duplicate', 'off', (stage) => stage.observer(RIVAL)),
  ...withDad('optimistic-not-announced', 'optimistic', (stage) =>
    stage.options('EVENTSCRIPT_DAD=optimistic\nEVENTSCRIPT_ANNOUNCE=no\n'),
  ),
  ...withDad('fast-lowered-already', 'fast', leftLowered),
  ...withDad('fast-others-at-it', 'fast', (stage) => stage.sharing('dad/users')),
  ...withDad('fast-state-cannot-be-kept', 'fast', (stage) => stage.kept('dad', '')),
  ...(takeAfterACrash ? [takeAfterACrash] : []),
  {
    name: 'takeip.dad-fast',
    event: 'takeip eth0 10.0.0.1 24',
    prepare: (stage) => stage.options('EVENTSCRIPT_DAD=fast\n'),
  },
  {
    name: 'takeip.v6-dad-wrong-words',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) =>
      stage.options('EVENTSCRIPT_DAD="quick fd00::x=off fd00::1=off"\nEVENTSCRIPT_DAD_INTERVAL_MS=5\n'),
  },
  {
    name: 'takeip.v6-dad-fast-set',
    event: 'takeip eth0 fd00::1 64',
    prepare: (stage) =>
      stage.options('EVENTSCRIPT_DAD=fast\nEVENTSCRIPT_DAD_PROBES=2\nEVENTSCRIPT_DAD_INTERVAL_MS=50\n'),
  },
  ...['init', 'startup', 'monitor', 'shutdown'].map((event) => ({
    name: `${event}.dad-lowered-by-a-killed-run`,
    event,
    async prepare(stage: Stage) {
      stage.options('EVENTSCRIPT_DAD=fast\n')
      await leftLowered(stage)
    },
  })),
  {
    name: 'monitor.dad-lowered-and-in-use',
    event: 'monitor',
    async prepare(stage) {
      stage.options('EVENTSCRIPT_DAD=fast\n')
      await leftLowered(stage)
      await stage.sharing('dad/users')
    },
  },
  {
    name: 'monitor.dad-changed-since-by-somebody-else',
    event: 'monitor',
    async prepare(stage) {
      stage.options('EVENTSCRIPT_DAD=fast\n')
      await leftLowered(stage)
      await stage.sysctl('net/ipv6/neigh/eth0/retrans_time_ms', '500')
    },
  },
]
