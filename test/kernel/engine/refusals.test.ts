import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from '../../tap.ts'
import { type Result, lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { MAIN, SCRIPT } from '../../lab/paths.ts'

/** What an admin may type or a daemon may send, and what the one line of the answer must name. */
const WRONG: [words: string[], says: RegExp][] = [
  ...['takeip', 'releaseip'].flatMap((event): [string[], RegExp][] => [
    [[event], /must supply interface, IP and maskbits.*3 words, got nothing/],
    [[event, 'eth0'], /must supply interface, IP and maskbits.*got "eth0"/],
    [[event, 'eth0', '10.0.0.1'], /must supply interface, IP and maskbits/],
    [[event, 'eth0', '10.0.0.1', '24', 'more'], /must supply interface, IP and maskbits/],
    [[event, 'eth0', '10.0.0.256', '24'], /"10\.0\.0\.256" is no IP address/],
    [[event, 'eth0', '10.0.0.1/24', '24'], /"10\.0\.0\.1\/24" is no IP address/],
    [[event, 'eth0', 'fd00:::1', '64'], /"fd00:::1" is no IP address/],
    [[event, 'eth0', 'fe80::1%eth0', '64'], /"fe80::1%eth0" is no IP address/],
    [[event, 'eth0', '', '24'], /"" is no IP address/],
    [[event, 'eth0', 'dev', '24'], /"dev" is no IP address/],
    [[event, 'eth0', '127.0.0.1', '8'], /127\.0\.0\.1 cannot be a public address/],
    [[event, 'eth0', 'ff02::1', '64'], /ff02::1 cannot be a public address/],
    [[event, 'eth0', '::', '64'], /:: cannot be a public address/],
    [[event, 'eth0', '10.0.0.1', '33'], /"33" is no netmask .* 1 to 32/],
    [[event, 'eth0', '10.0.0.1', '0'], /"0" is no netmask/],
    [[event, 'eth0', '10.0.0.1', '24x'], /"24x" is no netmask/],
    [[event, 'eth0', '10.0.0.1', '255.255.255.0'], /"255\.255\.255\.0" is no netmask/],
    [[event, 'eth0', '10.0.0.1', ''], /"" is no netmask/],
    [[event, 'eth0', 'fd00::1', '129'], /"129" is no netmask .* 1 to 128/],
    [[event, '', '10.0.0.1', '24'], /"" is no interface name \(it is blank\)/],
    [[event, ' ', '10.0.0.1', '24'], /" " is no interface name \(it is blank\)/],
    [[event, 'eth0/../eth1', '10.0.0.1', '24'], /"eth0\/\.\.\/eth1" is no interface name/],
    [[event, 'an-interface-too-long', '10.0.0.1', '24'], /longer than 15 bytes/],
    [[event, '-x', '10.0.0.1', '24'], /"-x" is no interface name \(it begins with "-"\)/],
    [[event, '..', '10.0.0.1', '24'], /"\.\." is no interface name/],
  ]),
  [['takeip', '__none__', '10.0.0.1', '24'], /takeip needs a real interface/],
  [
    ['updateip', 'eth0', 'eth1', '10.0.0.1'],
    /must supply old interface, new interface, IP and maskbits.*4 words/,
  ],
  [['updateip', 'eth0', '__none__', '10.0.0.1', '24'], /updateip needs a real interface/],
  [['updateip', '', 'eth1', '10.0.0.1', '24'], /it is blank/],
  [['updateip', 'eth0', 'eth1', '10.0.0.1', '64'], /"64" is no netmask/],
  [['init', 'now'], /init takes no arguments, got "now"/],
  [['monitor', 'eth0'], /monitor takes no arguments/],
]

/** The events that look at addresses, with words that would make them do something. */
const EVENTS = [
  ['init'],
  ['shutdown'],
  ['takeip', 'eth0', '10.0.0.2', '24'],
  ['takeip', 'eth0', 'fd00::2', '64'],
  ['releaseip', 'eth0', '10.0.0.1', '24'],
  ['releaseip', 'eth0', 'fd00::1', '64'],
  ['updateip', 'eth0', 'eth1', '10.0.0.1', '24'],
  ['updateip', 'eth0', 'eth1', 'fd00::1', '64'],
] as const

/** A node in the middle of its life: addresses, a rule of its own and one that a killed run has left. */
async function inUse({ node }: Lab): Promise<string> {
  await node.must('ip', 'addr', 'add', '10.0.0.1/24', 'brd', '+', 'dev', 'eth0')
  await node.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth0', 'nodad')
  await node.must('iptables', '-A', 'INPUT', '-p', 'tcp', '--dport', '23', '-j', 'REJECT')
  await node.must('ip6tables', '-A', 'INPUT', '-i', 'eth0', '-d', 'fd00::1', '-j', 'DROP')
  await node.calm()
  return await node.state()
}

function refused(t: Test, result: Result, what: string, says: RegExp, status = 1): void {
  t.equal(result.status, status, what)
  t.equal(lines(result).length, 1, `${what}: one line`)
  t.match(lines(result)[0], says, what)
}

const FIREWALL = { needs: ['iptables', 'ip6tables', 'iptables-save', 'ip6tables-save'] }

if (!(await prepareFile())) {
  inLab(
    'words that make no sense are refused in one line, and nothing on the machine changes',
    FIREWALL,
    async (t, lab) => {
      const before = await inUse(lab)
      for (const [i, [words, says]] of WRONG.entries()) {
        const byHand = i % 4 === 0 // the same check: some will do
        const [script, run] = await Promise.all([
          lab.script(...(words as [string])),
          byHand ? lab.eventscript('run', ...words) : undefined,
        ])
        refused(t, script, words.join(' '), says)
        if (run) refused(t, run, `eventscript run ${words.join(' ')}`, says, 2)
      }
      t.equal(await lab.node.state(), before)
      t.strictSame(lab.ctdbCalls(), [])
    },
  )

  inLab('the script without an event says how it is called', {}, async (t, lab) => {
    refused(t, await lab.node.run(SCRIPT), 'no event', /^usage: 10\.interface\.script EVENT/)
    refused(t, await lab.script('-takeip'), '-takeip', /"-takeip" is no event name/)
  })

  inLab(
    'an event that is not ours is left alone by the script, and a slip of the pen for an admin',
    {},
    async (t, lab) => {
      t.strictSame(await lab.script('frobnicate', 'x'), { status: 0, out: '', err: '' })
      refused(t, await lab.eventscript('run', 'takip'), 'takip', /event "takip": no handler knows it/, 2)
    },
  )

  inLab('without ip every event is refused with the package to install', FIREWALL, async (t, lab) => {
    const before = await inUse(lab)
    for (const words of [...EVENTS, ['monitor'], ['startup']])
      refused(
        t,
        await lab.scriptWithOnly(['ss', 'flock', 'iptables', 'arping', 'ctdb', 'sh', 'cat', 'tr'], ...words),
        words.join(' '),
        /^ip: not found in PATH: install iproute2$/,
      )
    t.equal(await lab.node.state(), before)
  })

  const odd = [
    {
      what: 'too old an ip',
      shell: `case $1 in -json) echo 'Option "-json" is unknown, try "ip -help".' >&2; exit 255 ;; esac`,
      says: /^ip is too old: it does not know -json: install iproute2 5\.0 or newer$/,
    },
    {
      what: 'an ip that prints no JSON',
      shell: `case $1 in -json) echo '2: eth0: <BROADCAST>'; exit 0 ;; esac`,
      says: /^ip -json printed "2: eth0: <BROADCAST>", expected a list of interfaces/,
    },
    {
      what: 'an ip that prints nothing',
      shell: 'case $1 in -json) exit 0 ;; esac',
      says: /^ip -json printed nothing, expected a list of interfaces/,
    },
    {
      what: 'an ip that stops in the middle of its answer',
      shell: `case $1 in -json) printf '[{"ifindex":1,"ifname":"lo","fl'; exit 0 ;; esac`,
      says: /^ip -json printed "\[.*", expected a list of interfaces/,
    },
    {
      what: 'an ip that prints another kind of list',
      shell: `case $1 in -json) echo '[1, {"dst":"default"}]'; exit 0 ;; esac`,
      says: /expected a list of interfaces/,
    },
    {
      what: 'an ip that fails',
      shell: `case $1 in -json) echo 'Cannot open netlink socket: Too many open files' >&2; exit 1 ;; esac`,
      says: /^ip cannot show the addresses: Cannot open netlink socket: Too many open files$/,
    },
    {
      what: 'an ip that crashes',
      shell: 'case $1 in -json) kill -SEGV $$ ;; esac',
      says: /^ip cannot show the addresses: /,
    },
  ]
  for (const { what, shell, says } of odd)
    inLab(`${what} is named in one line, and nothing changes`, FIREWALL, async (t, lab) => {
      const before = await inUse(lab)
      lab.standIn('ip', `${shell}\nexec $real "$@"`)
      for (const words of [...EVENTS.filter((_, n) => n % 2 === 0), ['monitor']])
        refused(t, await lab.script(...(words as [string])), words.join(' '), says)
      rmSync(join(lab.dir, 'bin/ip'))
      t.equal(await lab.node.state(), before)
    })

  inLab(
    'without the right to change addresses every event is refused before it begins',
    { needs: [...FIREWALL.needs, 'setpriv'] },
    async (t, lab) => {
      const before = await inUse(lab)
      for (const words of EVENTS)
        refused(
          t,
          await lab.node.run('setpriv', '--bounding-set=-net_admin', SCRIPT, ...words),
          words.join(' '),
          /^no privilege to change addresses \(CAP_NET_ADMIN\): root lacks CAP_NET_ADMIN: start the container with --cap-add NET_ADMIN$/,
        )
      t.equal(await lab.node.state(), before)
    },
  )

  inLab(
    'a file of public addresses that cannot be read is named, and keeps no address',
    FIREWALL,
    async (t, lab) => {
      const before = await inUse(lab)
      rmSync(join(lab.dir, 'etc/public_addresses'))
      mkdirSync(join(lab.dir, 'etc/public_addresses'))
      const unread = /public_addresses: it is a directory/
      const needList = new Set(['init', 'shutdown', 'monitor', 'startup'])
      for (const event of needList) refused(t, await lab.script(event), event, unread)
      t.equal(await lab.node.state(), before)
      const moves = EVENTS.filter(([event]) => !needList.has(event))
      for (const words of [...moves, ['ipreallocated']]) {
        const result = await lab.script(...(words as [string]))
        t.equal(result.status, 0, words.join(' '))
        t.match(lines(result)[0], /^WARNING: cannot read .*public_addresses: it is a directory/)
      }
      t.same(await lab.node.places('10.0.0.2'), ['eth0/24'])
      t.same(
        await lab.node.places('fd00::1'),
        ['eth1/64'],
        'released, and then moved to where the daemon said',
      )
    },
  )

  const badLines: [string, RegExp][] = [
    ['10.0.0.1', /no netmask/],
    ['10.0.0.1/24', /no interface/],
    ['10.0.0.1/33 eth0', /"33" is no netmask: expected 1 to 32/],
    ['10.0.0.300/24 eth0', /"10\.0\.0\.300" is no IP address/],
    ['10.0.0.1/24 an-interface-too-long', /longer than 15 bytes/],
    ['127.0.0.1/8 lo', /127\.0\.0\.1 is a loopback address/],
    ['fd00::1/64 eth0', /fd00::1 is there already, in line 1/],
    ['<html>', /"?<html>"?: no netmask/],
  ]
  inLab(
    'a bad line of public_addresses fails init, and startup and monitor name it',
    FIREWALL,
    async (t, lab) => {
      await inUse(lab)
      for (const [line, says] of badLines) {
        lab.configure('public_addresses', `fd00::1/64 eth0\n# a comment\n${line}\n`)
        for (const event of line.includes('<') ? ['init', 'startup', 'monitor'] : ['init']) {
          const result = await lab.script(event)
          t.equal(result.status, event === 'init' ? 1 : 0, `${event}: ${line}`)
          t.match(result.out + result.err, /public_addresses line 3: /)
          t.match(result.out + result.err, says)
        }
      }
      t.same(await lab.node.places('fd00::1'), [], 'what a crash has left is dropped')
    },
  )

  inLab(
    'a bad line of public_addresses does not keep other addresses from being taken and released',
    {},
    async (t, lab) => {
      lab.configure('public_addresses', '10.0.0.1/24 eth0\n10.0.0.2/240 eth0\n')
      t.equal((await lab.script('takeip', 'eth0', '10.0.0.1', '24')).status, 0)
      t.strictSame(await lab.node.places('10.0.0.1'), ['eth0/24'])
      t.equal((await lab.script('releaseip', 'eth0', '10.0.0.1', '24')).status, 0)
      t.strictSame(await lab.node.places('10.0.0.1'), [])
    },
  )

  inLab('a firewall that refuses costs a WARNING, and the address is released', {}, async (t, lab) => {
    await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
    lab.standIn(
      'iptables',
      'echo "iptables: Could not fetch rule set generation id: Invalid argument" >&2; exit 4',
    )
    const result = await lab.script('releaseip', 'eth0', '10.0.0.1', '24')
    t.equal(result.status, 0)
    t.match(lines(result), [/^WARNING: cannot block 10\.0\.0\.1 on eth0: iptables: Could not fetch rule set/])
    t.strictSame(await lab.node.places('10.0.0.1'), [])
    rmSync(join(lab.dir, 'bin/iptables'))
    t.strictSame(await lab.node.dropRules(), [])
  })

  inLab('what CTDB calls for each event loads neither yargs nor chalk, but one file', {}, async (t, lab) => {
    t.notMatch(readFileSync(SCRIPT, 'utf8'), /yargs|chalk/)
    const { status, err } = await lab.node.run('env', 'NODE_DEBUG=module', SCRIPT, 'ipreallocated')
    t.equal(status, 0)
    const loaded = err.match(/load "([^"]+)"/g) ?? []
    t.equal(new Set(loaded.filter((each) => each.includes('/'))).size, 1, loaded.join(' '))
    t.notMatch(err, /node_modules\/(yargs|chalk|execa)/)
  })

  inLab('without /proc every command, the script and the daemon say so in one line', {}, async (t, lab) => {
    const blind = (...argv: string[]) =>
      lab.node.run('unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh', ...argv)
    const line =
      '/proc: the files of the kernel are not there: expected it to be mounted: mount -t proc proc /proc'
    const commands = [
      'run releaseip eth0 10.0.0.1 24',
      'explain monitor',
      'ip',
      'ifaces',
      'nodes',
      'audit',
      'doctor',
    ]
    for (const words of [
      ...commands,
      'metrics',
      'history',
      'status',
      'cleanup',
      'install',
      'uninstall',
      'eventd',
    ]) {
      const said = await blind(process.execPath, MAIN, ...words.split(' '))
      t.not(said.status, 0, words)
      t.equal(said.err, `${words === 'eventd' ? 'ctdb-eventd' : 'eventscript'}: ${line}\n`, words)
    }
    t.match(await blind(process.execPath, MAIN, 'check'), { status: 3, out: `CTDB UNKNOWN - ${line}\n` })
    t.same(await blind(SCRIPT, 'monitor'), { status: 1, out: '', err: `${line}\n` })
  })
}
