/** The contestants: our script, the script that CTDB ships, Pacemaker's agent, and a bare node as the unit. */
import { existsSync } from 'node:fs'
import { builds } from './builds.ts'
import type { Task } from './tasks.ts'

export interface Command {
  argv: readonly string[]
  env?: Record<string, string>
}

export interface Contestant {
  name: string
  /** The Debian package of the contestant, named when the contestant is missing. */
  needs?: string
  /** The words of the call at that event. Undefined when the contestant has no such event. */
  command: (task: Task) => Command
}

/** The unit: every time is printed as a multiple of this contestant's time. */
export const UNIT = 'node -e 0'

export const CTDB_SCRIPT = '/usr/share/ctdb/events/legacy/10.interface.script'
const IPADDR2 = '/usr/lib/ocf/resource.d/heartbeat/IPaddr2'

/** CTDB's words for the verbs of an OCF agent. */
const OCF = { takeip: 'start', monitor: 'monitor', releaseip: 'stop' }

/** The installed contestants, and a sentence for each missing contestant. `also` is the folder of another build. */
export function contestants(also?: string): { here: Contestant[]; missing: string[] } {
  const script = (path: string) => (task: Task) => ({ argv: [path, task.event, ...task.words] })
  const here: Contestant[] = [
    { name: UNIT, command: () => ({ argv: [process.execPath, '-e', '0'] }) },
    ...builds(also).map((build) => ({ name: build.who, command: script(build.script) })),
  ]
  const missing: string[] = []
  if (existsSync(CTDB_SCRIPT)) here.push({ name: "CTDB's script", command: script(CTDB_SCRIPT) })
  else missing.push(`CTDB's script is left out: ${CTDB_SCRIPT} is in the package ctdb`)
  if (existsSync(IPADDR2)) here.push({ name: 'IPaddr2', command: agent })
  else missing.push(`IPaddr2 is left out: ${IPADDR2} is in the package resource-agents`)
  return { here, missing }
}

function agent({ event, address, bits }: Task): Command {
  return {
    argv: [IPADDR2, OCF[event]],
    env: {
      OCF_ROOT: '/usr/lib/ocf',
      OCF_RA_VERSION_MAJOR: '1',
      OCF_RA_VERSION_MINOR: '0',
      OCF_RESOURCE_INSTANCE: 'bench',
      OCF_RESOURCE_TYPE: 'IPaddr2',
      OCF_RESKEY_ip: address,
      OCF_RESKEY_cidr_netmask: String(bits),
      OCF_RESKEY_nic: 'eth0',
      HA_logfile: '/dev/null',
      HA_debuglog: '/dev/null',
    },
  }
}
