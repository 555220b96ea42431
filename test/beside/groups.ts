/** The programs beside us, each in the set-ups that make a difference, and the commands that are tried in each. */
import { BY_HAND, GATEWAY, OWN } from './machine.ts'

export interface Group {
  /** Of the table's first column. */
  name: string
  /** Lines for the shell of the machine, in which nothing manages eth0. */
  setup: string
  /** Commands as an admin types them. */
  commands: readonly Command[]
  /** Lines after each command: what it has taken is given back. */
  repair?: string
  /** What `doctor` finds: state, subject and a part of the text of each finding about this program. */
  doctor: readonly (readonly [string, string, RegExp])[]
  /** Part of the short form as well. */
  short?: true
}

export interface Command {
  /** As the table has it. */
  typed: string
  /** What is run, where that is more. */
  run?: string
  short?: true
}

const NETWORK = `[Match]
Name=eth0
[Network]
${OWN.map((own) => `Address=${own}/${own.includes(':') ? 64 : 24}`).join('\n')}
Gateway=${GATEWAY}
IPv6AcceptRA=no`
const FILE = '/etc/systemd/network/10-eth0.network'

const write = (file: string, text: string) => `mkdir -p $(dirname ${file}); printf '%s\\n' '${text}' >${file}`
const START =
  'systemctl start systemd-networkd; /usr/lib/systemd/systemd-networkd-wait-online -i eth0 --timeout=30'

const RESTART: Command = { typed: 'systemctl restart systemd-networkd', short: true }
const RECONFIGURE: Command = { typed: 'networkctl reconfigure eth0' }
const RELOAD: Command = { typed: 'networkctl reload', run: `echo '#' >>${FILE}; networkctl reload` }

const SETTINGS = ['KeepConfiguration=static', 'ManageForeignRoutes=no', 'ManageForeignRoutingPolicyRules=no']
const [KEEP = '', ...REST] = SETTINGS

function networkd(settings: readonly string[], commands: readonly Command[]): Group {
  const missing = SETTINGS.filter((each) => !settings.includes(each))
  const conf = REST.filter((each) => settings.includes(each))
  return {
    name: `networkd${settings.length === 0 ? '' : `, ${settings.length === 3 ? 'all three settings' : settings.join()}`}`,
    setup: [
      write(FILE, NETWORK),
      settings.includes(KEEP) ? write(`${FILE}.d/es.conf`, `[Network]\n${KEEP}`) : '',
      conf.length > 0 ? write('/etc/systemd/networkd.conf.d/es.conf', `[Network]\n${conf.join('\n')}`) : '',
      START,
    ].join('\n'),
    commands,
    doctor:
      missing.length === 0
        ? [['ok', 'eth0', /leaves what is not its own/]]
        : [['warning', 'eth0', new RegExp(`without ${missing.join(', ')}: `)]],
  }
}

const IFUPDOWN = `iface eth0 inet static
  address ${OWN[0]}/24
  gateway ${GATEWAY}
iface eth0 inet6 static
  address ${OWN[1]}/64
  dad-attempts 0
  accept_ra 0`

const NETPLAN = `network:
  version: 2
  renderer: networkd
  ethernets:
    eth0:
      addresses: [${OWN[0]}/24, "${OWN[1]}/64"]
      routes: [{to: default, via: ${GATEWAY}}]
      accept-ra: false`

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

export const GROUPS: readonly Group[] = [
  {
    name: 'none',
    setup: BY_HAND,
    commands: [{ typed: 'ip link set eth0 down; ip link set eth0 up' }],
    repair: `ip addr replace ${OWN[1]}/64 dev eth0 nodad; ip route replace default via ${GATEWAY} dev eth0`,
    doctor: [],
  },
  {
    name: 'ifupdown',
    setup: `${write('/etc/network/interfaces', IFUPDOWN)}; ip link set eth0 down; ifup --force eth0`,
    commands: [{ typed: 'ifdown eth0' }],
    repair: 'ifdown --force eth0; ifup --force eth0',
    doctor: [],
  },
  { ...networkd([], [RESTART, RECONFIGURE, RELOAD]), short: true },
  ...SETTINGS.map((setting) => networkd([setting], [RESTART])),
  { ...networkd(SETTINGS, [RESTART, RECONFIGURE, RELOAD]), short: true },
  {
    name: 'netplan',
    setup: `${write('/etc/netplan/10.yaml', NETPLAN)}; chmod 600 /etc/netplan/10.yaml; netplan generate; ${START}`,
    commands: [{ typed: 'netplan apply' }],
    doctor: [['warning', 'eth0', /10-netplan-eth0\.network, of netplan\) without KeepConfiguration/]],
  },
  {
    name: 'firewalld',
    setup: `${BY_HAND}; systemctl start firewalld`,
    commands: [{ typed: 'firewall-cmd --reload', short: true }, { typed: 'systemctl restart firewalld' }],
    doctor: [
      ['error', 'priv', /^the zone "public", of the private address/],
      ['warning', '/etc/firewalld/firewalld.conf', /^IPv6_rpfilter=strict/],
    ],
    short: true,
  },
  {
    name: 'ufw',
    setup: `${BY_HAND}; ufw --force enable`,
    commands: [{ typed: 'ufw reload' }],
    doctor: [['error', 'priv', /^ufw is active and no rule lets port 4379\/tcp in/]],
  },
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
      NO_CARRIER,
    ],
    repair: REAL,
    doctor: [['warning', 'eth0', /^NetworkManager manages it \(connected, "real"\)/]],
    short: true,
  },
  {
    name: 'NetworkManager, ignore-carrier',
    setup: `${write('/etc/NetworkManager/conf.d/eventscript-eth0.conf', '[device-eventscript-eth0]\nmatch-device=interface-name:eth0\nignore-carrier=yes')}; ${MANAGER}`,
    commands: [NO_CARRIER],
    repair: REAL,
    doctor: [['ok', 'eth0', /ignores its carrier/]],
  },
]
