/** doctor: what other programs of the machine do to public addresses, by what these programs say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../tap.ts'
import { BESIDE } from '../../runner/inspect/doctor/beside/beside.ts'
import { conntrack } from '../../runner/inspect/doctor/beside/conntrack.ts'
import { docker } from '../../runner/inspect/doctor/beside/docker.ts'
import { firewalld } from '../../runner/inspect/doctor/beside/firewalld.ts'
import { ifupdown } from '../../runner/inspect/doctor/beside/ifupdown.ts'
import { networkManager } from '../../runner/inspect/doctor/beside/network-manager.ts'
import { networkd } from '../../runner/inspect/doctor/beside/networkd.ts'
import { ufw } from '../../runner/inspect/doctor/beside/ufw.ts'
import type { Patient } from '../../runner/inspect/finding.ts'
import { doorTo, endedLate, type Answer, type System } from '../../runner/machine/machine.ts'
import { REPOSITORY } from '../lab/paths.ts'

const recorded = (name: string) => readFileSync(join(REPOSITORY, 'fixtures/beside', `${name}.txt`), 'utf8')
const prints = (out: string): Answer => ({ status: 0, out, err: '' })
const fails = (status: number, err = ''): Answer => ({ status, out: '', err })

interface Machine {
  files?: Record<string, string>
  /** By command; a program that no command names is not installed. */
  says?: Record<string, Answer>
  options?: Record<string, string>
}

/** A node with public addresses of both families on eth0, and its private address on priv. */
function patientOf({ files = {}, says = {}, options = {} }: Machine): Patient & { asked: string[] } {
  const asked: string[] = []
  const system = {
    run: (_verb, argv) => {
      const command = argv.join(' ')
      asked.push(command)
      return Promise.resolve(says[command] ?? fails(127, `${command}: not expected`))
    },
    read: (path) => Promise.resolve(files[path]),
    find: (program) =>
      Promise.resolve(Object.keys(says).some((each) => each.split(' ')[0] === program) ? program : undefined),
  } satisfies Partial<System> as unknown as System
  const link = (name: string, ...own: string[]) => ({
    name,
    altnames: [],
    addresses: own.map((address) => ({ address })),
  })
  return {
    asked,
    door: doorTo(system),
    facts: { env: {}, privileged: true },
    settings: { text: (name: string) => options[name] ?? '' },
    publicAddresses: '10.0.0.1/24 eth0\nfd00::1/64 eth0\n',
    uses: { inet: true, inet6: true },
    nodes: { text: '10.1.0.1\n10.1.0.2\n' },
    links: [link('lo', '127.0.0.1'), link('eth0', '10.0.0.99'), link('priv', '10.1.0.1')],
  } as unknown as Patient & { asked: string[] }
}

t.test('no such program: nothing is started, nothing is found', async (t) => {
  const patient = patientOf({})
  for (const [name, look] of Object.entries({
    networkd,
    networkManager,
    ifupdown,
    firewalld,
    ufw,
    docker,
    conntrack,
  }))
    t.same(await look(patient), [], name)
  t.same(patient.asked, [])
  const relocated = { ...patient, facts: { env: { CTDB_BASE: '/elsewhere' } } } as unknown as Patient
  for (const look of Object.values(BESIDE)) t.same(await look(relocated), [])
})

const ACTIVE = { 'systemctl is-active --quiet systemd-networkd.service': prints('') }
const INDEX = { '/sys/class/net/eth0/ifindex': '4\n' }
const LINK = '/run/systemd/netif/links/4'
const NETWORK = '/etc/systemd/network/10-eth0.network'

t.test('systemd-networkd: which settings are missing, and where they go', async (t) => {
  const files: Record<string, string> = {
    ...INDEX,
    [LINK]: recorded('networkd-257'),
    [NETWORK]: '[Match]\nName=eth0\n',
  }
  const look = () => networkd(patientOf({ files, says: ACTIVE }))
  t.match(await look(), [
    {
      state: 'warning',
      subject: 'eth0',
      text: `systemd-networkd manages it (${NETWORK}) without KeepConfiguration=static, ManageForeignRoutes=no, ManageForeignRoutingPolicyRules=no: its restart, reload or reconfiguration removes our addresses, routes or rules`,
      remedy:
        "mkdir -p /etc/systemd/network/10-eth0.network.d && printf '%s\\n' '[Network]' KeepConfiguration=static >/etc/systemd/network/10-eth0.network.d/eventscript.conf && " +
        "mkdir -p /etc/systemd/networkd.conf.d && printf '%s\\n' '[Network]' ManageForeignRoutes=no ManageForeignRoutingPolicyRules=no >/etc/systemd/networkd.conf.d/eventscript.conf && " +
        'systemctl restart systemd-networkd',
    },
  ])
  files[`${NETWORK}.d/es.conf`] = '[Network]\n# of ours\nKeepConfiguration = yes\n'
  files['/etc/systemd/networkd.conf'] = '[Network]\n#ManageForeignRoutes=yes\nManageForeignRoutes=false\n'
  const [one] = await look()
  t.match(one?.text, / without ManageForeignRoutingPolicyRules=no: /)
  t.notMatch(one?.remedy, /KeepConfiguration/)
  files['/usr/lib/systemd/networkd.conf.d/'] = '50-a.conf\n60-b.conf\nREADME\n'
  files['/usr/lib/systemd/networkd.conf.d/50-a.conf'] = '[Network]\nManageForeignRoutingPolicyRules=no\n'
  files['/usr/lib/systemd/networkd.conf.d/60-b.conf'] = '[Network]\nManageForeignRoutes=yes\n'
  t.match((await look())[0]?.text, / without ManageForeignRoutes=no: /, 'the last file counts')
  files['/etc/systemd/networkd.conf.d/'] = '60-b.conf\n'
  files['/etc/systemd/networkd.conf.d/60-b.conf'] = ''
  t.match(await look(), [{ state: 'ok', subject: 'eth0' }], 'a file of /etc hides that of /usr')
})

t.test('systemd-networkd: netplan, a stopped networkd, an interface that it leaves alone', async (t) => {
  const files: Record<string, string> = { ...INDEX, [LINK]: recorded('networkd-257-netplan') }
  const [found] = await networkd(patientOf({ files, says: ACTIVE }))
  t.match(
    found?.text,
    /^systemd-networkd manages it \(\/run\/systemd\/network\/10-netplan-eth0\.network, of netplan\) without/,
  )
  t.match(found?.remedy, / >\/etc\/systemd\/network\/10-netplan-eth0\.network\.d\/eventscript\.conf /)
  const [command = ''] = Object.keys(ACTIVE)
  t.same(await networkd(patientOf({ files, says: { [command]: fails(3) } })), [], 'stopped')
  const silent = await networkd(patientOf({ files, says: { [command]: endedLate(5000) } }))
  t.match(silent, [{ state: 'warning' }], 'no answer of systemd is no "stopped"')
  files[LINK] = recorded('networkd-262')
  t.match(await networkd(patientOf({ files, says: ACTIVE })), [
    { text: new RegExp(`^systemd-networkd manages it \\(${NETWORK}\\) without KeepConfiguration`) },
  ])
  files[LINK] = 'ADMIN_STATE=unmanaged\nOPER_STATE=routable\n'
  const patient = patientOf({ files, says: ACTIVE })
  t.same(await networkd(patient), [])
  t.same(patient.asked, [])
})

const NMCLI = 'nmcli -t -f DEVICE,STATE,CONNECTION device'
const CONFIG = 'NetworkManager --print-config'

t.test('NetworkManager: a profile of an admin, and one that it has made', async (t) => {
  const says = {
    [NMCLI]: prints(recorded('nmcli-1.52-profile')),
    [CONFIG]: prints('[main]\nplugins=keyfile\n'),
  }
  const look = (more: Record<string, Answer> = {}) =>
    networkManager(patientOf({ says: { ...says, ...more } }))
  const [found, ...others] = await look()
  t.same(others, [])
  t.match(found, {
    state: 'warning',
    subject: 'eth0',
    text: /^NetworkManager manages it \(connected, "real"\): its "con up", /,
    remedy:
      "printf '%s\\n' '[device-eventscript-eth0]' match-device=interface-name:eth0 ignore-carrier=yes >/etc/NetworkManager/conf.d/eventscript-eth0.conf && systemctl reload NetworkManager",
  })
  const withIt = (lines: string) => look({ [CONFIG]: prints(lines) })
  for (const lines of [
    '[device-eventscript-eth0]\nmatch-device=interface-name:eth0\nignore-carrier=yes\n',
    '[device]\nignore-carrier=true\n',
    '[device-x]\nmatch-device=interface-name:eth*,except:interface-name:eth1\nignore-carrier=1\n',
    '[main]\nignore-carrier=*\n',
  ])
    t.match(await withIt(lines), [{ state: 'ok' }], lines)
  for (const lines of [
    '[device-x]\nmatch-device=interface-name:eth1\nignore-carrier=yes\n',
    '[device-x]\nmatch-device=*,except:interface-name:eth0\nignore-carrier=yes\n',
    '[device]\nignore-carrier=no\n',
  ])
    t.match(await withIt(lines), [{ state: 'warning' }], lines)

  const made = await look({ [NMCLI]: prints(recorded('nmcli-1.52-generated')) })
  t.match(made, [
    {
      state: 'warning',
      subject: 'eth0',
      text: /^NetworkManager has no profile of yours on it: it has made "eth0" out of the addresses/,
      remedy: /nmcli con up PROFILE; or let it be unmanaged: nmcli device set eth0 managed no$/,
    },
  ])
  t.match(await look({ [NMCLI]: prints('eth0:connected:a\\:b \\\\ c\n') }), [{ text: /"a:b \\ c"/ }])
})

t.test('NetworkManager: not running, unmanaged, no answer', async (t) => {
  const look = (answer: Answer) => networkManager(patientOf({ says: { [NMCLI]: answer } }))
  t.same(await look(fails(8, 'Error: NetworkManager is not running.\n')), [])
  t.same(await look(prints('eth0:unmanaged:\nlo:unmanaged:\n')), [])
  t.match(
    await look(prints('eth0:unavailable:\n')),
    [{ state: 'warning', subject: 'eth0', text: /^NetworkManager manages it \(unavailable\)/ }],
    'a link without carrier is still managed',
  )
  t.match(await look(endedLate(5000)), [
    {
      state: 'warning',
      subject: 'nmcli',
      text: 'cannot say which interfaces it manages: no answer within 5.0 s: it was ended',
    },
  ])
})

const ZONES = 'firewall-cmd --list-all-zones'
const FIREWALLD = '/etc/firewalld/firewalld.conf'
const LOOSE = { [FIREWALLD]: 'DefaultZone=public\nIPv6_rpfilter=loose\n' }

t.test("firewalld: the zone of the private address and CTDB's port", async (t) => {
  const zones = recorded('firewall-cmd-2.3-zones')
  const look = (text: string, more: Record<string, Answer> = {}) =>
    firewalld(patientOf({ files: LOOSE, says: { [ZONES]: prints(text), ...more } }))
  t.match(await look(zones), [
    {
      state: 'error',
      subject: 'priv',
      text: 'the zone "public", of the private address, lets neither the service ctdb nor port 4379/tcp in: other nodes cannot connect; in "internal" open also what else the nodes need of each other (their file system)',
      remedy:
        'firewall-cmd --permanent --zone=internal --change-interface=priv && firewall-cmd --permanent --zone=internal --add-service=ctdb && firewall-cmd --reload',
    },
  ])
  /** In the paragraph of that zone. */
  const edited = (zone: string, from: string, to: string) =>
    zones
      .split(/\n(?=\S)/)
      .map((each) => (each.startsWith(zone) ? each.replace(from, to) : each))
      .join('\n')
  for (const [from, to] of [
    ['services: ', 'services: ctdb '],
    ['  ports: ', '  ports: 80/tcp 4000-4400/tcp'],
    ['target: default', 'target: ACCEPT'],
    ['rich rules: ', 'rich rules: \n\trule family="ipv4" port port="4379" protocol="tcp" accept'],
  ] as const)
    t.match(await look(edited('public', from, to)), [{ state: 'ok' }], to)
  t.match(await look(edited('public', '  ports: ', '  ports: 4379/udp')), [{ state: 'error' }])
  t.match(await look(edited('trusted', 'interfaces: ', 'interfaces: priv')), [{ state: 'ok' }])
  t.match(await look(edited('trusted', 'sources: ', 'sources: 10.1.0.0/24')), [{ state: 'ok' }])
  t.match(
    await look(edited('trusted', 'sources: ', 'sources: 192.168.7.0/24')),
    [{ state: 'error' }],
    "a network of others opens nothing for the nodes'",
  )
  t.match(
    await look(
      edited('public', 'services: ', 'services: ctdb ').replace(
        /^work[^]*?sources: /m,
        (text) => `${text}10.1.0.0/16`,
      ),
    ),
    [
      {
        state: 'error',
        text: /^the zone "work"/,
        remedy: 'firewall-cmd --permanent --zone=work --add-service=ctdb && firewall-cmd --reload',
      },
    ],
    'a network comes before an interface',
  )
  t.match(await look(edited('work', 'interfaces: ', 'interfaces: priv')), [
    { remedy: /--zone=work --add-service=ctdb/ },
  ])
  const old = zones.replace('(default, active)', '(active)')
  t.match(
    await look(old, { 'firewall-cmd --get-default-zone': prints('public\n') }),
    [{ state: 'error', text: /"public"/ }],
    'an older firewalld does not mark its default zone',
  )
})

t.test('firewalld: its filter, and no answer', async (t) => {
  const says = { [ZONES]: prints('trusted (default)\n  target: ACCEPT\n') }
  const look = (conf: string) => firewalld(patientOf({ files: { [FIREWALLD]: conf }, says }))
  for (const [value, cure] of [
    ['strict', 'loose'],
    // firewalld 1 and 2.1 take "loose" for "yes"
    ['yes', 'no'],
  ] as const)
    t.match(await look(`IPv6_rpfilter=${value}\n`), [
      {
        state: 'warning',
        subject: FIREWALLD,
        text: new RegExp(`^IPv6_rpfilter=${value}: `),
        remedy: new RegExp(`^sed .*/IPv6_rpfilter=${cure}/' `),
      },
    ])
  t.match(await look('DefaultZone=public\n'), [
    { remedy: `echo IPv6_rpfilter=no >>${FIREWALLD} && firewall-cmd --reload` },
  ])
  for (const value of ['loose', 'no']) t.match(await look(`IPv6_rpfilter=${value}\n`), [{ state: 'ok' }])
  const stopped = { 'systemctl is-active --quiet firewalld.service': fails(3) }
  const patient = patientOf({ says: { [ZONES]: fails(252), ...stopped } })
  t.same(await firewalld(patient), [])
  t.same(patient.asked, Object.keys(stopped), 'firewall-cmd 2.5 waits 10 s for a firewalld that is stopped')
  t.same(await firewalld(patientOf({ says: { [ZONES]: fails(252, 'FirewallD is not running\n') } })), [])
  t.match(await firewalld(patientOf({ says: { [ZONES]: endedLate(5000) } })), [
    { state: 'warning', subject: 'firewall-cmd', text: /no answer within 5\.0 s/ },
  ])
})

t.test("ufw and CTDB's port", async (t) => {
  const files = { '/etc/ufw/ufw.conf': '# comment\nENABLED=yes\nLOGLEVEL=low\n' }
  const look = (answer: Answer) => ufw(patientOf({ files, says: { 'ufw status': answer } }))
  const status = recorded('ufw-0.36-status')
  t.match(await look(prints(status)), [{ state: 'ok' }])
  const without = (...patterns: RegExp[]) =>
    prints(
      status
        .split('\n')
        .filter((line) => !patterns.some((each) => each.test(line)))
        .join('\n'),
    )
  t.match(await look(without(/^4379/)), [{ state: 'ok' }], 'all of the interface')
  t.match(await look(without(/^Anywhere/)), [{ state: 'ok' }], 'the port')
  t.match(await look(without(/^Anywhere/, /^4379/)), [
    {
      state: 'error',
      subject: 'priv',
      text: 'ufw is active and no rule lets port 4379/tcp in from 10.1.0.2: other nodes cannot connect',
      remedy: 'ufw allow in on priv to any port 4379 proto tcp',
    },
  ])
  t.match(await look(prints('Status: active\n\nAnywhere on eth0           ALLOW       Anywhere\n')), [
    { state: 'error' },
  ])
  t.same(await look(prints('Status: inactive\n')), [])
  t.match(await look(endedLate(5000)), [{ state: 'warning', text: /^cannot list its rules: no answer/ }])
  const off = patientOf({
    files: { '/etc/ufw/ufw.conf': 'ENABLED=no\n' },
    says: { 'ufw status': prints('') },
  })
  t.same(await ufw(off), [])
  t.same(off.asked, [])
})

t.test('ufw: whom a rule is about', async (t) => {
  const rules = recorded('ufw-0.36-rules')
  const look = (status: string, defaults = 'DROP') =>
    ufw(
      patientOf({
        files: {
          '/etc/ufw/ufw.conf': 'ENABLED=yes\n',
          '/etc/default/ufw': `DEFAULT_INPUT_POLICY="${defaults}"\n`,
        },
        says: { 'ufw status': prints(status) },
      }),
    )
  const changed = (from: string, to: string) => rules.replace(from, to)
  t.match(await look(rules), [{ state: 'ok' }], 'the network of the nodes')
  for (const [to, why] of [
    ['4379/tcp                   ALLOW       10.2.0.0/24', 'another network'],
    ['4379/udp                   ALLOW       10.1.0.0/24', 'UDP'],
    ['4378                       ALLOW       10.1.0.0/24', 'another port'],
    ['10.1.0.77 4379/tcp         ALLOW       10.1.0.0/24', 'to another address'],
    ['4379/tcp                   ALLOW       10.1.0.0/24 1024/tcp', 'from that port alone'],
  ] as const)
    t.match(
      await look(changed('4379/tcp                   ALLOW       10.1.0.0/24', to)),
      [{ state: 'error' }],
      why,
    )
  for (const to of ['10.1.0.1 4379/tcp', '137,4000:4400/tcp', 'Anywhere on priv', '10.1.0.0/24/tcp'])
    t.match(
      await look(changed('4379/tcp                   ALLOW', `${to.padEnd(26)} ALLOW`)),
      [{ state: 'ok' }],
      to,
    )
  t.match(
    await look(changed('192.168.7.4', '10.1.0.2').replace('ALLOW', 'DENY ')),
    [{ state: 'error', remedy: 'ufw prepend allow in on priv to any port 4379 proto tcp' }],
    'the first rule decides',
  )
  const without = rules.replace(/^.*10.1.0.0.*\n/m, '')
  t.match(await look(without), [{ state: 'error' }])
  t.match(await look(without, 'ACCEPT'), [{ state: 'ok' }], 'the default lets all in')
})

t.test('docker: published ports, and what it does not forward', async (t) => {
  const here = { dockerd: prints('') }
  const nat = 'iptables -w 3 -t nat -S DOCKER'
  const look = (says: Record<string, Answer>, options = {}) =>
    docker(patientOf({ says: { ...here, ...says }, options }))
  t.match(await look({ [nat]: prints(recorded('iptables-1.8.11-docker')) }), [
    { state: 'warning', check: 'docker', subject: 'tcp/445', text: /on every local address/ },
  ])
  const none = fails(1, 'iptables: No chain/target/match by that name.\n')
  t.same(await look({ [nat]: none }), [])
  t.match(await look({ [nat]: fails(4, 'Another app is currently holding the xtables lock.\n') }), [
    { state: 'warning', text: /^cannot list docker's rules: Another app/ },
  ])
  const gateway = { CTDB_NATGW_PUBLIC_IP: '10.0.0.200/24' }
  const forward = 'iptables -w 3 -S FORWARD'
  t.match(
    await look({ [nat]: none, [forward]: prints('-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n') }, gateway),
    [{ state: 'warning', subject: 'FORWARD' }],
  )
  t.same(await look({ [nat]: none, [forward]: prints('-P FORWARD ACCEPT\n') }, gateway), [])
})

t.test('nf_conntrack_tcp_loose is 0', async (t) => {
  const path = '/proc/sys/net/netfilter/nf_conntrack_tcp_loose'
  t.match(await conntrack(patientOf({ files: { [path]: '0\n' } })), [
    { state: 'warning', remedy: 'sysctl -w net.netfilter.nf_conntrack_tcp_loose=1' },
  ])
  t.same(await conntrack(patientOf({ files: { [path]: '1\n' } })), [])
})

t.test(
  'ifupdown: an admin is told of "ctdb stop" where ifup has brought a public interface up',
  async (t) => {
    const told = (state: string) => ifupdown(patientOf({ files: { '/run/network/ifstate': state } }))
    t.match(await told('lo=lo\neth0=eth0\n'), [
      {
        state: 'ok',
        check: 'ifupdown',
        subject: 'eth0',
        text: /"ifdown" does not last under CTDB.*"ctdb stop" first/,
      },
    ])
    t.same(await told('lo=lo\npriv=priv\n'), [])
  },
)
