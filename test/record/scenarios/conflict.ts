import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { both, type Scenario, type Stage } from './stage.ts'

/** The policy; IPv4 is asked for too. */
function policy(stage: Stage, conflict: string, more = ''): void {
  stage.options(`EVENTSCRIPT_DAD_CONFLICT="${conflict}"\nEVENTSCRIPT_IPV4_DAD=yes\n${more}`)
}

/** The observer has the address as well. */
async function rival(stage: Stage, ip: string, bits: number): Promise<void> {
  await stage.observer(`ip addr add ${ip}/${bits} dev lan${ip.includes(':') ? ' nodad' : ''}`)
}

/** The observer, which has another address that we know. */
async function knownRival(stage: Stage): Promise<void> {
  await rival(stage, 'fd00::1', 64)
  await stage.held('fd00::77/64', 'eth0')
  await stage.node('ip neigh replace fd00::fe dev eth0 lladdr 02:00:00:00:00:fe nud reachable')
}

/** As an event before has left it. */
async function parked(stage: Stage, ip: string, bits: number, iface = 'eth0'): Promise<void> {
  const isIpv4 = !ip.includes(':')
  await stage.node(
    `ip addr add ${ip}/${isIpv4 ? 32 : 128} dev lo${isIpv4 ? ' scope host' : ''} preferred_lft 0`,
  )
  if (isIpv4) await stage.sysctl('net/ipv4/conf/all/arp_ignore', '3')
  stage.kept(
    'parked',
    `${ip} ${bits} ${iface} ${isIpv4 ? 0 : '-'} 02:00:00:00:00:fe on ${iface}, which is who\n`,
  )
}

/** Another host has the address: what becomes of it, and of what is parked. */
export const conflict: readonly Scenario[] = [
  ...['fail', 'park', 'seize'].flatMap((word) => [
    ...both('takeip', `conflict-${word}`, ({ ip, bits }) => ({
      event: `takeip eth0 ${ip} ${bits}`,
      async prepare(stage) {
        policy(stage, word)
        await rival(stage, ip, bits)
      },
    })),
    ...both('updateip', `conflict-${word}`, ({ ip, bits }) => ({
      event: `updateip __none__ eth1 ${ip} ${bits}`,
      async prepare(stage) {
        policy(stage, `fail ${ip}=${word}`)
        await rival(stage, ip, bits)
      },
    })),
  ]),
  ...both('takeip', 'conflict-park-fails', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      policy(stage, 'park')
      await rival(stage, ip, bits)
      const instead = 'echo "RTNETLINK answers: Cannot allocate memory" >&2; (exit 2)'
      stage.meddle('ip', '"addr add "*" dev lo "*', { instead })
    },
  })),
  ...both('takeip', 'conflict-none', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    prepare: (stage) => policy(stage, 'park'),
  })),
  ...both('takeip', 'conflict-still-parked', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      policy(stage, 'park')
      await rival(stage, ip, bits)
      await parked(stage, ip, bits)
    },
  })),
  ...both('takeip', 'conflict-no-longer', ({ ip, bits }) => ({
    event: `takeip eth0 ${ip} ${bits}`,
    async prepare(stage) {
      policy(stage, 'park')
      await parked(stage, ip, bits)
    },
  })),
  ...both('updateip', 'conflict-parked', ({ ip, bits }) => ({
    event: `updateip eth0 eth1 ${ip} ${bits}`,
    async prepare(stage) {
      policy(stage, 'park')
      await parked(stage, ip, bits)
    },
  })),
  ...both('releaseip', 'conflict-parked', ({ ip, bits }) => ({
    event: `releaseip eth0 ${ip} ${bits}`,
    prepare: (stage) => parked(stage, ip, bits),
  })),
  ...['init', 'shutdown', 'monitor'].flatMap((event) =>
    both(event, 'conflict-parked', ({ ip, bits }) => ({
      event,
      prepare: (stage) => parked(stage, ip, bits),
    })),
  ),
  {
    name: 'takeip.v6-conflict-no-ndisc6',
    event: 'takeip eth0 fd00::1 64',
    async prepare(stage) {
      policy(stage, 'park')
      await rival(stage, 'fd00::1', 64)
      stage.meddle('ndisc6', '*', { instead: 'exit 1' })
      stage.without('perl')
    },
  },
  {
    name: 'takeip.v6-conflict-no-perl',
    event: 'takeip eth0 fd00::1 64',
    async prepare(stage) {
      policy(stage, 'park')
      await rival(stage, 'fd00::1', 64)
      stage.without('perl')
    },
  },
  {
    name: 'takeip.v6-conflict-still-parked-no-perl',
    event: 'takeip eth0 fd00::1 64',
    async prepare(stage) {
      policy(stage, 'park')
      await rival(stage, 'fd00::1', 64)
      await parked(stage, 'fd00::1', 64)
      stage.without('perl')
    },
  },
  {
    name: 'takeip.conflict-no-carrier',
    event: 'takeip eth0 10.0.0.1 24',
    async prepare(stage) {
      policy(stage, 'park')
      await stage.unplug('eth0')
    },
  },
  {
    name: 'takeip.v6-conflict-with-a-node',
    event: 'takeip eth0 fd00::1 64',
    async prepare(stage) {
      policy(stage, 'park')
      stage.lab.configure('nodes', 'fd00::a1\nfd00::fe\n')
      await knownRival(stage)
    },
  },
  ...[
    { end: '', which: 'of-a-command' },
    { end: 'sleep 300', which: 'of-a-command-that-hangs' },
  ].map(({ end, which }) => ({
    name: `takeip.v6-conflict-with-a-node-${which}`,
    event: 'takeip eth0 fd00::1 64',
    async prepare(stage: Stage) {
      policy(stage, 'park')
      const program = join(stage.lab.dir, 'bin/nodes')
      writeFileSync(program, `#!/bin/sh\necho "#fd00::a1"\necho $1\n${end}\n`, { mode: 0o755 })
      stage.lab.configure('ctdb.conf', `[cluster]\n  nodes list = !${program} fd00::fe\n`)
      await knownRival(stage)
    },
  })),
  {
    name: 'takeip.v6-conflict-with-ourselves',
    event: 'takeip eth0 fd00::1 64',
    async prepare(stage) {
      policy(stage, 'fail')
      await rival(stage, 'fd00::1', 64)
      // the observer by our own MAC: a switch that loops
      await stage.observer('ip link set dev lan address 02:00:00:00:00:11')
    },
  },
]
