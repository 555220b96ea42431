/** ctdbd dies: our event daemon's last act, and `eventscript cleanup` where the daemon was killed too. */
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TrackedProcess } from '../../../runner/eventd/process/ctdbd-watch.ts'
import { FAMILIES } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { held, hosting, start, startCtdbd, takeAll, untilGone, WORDS } from './dying.ts'

const needs = ['iptables', 'ip6tables']

const dadTransmits = '/proc/sys/net/ipv6/conf/eth0/dad_transmits'

/** The remains of killed events: a rule for each family, and a sysctl that is lowered. */
async function leaveBehind(lab: Lab): Promise<void> {
  for (const { ip, iptables } of FAMILIES)
    await lab.node.must(iptables, '-w', '3', '-I', 'INPUT', '-i', 'eth0', '-d', ip, '-j', 'DROP')
  await lab.node.must('sh', '-c', `echo 3 >${dadTransmits}`)
  mkdirSync(join(lab.dir, 'eventscript/dad'), { recursive: true })
  writeFileSync(join(lab.dir, 'eventscript/dad/lowered'), `${dadTransmits} 1 3\n`)
}

const sysctl = async ({ node }: Lab) => (await node.must('cat', dadTransmits)).trim()

if (!(await prepareFile())) {
  inLab(
    'ctdbd is killed: addresses, rules and sysctls go at once, and the daemon with them',
    { needs },
    async (t, lab) => {
      const { ctdbd, daemon } = await hosting(t, lab, 'EVENTSCRIPT_DAD=fast\n')
      await leaveBehind(lab)
      ctdbd.kill('SIGKILL')
      const ms = await untilGone(lab)
      t.equal(await daemon.ended, 3)
      t.strictSame(await lab.node.dropRules(), [])
      t.equal(await sysctl(lab), '1')
      t.match(daemon.log(), `PID ${ctdbd.pid} gone away, exiting`)
      t.match(daemon.log(), /10\.interface: Removing public address 10\.0\.0\.1\/24 from device eth0/)
      t.match(
        daemon.log(),
        new RegExp(
          `ctdbd \\(pid ${ctdbd.pid}\\) is gone: last act: 2 addresses dropped, 2 firewall rules removed, 1 sysctl put back`,
        ),
      )
      t.notOk(existsSync(join(lab.dir, 'etc/run/eventd.pid')))
      t.comment(`${ms} ms after the kill; the daemon itself: ${/\((\d+ ms)\)/.exec(daemon.log())?.[1]}`)
    },
  )

  inLab(
    'an address that is being taken or let go when ctdbd dies goes too',
    { needs, slowDad: true },
    async (t, lab) => {
      const { ctdbd, daemon } = await start(
        lab,
        'EVENTSCRIPT_DAD=fast\nEVENTSCRIPT_DAD_PROBES=10\nEVENTSCRIPT_DAD_INTERVAL_MS=1000\n',
      )
      lab.standIn('ss', 'exec sleep 600')
      t.equal(await daemon.run('takeip', 'eth0', '10.0.0.1', '24'), 0)
      void daemon.run('takeip', 'eth0', 'fd00::1', '64').catch(() => {})
      void daemon.run('releaseip', 'eth0', '10.0.0.1', '24').catch(() => {})
      await waitFor('a check and a rule', async () => {
        const isTentative = (await lab.node.places('fd00::1'))[0] === 'eth0/64 tentative'
        return isTentative && (await lab.node.dropRules()).length === 1
      })
      t.equal(await sysctl(lab), '10')
      ctdbd.kill('SIGKILL')
      t.equal(await daemon.ended, 3)
      t.strictSame(await held(lab), [])
      t.strictSame(await lab.node.dropRules(), [])
      t.equal(await sysctl(lab), '1')
    },
  )

  inLab("CTDB's own script has taken the addresses: they go all the same", { needs }, async (t, lab) => {
    const folder = join(lab.dir, 'etc/events/legacy')
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, '10.interface.script'),
      '#!/bin/sh\n[ "$1" = shutdown ] && sleep 600\nexit 0\n',
      {
        mode: 0o755,
      },
    )
    const { ctdbd, daemon } = await start(lab)
    for (const [iface = '', ip, bits] of WORDS)
      await lab.node.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', iface)
    ctdbd.kill('SIGKILL')
    t.equal(await daemon.ended, 3)
    t.strictSame(await held(lab), [])
  })

  const changed: Readonly<Record<string, string | undefined>> = {
    'a byte order mark before its first line': '\ufeff10.0.0.1/24 eth0\nfd00::1/64 eth0\n',
    'lines that nobody can read': '10.0.0.1o/24 eth0\nfd00:::1/64 eth0\n',
    'other addresses': '10.0.0.77/24 eth0\n',
    'nothing at all': '',
    'gone from behind its link': undefined,
  }
  for (const [what, text] of Object.entries(changed))
    inLab(
      `public_addresses has changed since ctdbd read it (${what}): what this node has taken goes`,
      { needs },
      async (t, lab) => {
        const { ctdbd, daemon } = await hosting(t, lab)
        const file = join(lab.dir, 'etc/public_addresses')
        rmSync(file)
        if (text === undefined) symlinkSync('/nowhere/public_addresses', file)
        else writeFileSync(file, text)
        ctdbd.kill('SIGKILL')
        t.equal(await daemon.ended, 3)
        t.strictSame(await held(lab), [])
        t.match(daemon.log(), /is gone: last act: 2 addresses dropped/)
      },
    )

  inLab("[failover] disabled = true: the addresses are not CTDB's, and stay", { needs }, async (t, lab) => {
    lab.configure('ctdb.conf', '[failover]\n\tdisabled = true\n')
    const { ctdbd, daemon } = await hosting(t, lab)
    ctdbd.kill('SIGKILL')
    t.equal(await daemon.ended, 3)
    t.strictSame(await held(lab), ['eth0/24', 'eth0/64'])
    t.match(daemon.log(), 'is gone: [failover] disabled = true: addresses are left as they are')
  })

  inLab('an orderly end: after shutdown nothing more is done or said', { needs }, async (t, lab) => {
    const { daemon } = await hosting(t, lab)
    t.equal(await daemon.run('shutdown'), 0)
    process.kill(daemon.pid, 'SIGTERM')
    t.equal(await daemon.ended, 0)
    t.notMatch(daemon.log(), 'last act')
  })

  inLab(
    'ctdbd goes by itself after shutdown: nothing is left, and that is no alarm',
    { needs },
    async (t, lab) => {
      const { ctdbd, daemon } = await hosting(t, lab)
      t.equal(await daemon.run('shutdown'), 0)
      ctdbd.kill('SIGKILL')
      t.equal(await daemon.ended, 3)
      t.match(daemon.log(), /is gone: last act: no public address was left here/)
    },
  )

  inLab(
    'told to end without shutdown, which is the end of ctdbd: the addresses go first',
    { needs },
    async (t, lab) => {
      const { ctdbd, daemon } = await hosting(t, lab)
      process.kill(daemon.pid, 'SIGTERM')
      t.equal(await daemon.ended, 0)
      t.strictSame(await held(lab), [])
      t.match(daemon.log(), `ctdbd (pid ${ctdbd.pid}) goes with us: last act: 2 addresses dropped`)
    },
  )

  inLab(
    'systemd tells us to end the moment ctdbd is dead, before we have seen that: the addresses go',
    { needs },
    async (t, lab) => {
      const { ctdbd, daemon } = await hosting(t, lab)
      const parent = new TrackedProcess(ctdbd.pid)
      process.kill(daemon.pid, 'SIGSTOP')
      ctdbd.kill('SIGKILL')
      // a KILL takes its time on a busy machine
      await waitFor('the end of ctdbd', () => parent.isGone())
      process.kill(daemon.pid, 'SIGTERM')
      process.kill(daemon.pid, 'SIGCONT')
      await daemon.ended
      t.strictSame(await held(lab), [])
      t.match(daemon.log(), `ctdbd (pid ${ctdbd.pid}) is gone: last act: 2 addresses dropped`)
    },
  )

  inLab('an address that cannot be removed is named, with the command', { needs }, async (t, lab) => {
    // from the beginning: the daemon keeps an ip of its own ready
    lab.standIn(
      'ip',
      'case "$*" in *-batch*) exit 1 ;; "addr del fd00::1/64 dev eth0") exit 2 ;; esac; exec $real "$@"',
    )
    const { ctdbd, daemon } = await hosting(t, lab)
    ctdbd.kill('SIGKILL')
    t.equal(await daemon.ended, 3)
    t.strictSame(await held(lab), ['eth0/64'])
    t.match(
      daemon.log(),
      'last act: fd00::1/64 is still on eth0: no other node can have it: "ip addr del fd00::1/64 dev eth0"',
    )
  })

  inLab(
    'a ctdbd that is started at the same moment has its addresses, and keeps them',
    { needs },
    async (t, lab) => {
      const { ctdbd, daemon } = await hosting(t, lab)
      process.kill(daemon.pid, 'SIGSTOP')
      ctdbd.kill('SIGKILL')
      const next = startCtdbd(lab)
      const starting = lab.daemon('', next.pid)
      await waitFor('the next daemon', () => /still letting go/.test(daemon.log()))
      t.strictSame(await held(lab), ['eth0/24', 'eth0/64'])
      process.kill(daemon.pid, 'SIGCONT')
      const second = await starting
      t.equal(await daemon.ended, 3)
      t.strictSame(await held(lab), [], 'it has waited for the last act')
      t.equal(await second.run('init'), 0)
      await takeAll(t, lab, second)
      const removed = second.log().match(/Removing public address/g) ?? []
      t.equal(removed.length, 2, 'nothing was dropped twice')
      t.match(second.log(), `pid ${daemon.pid} is still letting go of the addresses of the ctdbd before`)
      await second.kill('SIGTERM')
    },
  )

  inLab('cleanup does the same by hand, and says what it did', { needs }, async (t, lab) => {
    lab.configure('script.options', 'EVENTSCRIPT_DAD=fast\n')
    for (const words of WORDS) t.equal((await lab.script('takeip', ...words)).status, 0)
    await leaveBehind(lab)
    const dry = await lab.eventscript('cleanup', '--dry-run')
    t.equal(dry.status, 0)
    t.match(
      dry.out,
      /^ip addr del 10\.0\.0\.1\/24 dev eth0\n[^]*^ip6tables -w 3 -D INPUT -i eth0 -d fd00::1 -j DROP$/m,
    )
    t.strictSame(await held(lab), ['eth0/24', 'eth0/64'])
    const { status, out, err } = await lab.eventscript('cleanup')
    t.equal(status, 0, err)
    t.match(out, /^2 addresses dropped, 2 firewall rules removed, 1 sysctl put back$/m)
    t.strictSame(await held(lab), [])
    t.strictSame(await lab.node.dropRules(), [])
    t.equal(await sysctl(lab), '1')
    t.strictSame(
      await lab.eventscript('cleanup'),
      { status: 0, out: '', err: '' },
      'and again: nothing to say',
    )
    const json = JSON.parse((await lab.eventscript('cleanup', '--json')).out) as object
    t.match(json, { addresses: 0, rules: 0, sysctls: 0, good: true, left: [] })
  })

  inLab('cleanup leaves the addresses of a living ctdbd alone, unless forced', { needs }, async (t, lab) => {
    copyFileSync('/bin/sleep', join(lab.dir, 'bin/ctdbd'))
    const ctdbd = lab.node.start(join(lab.dir, 'bin/ctdbd'), '600')
    await lab.node.must(
      'sh',
      '-c',
      `mkdir -p /run/ctdb && chmod +x ${lab.dir}/bin/ctdbd && echo ${ctdbd.pid} >/run/ctdb/ctdbd.pid`,
    )
    await waitFor('ctdbd', async () =>
      (await lab.node.must('cat', `/proc/${ctdbd.pid}/cmdline`)).includes('ctdbd'),
    )
    for (const words of WORDS) t.equal((await lab.script('takeip', ...words)).status, 0)
    const refused = await lab.eventscript('cleanup')
    t.equal(refused.status, 1)
    t.strictSame(lines(refused), [
      `eventscript: ctdbd is alive (pid ${ctdbd.pid}, /run/ctdb/ctdbd.pid): expected it to be gone: stop it with "ctdb shutdown", or repeat with --force`,
    ])
    t.strictSame(await held(lab), ['eth0/24', 'eth0/64'])
    t.equal((await lab.eventscript('cleanup', '--force')).status, 0)
    t.strictSame(await held(lab), [])
    ctdbd.kill()
    await ctdbd
    t.strictSame(
      await lab.eventscript('cleanup'),
      { status: 0, out: '', err: '' },
      'its pid file alone is no ctdbd',
    )
  })

  inLab('cleanup: a ctdbd without a pid file is alive all the same', { needs }, async (t, lab) => {
    for (const words of WORDS) t.equal((await lab.script('takeip', ...words)).status, 0)
    const refusal = (sign: string) =>
      `eventscript: ctdbd is alive (${sign}): expected it to be gone: stop it with "ctdb shutdown", or repeat with --force`
    copyFileSync('/bin/sleep', join(lab.dir, 'bin/ctdbd'))
    await lab.node.must('chmod', '+x', join(lab.dir, 'bin/ctdbd'))
    const ctdbd = lab.node.start(join(lab.dir, 'bin/ctdbd'), '600')
    const stranger = lab.observer.start(join(lab.dir, 'bin/ctdbd'), '600')
    await waitFor(
      'both',
      async () =>
        (await lab.node.must('cat', `/proc/${ctdbd.pid}/comm`, `/proc/${stranger.pid}/comm`)) ===
        'ctdbd\nctdbd\n',
    )
    const refused = await lab.eventscript('cleanup')
    t.equal(refused.status, 1)
    t.strictSame(lines(refused), [refusal(`pid ${ctdbd.pid}, in this network namespace`)])
    ctdbd.kill()
    await ctdbd
    // nobody of that name in this network now, but its socket is served
    const { child: listener, text } = lab.node.listen(
      process.execPath,
      '-e',
      "fs.mkdirSync('/run/ctdb', { recursive: true }); net.createServer().listen('/run/ctdb/ctdbd.socket', () => console.log('up'))",
    )
    await waitFor('the listener', () => text().includes('up'))
    t.strictSame(lines(await lab.eventscript('cleanup')), [
      refusal('something listens on /run/ctdb/ctdbd.socket'),
    ])
    t.strictSame(await held(lab), ['eth0/24', 'eth0/64'])
    listener.kill('SIGKILL')
    await listener
    t.equal((await lab.eventscript('cleanup')).status, 0)
    t.strictSame(await held(lab), [], "the socket that was left is no life, nor is another network's ctdbd")
    stranger.kill()
    await stranger
  })

  inLab(
    'cleanup: what is left is an exit status and a command; failover that is disabled is left',
    { needs },
    async (t, lab) => {
      for (const words of WORDS) t.equal((await lab.script('takeip', ...words)).status, 0)
      lab.configure('ctdb.conf', '[failover]\n\tdisabled = yes\n')
      const left = await lab.eventscript('cleanup')
      t.equal(left.status, 0)
      t.match(left.out, /\[failover\] disabled = true: the public addresses are not CTDB's, and stay/)
      t.strictSame(await held(lab), ['eth0/24', 'eth0/64'])
      lab.configure('ctdb.conf', '')
      lab.standIn(
        'ip',
        'case "$*" in *-batch*) exit 1 ;; "addr del fd00::1/64 dev eth0") exit 2 ;; esac; exec $real "$@"',
      )
      const stuck = await lab.eventscript('cleanup')
      t.equal(stuck.status, 1)
      t.match(stuck.err, 'fd00::1/64 is still on eth0')
      t.strictSame(await held(lab), ['eth0/64'])
    },
  )
}
