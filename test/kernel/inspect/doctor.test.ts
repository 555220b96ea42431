/** `eventscript doctor`: silent on a healthy node, and each planted fault by its name. */
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from '../../tap.ts'
import type { Finding } from '../../../runner/inspect/finding.ts'
import { cleanupUnitFor, dropInFor } from '../../../runner/install/unit-text.ts'
import { wrapperFor } from '../../../runner/install/wrapper.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { programPath } from '../../lab/needs.ts'
import { MAIN, SCRIPT } from '../../lab/paths.ts'
import { ALL_PROGRAMS } from '../../lab/stand-ins.ts'

const why = await prepareFile()
const needs = ALL_PROGRAMS.filter((program) => program !== 'ctdb')
// files of any other user are not root's, which is what doctor is to find
const skip = why ?? (process.getuid?.() === 0 ? undefined : 'needs root: files of other users are findings')

/** A node as it should be: our handler linked, files in order, its private address there. */
async function healthy(lab: Lab): Promise<void> {
  mkdirSync(join(lab.dir, 'etc/events/legacy'), { recursive: true })
  symlinkSync(SCRIPT, join(lab.dir, 'etc/events/legacy/10.interface.script'))
  lab.configure('nodes', '10.1.0.1\n#10.1.0.2\n10.1.0.3\n')
  lab.configure('script.options', '# CTDB_PARTIALLY_ONLINE_INTERFACES=yes\nCTDB_KILLTCP_USE_SS_KILL=yes\n')
  lab.configure('ctdb.conf', '[logging]\n\tlocation = syslog\n')
  await lab.node.must('ip', 'addr', 'add', '10.1.0.1/24', 'dev', 'eth1')
}

interface Examined {
  status: number
  bad: Finding[]
}

async function doctor(lab: Lab, ...before: string[]): Promise<Examined> {
  const { status, out, err } = await lab.node.run(...before, process.execPath, MAIN, 'doctor', '--json')
  if (err !== '') throw new Error(err)
  const all = JSON.parse(out) as Finding[]
  return { status, bad: all.filter(({ state }) => state !== 'ok') }
}

/** Every fault is found, and nothing but the faults. */
function expectAll(t: Test, { bad }: Examined, faults: readonly [string, RegExp][]): void {
  const lines = bad.map((each) => `${each.state} ${each.subject}: ${each.text} -> ${each.remedy}`)
  for (const [fault, pattern] of faults)
    t.ok(
      lines.some((line) => pattern.test(line)),
      `${fault}: ${pattern}`,
    )
  const others = lines.filter((line) => !faults.some(([, pattern]) => pattern.test(line)))
  t.same(others, [], 'nothing else')
}

function script(lab: Lab, name: string, text: string): void {
  const path = join(lab.dir, 'etc/events/legacy', name)
  writeFileSync(path, text)
  chmodSync(path, 0o755)
}

inLab('a healthy node: nothing is found', { needs, skip }, async (t, lab) => {
  await healthy(lab)
  t.same(await doctor(lab), { status: 0, bad: [] })
  const { out } = await lab.eventscript('doctor')
  t.match(out, /^ok +ip: ip utility, iproute2/m)
  t.match(out, /^ok +ss: ends connections$/m)
  t.match(out, /^0 to repair, 0 to look at, \d+ well$/m)
  t.match(
    (await lab.eventscript('doctor', '-X')).out,
    /^\|State\|Check\|Subject\|Text\|Remedy\|\n\|ok\|ip\|ip\|/,
  )
})

inLab('faults in the event folder', { needs, skip }, async (t, lab) => {
  await healthy(lab)
  const folder = join(lab.dir, 'etc/events/legacy')
  chmodSync(folder, 0o777)
  chownSync(join(lab.dir, 'etc/events'), 12_345, 0)
  script(lab, '20.interpreter.script', '#!/no/such/shell\n')
  script(lab, '21.crlf.script', '#!/bin/sh\r\nexit 0\r\n')
  script(lab, '22.bare.script', 'exit 0\n')
  symlinkSync('/no/such/file', join(folder, '23.dangling.script'))
  script(lab, '30.one.script', '#!/bin/sh\n')
  script(lab, '30.two.script', '#!/bin/sh\n')
  chmodSync(join(folder, '30.two.script'), 0o775)
  chownSync(join(folder, '30.two.script'), 0, 12_345)
  script(lab, '12.interface.script', '#!/bin/sh\n. /etc/ctdb/functions\n')
  script(lab, '40.backup.script~', '#!/bin/sh\n')
  script(lab, '5.short.script', '#!/bin/sh\n')
  writeFileSync(join(folder, '99.gone.options'), '')
  const found = await doctor(lab)
  t.equal(found.status, 1)
  expectAll(t, found, [
    [
      'everybody may write to the folder',
      /^error .*\/legacy: everybody may write to it.* -> chmod o-w .*\/legacy$/,
    ],
    [
      "a folder above is somebody else's",
      /^error .*\/etc\/events: owned by user \d+.* -> have it where only root writes$/,
    ],
    [
      'a group may write to a script',
      /^error .*30\.two\.script: group \d+ may write.* -> chmod g-w .*30\.two\.script$/,
    ],
    ['an interpreter is missing', /^error .*20\.interpreter.*interpreter \/no\/such\/shell does not exist/],
    ['lines end in CR LF', /^error .*21\.crlf.*CR LF.* -> sed -i/],
    ['no #!', /^error .*22\.bare.*first line is no "#!"/],
    ['a dangling link', /^error .*23\.dangling.*dangling link.* -> rm /],
    ['two with one number', /^warning .*30\.one and 30\.two have one number/],
    [
      "CTDB's script beside ours",
      /^error .*12\.interface\.script: does the work of our 10\.interface as well.* -> rm /,
    ],
    ["an editor's copy", /^warning .*40\.backup\.script~: not run: its name is not NN/],
    ['a number of one digit', /^warning .*5\.short\.script: not run/],
    ['options of a script that is not there', /^warning .*99\.gone\.options: not read/],
  ])
})

inLab('a list of nodes that a command prints', { needs, skip }, async (t, lab) => {
  await healthy(lab)
  rmSync(join(lab.dir, 'etc/nodes'))
  const program = join(lab.dir, 'list')
  lab.configure('ctdb.conf', `[cluster]\n\tnodes list = !${program} 10.1.0.1\n`)
  writeFileSync(program, '#!/bin/sh\necho $1\n', { mode: 0o755 })
  t.same(await doctor(lab), { status: 0, bad: [] })
  writeFileSync(program, '#!/bin/sh\nprintf "10.1.0.2\\r\\n"\nexit 1\n')
  expectAll(t, await doctor(lab), [
    ['it fails', /^warning !.*list 10\.1\.0\.1: .*failed: exit status 1: ctdbd takes what it printed/],
    ['CR LF', /^warning !.*list 10\.1\.0\.1: line 1: the line ends in CR LF.* -> have the command print LF/],
    ['this node is not in it', /^error !.*list 10\.1\.0\.1: none of its 1 addresses is on this node/],
  ])
  rmSync(program)
  expectAll(t, await doctor(lab), [['no program', /^error !.*list .* does not exist: ctdbd does not start/]])
})

inLab("faults in CTDB's files", { needs, skip }, async (t, lab) => {
  await healthy(lab)
  lab.configure(
    'public_addresses',
    '# ours\n10.0.0.1 eth0\nfd00::1/64 eth0,eth7\n10.1.0.1/24 eth1\n[FD00:0::1]/64 eth0\n',
  )
  lab.configure('nodes', '# all of them\n10.1.0.1\n::ffff:10.1.0.1\n10.1.0.300\n')
  lab.configure('script.options', 'A=1\nB="open\n')
  lab.configure('ctdb.conf', '[event]\n\tdebug script = none.sh\n')
  writeFileSync(join(lab.dir, 'var/my-public-ip-addresses'), '10.0.0.1\nfd00::\u0000\n')
  const found = await doctor(lab)
  t.equal(found.status, 1)
  expectAll(t, found, [
    ['a line without a mask', /^error .*public_addresses: line 2: "10\.0\.0\.1 eth0": no netmask/],
    ['an interface that is not there', /^error eth7: .*public_addresses line 3: there is no such interface/],
    [
      'an address twice, in two spellings',
      /^error .*public_addresses: line 5: .*fd00::1 is there already, in line 3/,
    ],
    [
      "a node's private address",
      /^error .*10\.1\.0\.1 is the private address of node 1 too \(line 2 of nodes\)/,
    ],
    ['a comment that is a node', /^warning .*nodes: line 1: .*to CTDB this comment is a deleted node/],
    ['a node twice, in two spellings', /^error .*nodes: line 3: 10\.1\.0\.1 is there already, in line 2/],
    ['a node that is no address', /^error .*nodes: line 4: "10\.1\.0\.300" is no IP address/],
    ['options that do not parse', /^error .*script\.options: the shell cannot read it: .*(2|3): .*quot/i],
    ['a debug script that is not there', /^error .*ctdb\.conf: \[event\] debug script = none\.sh/],
    ['an odd line in the list of hosted addresses', /^warning .*my-public-ip-addresses: line 2: /],
  ])
})

inLab('faults of the machine', { needs, skip }, async (t, lab) => {
  await healthy(lab)
  lab.standIn('ip', '[ "$1" != -V ] || { echo "ip utility, iproute2-ss190107"; exit; }; exec "$real" "$@"')
  lab.standIn('ss', 'exit 0')
  lab.standIn('iptables', '[ "$1" != -V ] || { echo "iptables v1.6.1"; exit; }; exec "$real" "$@"')
  lab.standIn('ip6tables', '[ "$1" = -V ] && exec "$real" "$@"; echo "Table does not exist" >&2; exit 3')
  lab.configure('script.options', 'CTDB_PARTIALLY_ONLINE_INTERFACES=maybe\n')
  await lab.node.writeSysctl('net/ipv4/ip_nonlocal_bind', 1)
  await lab.node.writeSysctl('net/ipv6/ip_nonlocal_bind', 1)
  await lab.node.writeSysctl('net/ipv6/conf/eth0/disable_ipv6', 1)
  await lab.node.writeSysctl('net/ipv6/conf/eth1/accept_dad', 0)
  const found = await doctor(lab)
  t.equal(found.status, 1)
  expectAll(t, found, [
    ['ip is too old', /^error ip: .*ss190107: too old, its -json is not complete -> install iproute2 5\.0/],
    ['ss -K ends nothing', /^warning ss: does not end connections/],
    [
      'iptables is too old',
      /^error iptables: iptables v1\.6\.1: too old, .*-w SECONDS.* -> install iptables 1\.6\.2 or newer$/,
    ],
    ['ip6tables does not work', /^error ip6tables: cannot list its rules: Table does not exist/],
    [
      'a value that the option has not',
      /^warning script\.options: CTDB_PARTIALLY_ONLINE_INTERFACES="maybe": expected no, yes/,
    ],
    [
      'ip_nonlocal_bind',
      /^error net\.ipv4\.ip_nonlocal_bind: is 1.* -> sysctl -w net\.ipv4\.ip_nonlocal_bind=0$/,
    ],
    ['ip_nonlocal_bind, IPv6', /^error net\.ipv6\.ip_nonlocal_bind: is 1/],
    [
      'IPv6 switched off',
      /^error eth0: IPv6 is switched off on it -> sysctl -w net\.ipv6\.conf\.eth0\.disable_ipv6=0$/,
    ],
    [
      'no duplicate check',
      /^warning eth1: accept_dad is 0: .* -> sysctl -w net\.ipv6\.conf\.eth1\.accept_dad=1$/,
    ],
  ])
})

inLab('an interface on which the kernel makes no duplicate check', { needs, skip }, async (t, lab) => {
  await healthy(lab)
  const set = (name: string, value: number) => lab.node.writeSysctl(`net/ipv6/conf/${name}`, value)
  // as EVENTSCRIPT_DAD=fast has them for a while
  await set('eth0/router_solicitation_delay', 0)
  await set('eth0/dad_transmits', 3)
  // the higher value counts
  await set('all/accept_dad', 1)
  await set('eth1/accept_dad', 0)
  t.same((await doctor(lab)).bad, [])
  await set('all/accept_dad', 0)
  await set('eth0/dad_transmits', 0)
  expectAll(t, await doctor(lab), [
    [
      'no probes',
      /^warning eth0: dad_transmits is 0: .* -> sysctl -w net\.ipv6\.conf\.eth0\.dad_transmits=1$/,
    ],
    ['no check', /^warning eth1: accept_dad is 0: .* -> sysctl -w net\.ipv6\.conf\.eth1\.accept_dad=1$/],
  ])
  await set('eth0/dad_transmits', 1)
  await set('eth1/accept_dad', 1)
  await lab.node.must('ip', 'link', 'set', 'eth1', 'arp', 'off')
  expectAll(t, await doctor(lab), [
    ['no ARP', /^warning eth1: ARP is switched off on it: .* -> ip link set dev eth1 arp on$/],
  ])
})

inLab('faults of an LVS group', { needs, skip }, async (t, lab) => {
  await healthy(lab)
  const file = join(lab.dir, 'etc/lvs_nodes')
  const configure = (ip: string, iface: string, text: string) => {
    lab.configure('lvs_nodes', text)
    lab.configure(
      'script.options',
      `CTDB_LVS_NODES=${file}\nCTDB_LVS_PUBLIC_IP=${ip}\nCTDB_LVS_PUBLIC_IFACE=${iface}\nCTDB_KILLTCP_USE_SS_KILL=yes\n`,
    )
  }
  lab.configure('public_addresses', '10.0.0.1/24 eth0\nfd00::1/64 eth0\n')
  configure('10.0.0.9', 'eth0', '# the group\n10.1.0.1\n::ffff:10.1.0.3\tfollower-only\n')
  t.same(await doctor(lab), { status: 0, bad: [] })
  configure(
    '::ffff:10.0.0.1',
    'eth7',
    '10.1.0.1\n[::FFFF:10.1.0.1]\n10.1.0.2\n10.1.0.3 slave-only\nfd00::5\n10.1.0.300\n',
  )
  const found = await doctor(lab)
  t.equal(found.status, 1)
  expectAll(t, found, [
    [
      'a public address as well',
      /^error CTDB_LVS_PUBLIC_IP: 10\.0\.0\.1 is a public address too \(line 1 of public_addresses\)/,
    ],
    ['no such interface', /^error CTDB_LVS_PUBLIC_IFACE: eth7: there is no such interface/],
    [
      'a node twice, in two spellings',
      /^warning .*lvs_nodes: line 2: 10\.1\.0\.1 is there already, in line 1/,
    ],
    ['a deleted node', /^warning .*lvs_nodes: line 3: 10\.1\.0\.2 is no node of this cluster/],
    [
      'an old spelling',
      /^error .*lvs_nodes: line 4: .*"slave-only" is no option: expected ADDRESS \[follower-only\]/,
    ],
    ['another family', /^error .*lvs_nodes: line 5: .*another family/],
    ['another family is no node either', /^warning .*lvs_nodes: line 5: fd00::5 is no node of this cluster/],
    ['no address', /^error .*lvs_nodes: line 6: .*"10\.1\.0\.300" is no IP address/],
  ])
  configure('10.0.0.9', '', '10.1.0.1\n')
  expectAll(t, await doctor(lab), [
    ['a leader without an interface', /^error CTDB_LVS_PUBLIC_IFACE: not set/],
  ])
  configure('', '', '10.1.0.1 follower-only\n')
  expectAll(t, await doctor(lab), [
    ['no address of the group', /^error CTDB_LVS_PUBLIC_IP: not set/],
    ['nobody may lead', /^error .*lvs_nodes: no node in it may lead/],
  ])
  rmSync(file)
  expectAll(t, await doctor(lab), [['no such file', /^error .*lvs_nodes: no such file/]])
})

inLab('what is missing', { needs, skip }, async (t, lab) => {
  await healthy(lab)
  rmSync(join(lab.dir, 'etc/events/legacy/10.interface.script'))
  rmSync(join(lab.dir, 'bin/ctdb'))
  lab.configure('nodes', '10.1.0.2\n')
  lab.configure('public_addresses', '10.0.0.1/24 eth0\nfd00::1/64 eth0\r\n')
  lab.configure('script.options', '')
  const only = join(lab.dir, 'only')
  mkdirSync(only)
  for (const program of ['ip', 'sh']) symlinkSync(programPath(program) ?? '', join(only, program))
  const found = await doctor(lab, '/usr/bin/env', `PATH=${only}`)
  t.equal(found.status, 1)
  expectAll(t, found, [
    ['flock', /^error flock: not found: .* -> install util-linux$/],
    ['the ctdb tool', /^error .*bin\/ctdb: not found: .* -> install ctdb$/],
    ['arping', /^warning arping: not found: .* -> install iputils-arping$/],
    ['ndsend and ndptool', /^warning ndptool: neither ndsend nor ndptool found: .* -> install libndp-tools$/],
    ['iptables', /^warning iptables: not found/],
    ['ip6tables', /^warning ip6tables: not found/],
    ['ss', /^warning ss: not found: .* -> install iproute2$/],
    ['no script at all', /^warning .*legacy: no script in it/],
    [
      'nobody takes the addresses',
      /^error .*legacy: no 10\.interface is enabled.* -> ctdb event script enable legacy 10\.interface, or /,
    ],
    ['the node itself in nodes', /^error .*nodes: none of its 1 addresses is on this node/],
    ['CR LF in public_addresses', /^warning .*public_addresses: line 2 ends in CR LF.* -> sed -i/],
  ])
})

inLab(
  "CTDB's own scripts, and nothing of ours: nobody is urged to install",
  { needs, skip },
  async (t, lab) => {
    await healthy(lab)
    const etc = join(lab.dir, 'systemd-etc')
    mkdirSync(join(etc, 'systemd/system'), { recursive: true })
    writeFileSync(
      join(etc, 'systemd/system.conf'),
      `[Manager]\nDefaultEnvironment=PATH=${dirname(process.execPath)}\n`,
    )
    rmSync(join(lab.dir, 'etc/events/legacy/10.interface.script'))
    script(lab, '10.interface.script', '#!/bin/sh\n. /etc/ctdb/functions\n')
    t.same(await doctor(lab, 'env', `CTDB_SYS_ETCDIR=${etc}`), { status: 0, bad: [] })
    t.notMatch(
      (await lab.node.run('env', `CTDB_SYS_ETCDIR=${etc}`, process.execPath, MAIN, 'doctor')).out,
      /install/,
    )
  },
)

inLab(
  'a program that hangs is a finding, within the time that doctor has',
  { needs, skip },
  async (t, lab) => {
    await healthy(lab)
    lab.standIn('arping', 'exec sleep 60')
    const began = performance.now()
    const { status, out } = await lab.eventscript('doctor', '--timeout', '4', '--json')
    t.ok(performance.now() - began < 30_000)
    t.equal(status, 1)
    const bad = (JSON.parse(out) as Finding[]).filter(({ state }) => state !== 'ok')
    t.match(bad[0], { state: 'error', text: /"arping -V" was ended after .*: it hangs/ })
  },
)

inLab(
  'systemd does not clean up after ctdbd: doctor reports that until install has written the unit',
  { needs, skip },
  async (t, lab) => {
    await healthy(lab)
    const etc = join(lab.dir, 'systemd-etc')
    mkdirSync(join(etc, 'systemd/system/ctdb.service.d'), { recursive: true })
    const place = join(etc, 'systemd/system/ctdb.service.d/eventscript.conf')
    writeFileSync(
      join(etc, 'systemd/system.conf'),
      `[Manager]\nDefaultEnvironment=PATH=${dirname(process.execPath)}\n`,
    )
    const look = () => doctor(lab, 'env', `CTDB_SYS_ETCDIR=${etc}`)
    t.match((await look()).bad, [{ subject: place, text: /^no such file: /, remedy: 'eventscript install' }])
    writeFileSync(place, dropInFor('/elsewhere/main.js'))
    t.match((await look()).bad, [{ subject: place, text: /^it does not call this eventscript: / }])
    writeFileSync(place, dropInFor(MAIN).replace(/^OnFailure=.*$/m, ''))
    t.match((await look()).bad, [{ subject: place, text: /^not as this version writes it: / }])
    writeFileSync(place, dropInFor(MAIN))
    const unit = join(etc, 'systemd/system/eventscript-cleanup.service')
    t.match((await look()).bad, [
      { subject: unit, text: /^no such file: after "systemctl kill -s KILL ctdb" the addresses stay/ },
    ])
    writeFileSync(unit, cleanupUnitFor('/elsewhere/main.js'))
    t.match((await look()).bad, [{ subject: unit, text: /^it does not call this eventscript: / }])
    writeFileSync(unit, cleanupUnitFor(MAIN))
    t.same((await look()).bad, [])
  },
)

inLab('the value of promote_secondaries, and whether it can be set', { needs, skip }, async (t, lab) => {
  await healthy(lab)
  const two = '10.0.0.1/24 eth0,eth1\n10.0.0.2/24 eth0,eth1\n'
  lab.configure('public_addresses', two)
  const found = async () => (await doctor(lab)).bad
  t.same(await found(), [], '0, and our handlers set it')
  await lab.node.makeReadOnly('/proc/sys')
  const finding = {
    state: 'warning',
    check: 'sysctl',
    text: 'promote_secondaries is 0 and cannot be set (EROFS): a public address that goes takes others of its subnet along, and they are put back',
    remedy: 'on the host: sysctl -w net.ipv4.conf.all.promote_secondaries=1',
  }
  t.same(
    await found(),
    ['eth0', 'eth1'].map((subject) => ({ ...finding, subject })),
  )
  lab.configure('public_addresses', '10.0.0.1/24 eth0\n')
  t.same(await found(), [], 'it is alone in its subnet')
  await lab.node.must('ip', 'addr', 'add', '10.0.0.3/24', 'dev', 'eth0')
  t.same(await found(), [{ ...finding, subject: 'eth0' }], "with the host's own it is not")
  lab.configure('public_addresses', '10.5.0.1/24 eth0\n10.0.0.1/25 eth0\nfd00::1/64 eth0\nfd00::2/64 eth0\n')
  t.same(await found(), [], 'other subnets, and IPv6')
  lab.configure('public_addresses', two)
  await lab.node.must('mount', '-o', 'remount,bind,rw', '/proc/sys')
  await lab.node.writeSysctl('net/ipv4/conf/all/promote_secondaries', 1)
  await lab.node.must('mount', '-o', 'remount,bind,ro', '/proc/sys')
  t.same(await found(), [], 'set for all')
})

inLab(
  'node is not in the PATH that ctdbd has, or the one that a file of ours names has gone',
  { needs, skip },
  async (t, lab) => {
    await healthy(lab)
    const [systemd, empty] = [join(lab.dir, 'node-etc/systemd'), join(lab.dir, 'empty')]
    for (const folder of [join(systemd, 'system/ctdb.service.d'), empty])
      mkdirSync(folder, { recursive: true })
    const service = (path: string) =>
      writeFileSync(
        join(systemd, 'system/ctdb.service'),
        `[Service]\nEnvironment=PATH=${path}\nRuntimeDirectory=ctdb samba/ctdb\n`,
      )
    writeFileSync(join(systemd, 'system.conf'), `[Manager]\nDefaultEnvironment=PATH=${empty}\n`)
    const [dropIn, unit] = [
      join(systemd, 'system/ctdb.service.d/eventscript.conf'),
      join(systemd, 'system/eventscript-cleanup.service'),
    ]
    writeFileSync(dropIn, dropInFor(MAIN))
    writeFileSync(unit, cleanupUnitFor(MAIN, process.execPath))
    const place = join(lab.dir, 'etc/events/legacy/10.interface.script')
    const look = () => doctor(lab, 'env', `CTDB_SYS_ETCDIR=${dirname(systemd)}`)
    service(empty)
    const text = `no node in the PATH of ctdb.service (${empty}): it fails`
    t.same(
      (await look()).bad.map(({ state, check, subject, ...rest }) => [state, check, subject, rest]),
      [place, dropIn].map((each) => ['error', 'node', each, { text, remedy: 'eventscript install' }]),
      'the handler and ExecStopPost=, not the unit, which names one',
    )
    service(dirname(process.execPath))
    t.same((await look()).bad, [], 'found there')
    rmSync(place)
    service(empty)
    script(lab, '10.interface.script', wrapperFor(process.execPath, [SCRIPT]))
    writeFileSync(dropIn, dropInFor(MAIN, process.execPath))
    t.same((await look()).bad, [], 'named in all three')
    const gone = join(lab.dir, 'gone/node')
    script(lab, '10.interface.script', wrapperFor(gone, [SCRIPT]))
    t.match((await look()).bad, [{ subject: place, text: `${gone}: no such file: it fails` }])
    mkdirSync(dirname(gone))
    symlinkSync(process.execPath, gone)
    t.same((await look()).bad, [])
    rmSync(gone)
    writeFileSync(gone, '#!/bin/sh\necho v18.20.4\n', { mode: 0o755 })
    t.match((await look()).bad, [{ subject: place, text: `${gone}: v18.20.4: too old: it fails` }])
    writeFileSync(gone, '#!/bin/sh\necho v24.0.0\n', { mode: 0o777 })
    chmodSync(gone, 0o777)
    t.match((await look()).bad, [
      { check: 'permissions', subject: gone, text: /everybody may write to it: its events/ },
    ])
  },
)
