/** systemd-networkd with each of its settings that make a difference; netplan, which writes its files. */
import { OWN_WITH_BITS, write, type Command, type Group } from './group.ts'
import { GATEWAY, OWN } from './machine.ts'

const NETWORK = `[Match]
Name=eth0
[Network]
${OWN_WITH_BITS.map((own) => `Address=${own}`).join('\n')}
Gateway=${GATEWAY}
IPv6AcceptRA=no`
const FILE = '/etc/systemd/network/10-eth0.network'

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

const NETPLAN = `network:
  version: 2
  renderer: networkd
  ethernets:
    eth0:
      addresses: [${OWN[0]}/24, "${OWN[1]}/64"]
      routes: [{to: default, via: ${GATEWAY}}]
      accept-ra: false`

const ALL = [RESTART, RECONFIGURE, RELOAD]

export const NETWORKD_GROUPS: readonly Group[] = [
  { ...networkd([], ALL), short: true },
  ...SETTINGS.map((setting) => networkd([setting], ALL)),
  { ...networkd(SETTINGS, ALL), short: true },
  {
    name: 'netplan',
    setup: `${write('/etc/netplan/10.yaml', NETPLAN)}; chmod 600 /etc/netplan/10.yaml; netplan generate; ${START}`,
    commands: [{ typed: 'netplan apply' }],
    doctor: [['warning', 'eth0', /10-netplan-eth0\.network, of netplan\) without KeepConfiguration/]],
  },
]
