/** NetworkManager with a profile of eth0, with and without `ignore-carrier`. */
import { OURS } from '../lab/ctdb/booted.ts'
import { write, type Command, type Group, type Shown } from './group.ts'
import { GATEWAY, OWN, PUBLIC } from './machine.ts'

const PROFILE = `[connection]
id=real
uuid=5c1bf2a4-0d5d-4b0c-9f6d-0c0a4fbe1001
type=ethernet
interface-name=eth0
[ipv4]
method=manual
address1=${OWN[0]}/24,${GATEWAY}
[ipv6]
method=manual
address1=${OWN[1]}/64`
const PROFILE_FILE = '/etc/NetworkManager/system-connections/real.nmconnection'
const MANAGER = `${write(PROFILE_FILE, PROFILE)}; chmod 600 ${PROFILE_FILE}
systemctl start NetworkManager; nmcli -w 20 con up real`
const REAL = 'nmcli -w 20 con up real'
/** Long enough for a monitor event to notice: the addresses go by ctdbd, and the rest by NetworkManager. */
const NO_CARRIER: Command = {
  typed: '12 s without carrier',
  run: 'ip -n far link set eth0-far down; sleep 12; ip -n far link set eth0-far up',
}

/** After a change of the interval the time between monitor events doubles: after the third there is none for half a minute. */
const FAR_APART = `ctdb setvar MonitorInterval 100
last() { ctdb event status legacy monitor | cksum; }
for i in 1 2 3; do before=$(last); until [ "$(last)" != "$before" ]; do sleep 0.5; done; done`
/** NetworkManager notices after 5 s. */
const SHORT_LOSS: Command = {
  typed: '8 s without carrier, no monitor event',
  run: 'ip -n far link set eth0-far down; sleep 8; ip -n far link set eth0-far up',
  before: FAR_APART,
  after: 'systemctl restart ctdb',
}

const has = (address: string) => `[ -n "$(ip -o addr show dev eth0 to ${address})" ]`
/** NetworkManager has made a profile out of the public addresses. */
const MADE = `nmcli device disconnect eth0 >/dev/null; until_so '[ "$(nmcli -g ipv4.method con show eth0)" = manual ]'
${PUBLIC.map((address) => `until_so '${has(address)}'`).join('\n')}`
const DISABLED = `ctdb disable; until_so '! { ${has(PUBLIC[0] ?? '')}; }'`
const ENABLED = `ctdb enable; ${REAL}`

const SHOWS: readonly Shown[] = [
  {
    says: '`doctor` names that profile',
    lines: `${MADE}\n${OURS}/dist/runner/main.js doctor || true`,
    prints: /eth0: NetworkManager has no profile of yours on it: it has made "eth0" out of the addresses/,
    after: REAL,
  },
  {
    says: 'the next one gives these addresses to a node that is disabled',
    lines: `${MADE}\nnmcli device reapply eth0 >/dev/null; ${DISABLED}; nmcli device reapply eth0 >/dev/null
until_so '${has(PUBLIC[0] ?? '')}'; ${OURS}/dist/runner/main.js audit || true`,
    prints: new RegExp(`^${PUBLIC[0]} .* stray$`, 'm'),
    after: ENABLED,
  },
]

export const NETWORK_MANAGER_GROUPS: readonly Group[] = [
  {
    name: 'NetworkManager',
    setup: MANAGER,
    commands: [
      { typed: REAL.replace(' -w 20', ''), run: REAL, short: true },
      { typed: 'nmcli device reapply eth0' },
      {
        typed: 'systemctl restart NetworkManager',
        run: 'systemctl restart NetworkManager; nm-online -q -t 20',
      },
      { typed: 'nmcli device disconnect eth0' },
      SHORT_LOSS,
      NO_CARRIER,
    ],
    shows: SHOWS,
    repair: REAL,
    doctor: [['warning', 'eth0', /^NetworkManager manages it \(connected, "real"\)/]],
    short: true,
  },
  {
    name: 'NetworkManager, ignore-carrier',
    setup: `${write('/etc/NetworkManager/conf.d/eventscript-eth0.conf', '[device-eventscript-eth0]\nmatch-device=interface-name:eth0\nignore-carrier=yes')}; ${MANAGER}`,
    commands: [SHORT_LOSS, NO_CARRIER],
    repair: REAL,
    doctor: [['ok', 'eth0', /ignores its carrier/]],
  },
]
