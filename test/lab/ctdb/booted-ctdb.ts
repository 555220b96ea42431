/** ctdbd as the only node of a cluster, a service of a booted container; and what the journal says of its end. */
import { waitFor } from '../wait-for.ts'
import { OURS, type Booted } from './booted.ts'

export const PUBLIC = ['10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/24', 'fd00::1/64', 'fd00::2/64', 'fd00::3/64']
/** The node's own, in the subnet of the public ones. */
export const OWN = '10.0.0.99/24'

/** Pairs of veth for wires. The times are shorter than CTDB has them; 4.25's unit makes no /run/ctdb, which it needs. */
const SETUP = `
ip link set lo up
for i in eth0 priv; do ip link add $i type veth peer name $i-far; ip link set $i up; ip link set $i-far up; done
ip addr add 10.1.0.1/24 dev priv
ip addr add ${OWN} dev eth0
cd /etc/ctdb
echo 10.1.0.1 >nodes
for i in ${PUBLIC.join(' ')}; do echo "$i eth0"; done >public_addresses
printf '[logging]\\n location = syslog\\n[cluster]\\n leader timeout = 3\\n[legacy]\\n realtime scheduling = false\\n' >ctdb.conf
printf 'RerecoveryTimeout=1\\nElectionTimeout=1\\nMonitorInterval=1\\n' >ctdb.tunables
mkdir -p /etc/systemd/system/ctdb.service.d
printf '[Service]\\nRuntimeDirectory=ctdb samba/ctdb\\n' >/etc/systemd/system/ctdb.service.d/runtime.conf
systemctl daemon-reload`

const STOP_CONF = '/run/systemd/system/ctdb.service.d/stop.conf'
/** Commands after which a stop, and what is run after it, may take 8 s; until the next start. */
export const SHORT_STOP = `mkdir -p $(dirname ${STOP_CONF}); printf '[Service]\\nTimeoutStopSec=8\\n' >${STOP_CONF}; systemctl daemon-reload`

/** `eventd`: our event daemon as well, not only our script. */
export async function setUp({ sh }: Booted, { eventd }: { eventd: boolean }): Promise<void> {
  await sh(SETUP)
  await sh(`${OURS}/dist/runner/main.js install ${eventd ? '--eventd' : ''}`)
}

/** The addresses of eth0 that are not the kernel's own, without their masks. */
export async function heldIn({ sh }: Booted): Promise<string[]> {
  const rows = JSON.parse(await sh('ip -json addr show dev eth0')) as {
    addr_info: { local: string; scope: string }[]
  }[]
  return rows.flatMap((row) =>
    row.addr_info.filter(({ scope }) => scope === 'global').map(({ local }) => local),
  )
}

/** Start it, and wait until it has all addresses. */
export async function startCtdb(node: Booted): Promise<void> {
  await node.sh(`rm -f ${STOP_CONF}; systemctl daemon-reload; systemctl reset-failed; systemctl start ctdb`)
  await waitFor('ctdbd to host all', async () => (await heldIn(node)).length === PUBLIC.length + 1, 60).catch(
    async (error: Error) => {
      error.message += `: ${await node.sh('ip -br addr; ctdb status || true; journalctl -n 60 -o short-precise')}`
      throw error
    },
  )
}

/** Wait until neither ctdb nor what cleans up after it is at work. */
export async function untilOver(node: Booted): Promise<void> {
  await waitFor(
    'the end of ctdb.service',
    async () => {
      const { out } = await node.run('systemctl', 'is-active', 'ctdb', 'eventscript-cleanup')
      return out.split('\n').every((state) => ['inactive', 'failed', ''].includes(state))
    },
    60,
  )
}

/** A line of the journal. */
export interface Line {
  text: string
  /** As syslog(3) numbers them. */
  priority: string | undefined
  /** Whose line it is, `ctdb-eventd`. */
  name: string | undefined
  /** The unit that wrote the line. */
  unit: string | undefined
  /** Of a line that systemd itself writes: the unit that it is about. */
  about: string | undefined
}

function lineOf(json: string): Line {
  const fields = JSON.parse(json) as Record<string, string | undefined>
  return {
    text: String(fields['MESSAGE']),
    priority: fields['PRIORITY'],
    name: fields['SYSLOG_IDENTIFIER'],
    unit: fields['_SYSTEMD_UNIT'],
    about: fields['UNIT'],
  }
}

/** To be asked at the beginning; then everything from there on. */
export async function journalFrom({ sh }: Booted): Promise<() => Promise<Line[]>> {
  const cursor = /^-- cursor: (.*)$/m.exec(await sh('journalctl --sync; journalctl -n 0 --show-cursor'))?.[1]
  return async () => {
    const text = await sh(`journalctl --sync; journalctl -o json --after-cursor='${cursor}'`)
    return text.split('\n').filter(Boolean).map(lineOf)
  }
}
