import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from '../../tap.ts'
import { FAMILIES } from '../../lab/families.ts'
import { lines, warnings } from '../../lab/host/namespace.ts'
import type { Announcement } from '../../lab/host/wire.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import { programPath } from '../../lab/needs.ts'
import { SCRIPT } from '../../lab/paths.ts'
import { ALL_PROGRAMS } from '../../lab/stand-ins.ts'
import { waitFor } from '../../lab/wait-for.ts'

const nothing = await prepareFile()
if (!nothing) {
  for (const { family, ip, bits, otherBits, other, iptables, host } of FAMILIES) {
    const isV4 = family === 'IPv4'
    const announcer = isV4 ? 'arping' : 'ndptool'

    inLab(
      `${family}: takeip puts the address on its interface, usable at once, and says nothing`,
      {},
      async (t, lab) => {
        const result = await lab.script('takeip', 'eth0', ip, bits)
        t.strictSame(result, { status: 0, out: '', err: '' })
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
        const shown = await lab.node.must('ip', 'addr', 'show', 'dev', 'eth0')
        if (isV4) t.match(shown, 'inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0')
        await lab.node.serve(ip, 445)
        t.ok(await lab.observer.reaches(ip), 'the observer reaches it')
      },
    )

    inLab(`${family}: eventscript run takeip does the same and reports it`, {}, async (t, lab) => {
      const result = await lab.eventscript('run', 'takeip', 'eth0', ip, bits)
      t.equal(result.status, 0)
      t.match(result.out, /^10\.interface +OK /)
      t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
    })

    inLab(
      `${family}: the observer sees the address announced in three rounds`,
      { needs: [announcer, 'perl'] },
      async (t, lab) => {
        const wire = await lab.observer.watch('lan', ip)
        t.equal((await lab.script('takeip', 'eth0', ip, bits)).status, 0)
        await waitFor('the announcer', () => lab.announcers().length === 0)
        const mac = await lab.node.macOf('eth0')
        const seen = wire.seen()
        t.strictSame([...new Set(seen.map((each) => each.mac))], [mac], 'it names the MAC of eth0')
        if (isV4) {
          t.equal(seen.filter(({ form }) => form === 'ARP request').length, 3)
          t.equal(seen.filter(({ form }) => form === 'ARP reply').length, 3)
          t.ok(
            seen.every(({ to }) => to === 'ff:ff:ff:ff:ff:ff'),
            'to everybody',
          )
          return
        }
        t.equal(seen.length, 3)
        for (const each of seen)
          t.strictSame(each, {
            form: 'neighbour advertisement',
            mac,
            to: `ff02${'0'.repeat(27)}1`,
            override: true,
            solicited: false,
            hopLimit: 255,
          })
      },
    )

    inLab(
      `${family}: a client that knows the old node's MAC follows the address to the new one`,
      { needs: [announcer] },
      async (t, lab) => {
        const rival = await lab.plugIn('rival')
        await rival.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', 'eth0', ...(isV4 ? [] : ['nodad']))
        await waitFor('the rival to answer', () => lab.observer.reaches(ip))
        t.equal(await lab.observer.neighbour(ip), await rival.macOf('eth0'), 'first it is at the rival')
        await rival.must('ip', 'link', 'set', 'eth0', 'down')
        t.equal((await lab.script('takeip', 'eth0', ip, bits)).status, 0)
        const mac = await lab.node.macOf('eth0')
        await waitFor('the neighbour entry', async () => (await lab.observer.neighbour(ip)) === mac)
        t.equal(await lab.observer.neighbour(ip), mac, 'then it is at the node')
      },
    )

    inLab(
      `${family}: an address that has left is not announced in later rounds`,
      { needs: [announcer, 'perl'] },
      async (t, lab) => {
        const wire = await lab.observer.watch('lan', ip)
        t.equal((await lab.script('takeip', 'eth0', ip, bits)).status, 0)
        await waitFor('the first announcement', () => wire.seen().length > 0)
        await lab.node.must('ip', 'addr', 'del', `${ip}/${bits}`, 'dev', 'eth0')
        await waitFor('the announcer', () => lab.announcers().length === 0)
        t.ok(wire.seen().length < (isV4 ? 6 : 3), `${wire.seen().length} seen`)
      },
    )

    inLab(`${family}: EVENTSCRIPT_ANNOUNCE=no keeps it silent`, { needs: ['perl'] }, async (t, lab) => {
      lab.configure('script.options', 'EVENTSCRIPT_ANNOUNCE=no\n')
      const wire = await lab.observer.watch('lan', ip)
      t.strictSame(lines(await lab.script('takeip', 'eth0', ip, bits)), [])
      t.strictSame(lab.announcers(), [])
      t.ok(await lab.observer.reaches(ip), 'the observer reaches it')
      t.strictSame(
        wire.seen().filter(({ solicited }) => !solicited),
        [],
      )
    })

    inLab(
      `${family}: without a program that announces, takeip says which package is missing and succeeds`,
      { needs: ['perl'] },
      async (t, lab) => {
        const wire = await lab.observer.watch('lan', ip)
        const programs = ALL_PROGRAMS.filter((name) => name !== 'arping' && name !== 'ndptool')
        const result = await lab.scriptWithOnly(programs, 'takeip', 'eth0', ip, bits)
        t.equal(result.status, 0)
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
        t.equal(lines(result).length, 1)
        if (isV4) {
          t.match(result.out, /^WARNING: arping not found: 10\.0\.0\.1 .* install iputils-arping\n$/)
          return
        }
        t.match(result.out, /^WARNING: neither ndsend nor ndptool found: fd00::1 .* install libndp-tools\n$/)
        await waitFor("the kernel's own advertisement", () => wire.seen().length > 0)
        const mac = await lab.node.macOf('eth0')
        t.match(wire.seen()[0], {
          mac,
          to: `ff02${'0'.repeat(27)}1`,
          override: true,
        } satisfies Partial<Announcement>)
      },
    )

    inLab(`${family}: an address that is there already is fine`, {}, async (t, lab) => {
      await lab.node.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', 'eth0')
      t.strictSame(await lab.script('takeip', 'eth0', ip, bits), { status: 0, out: '', err: '' })
      t.strictSame(await lab.script('takeip', 'eth0', ip, bits), { status: 0, out: '', err: '' })
      t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
    })

    inLab(
      `${family}: the interface may be called by its altname, or as brief ip writes it`,
      {},
      async (t, lab) => {
        await lab.node.must('ip', 'link', 'property', 'add', 'dev', 'eth1', 'altname', 'enp0s31f6')
        t.strictSame(lines(await lab.script('takeip', 'enp0s31f6', ip, bits)), [])
        t.strictSame(lines(await lab.script('takeip', 'eth0@if5', other, bits)), [])
        t.strictSame(await lab.node.places(ip), [`eth1/${bits}`])
        t.strictSame(await lab.node.places(other), [`eth0/${bits}`])
      },
    )

    const misplaced = [
      {
        what: 'another prefix',
        at: `eth0/${otherBits}`,
        says: `has ${otherBits} bit netmask but VNN says ${bits}`,
      },
      { what: 'another interface', at: `eth1/${bits}`, says: 'hosted on interface eth1 but VNN says eth0' },
      {
        what: 'another interface with another prefix',
        at: `eth1/${otherBits}`,
        says: `hosted on interface eth1 but VNN says eth0, and has ${otherBits} bit netmask but VNN says ${bits}`,
      },
    ]
    for (const { what, at, says } of misplaced)
      inLab(`${family}: an address on ${what} is put right, with one WARNING`, {}, async (t, lab) => {
        const [iface = '', wrong = ''] = at.split('/')
        await lab.node.must('ip', 'addr', 'add', `${ip}/${wrong}`, 'dev', iface)
        const result = await lab.script('takeip', 'eth0', ip, bits)
        t.equal(result.status, 0)
        t.strictSame(lines(result), [`WARNING: Public IP ${ip} ${says}: putting it on eth0/${bits}`])
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
        t.strictSame(await lab.node.dropRules(), [])
      })

    inLab(
      `${family}: an address that is right and also on another interface keeps only the right one`,
      {},
      async (t, lab) => {
        for (const iface of ['eth0', 'eth1'])
          await lab.node.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', iface, ...(isV4 ? [] : ['nodad']))
        const result = await lab.script('takeip', 'eth0', ip, bits)
        t.equal(result.status, 0)
        t.equal(warnings(result).length, 1)
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
      },
    )

    inLab(`${family}: an interface that is down is brought up`, {}, async (t, lab) => {
      await lab.node.must('ip', 'link', 'set', 'eth0', 'down')
      t.strictSame(lines(await lab.script('takeip', 'eth0', ip, bits)), [])
      t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
      t.ok(await lab.observer.reaches(ip), 'the observer reaches it')
    })

    inLab(`${family}: an interface that is not there is refused, and nothing changes`, {}, async (t, lab) => {
      await lab.node.calm()
      const before = await lab.node.state()
      const result = await lab.script('takeip', 'eth7', ip, bits)
      t.equal(result.status, 1)
      t.strictSame(lines(result), [
        'Failed to bringup interface eth7: there is no such interface, only lo, eth0, eth1: mend public_addresses',
      ])
      t.equal(await lab.node.state(), before)
    })

    inLab(
      `${family}: the firewall rule that a killed releaseip has left is removed, and no other`,
      { needs: [iptables] },
      async (t, lab) => {
        const rule = (address: string) => ['INPUT', '-i', 'eth0', '-d', address, '-j', 'DROP']
        for (const address of [ip, ip, other]) await lab.node.must(iptables, '-A', ...rule(address))
        t.strictSame(lines(await lab.script('takeip', 'eth0', ip, bits)), [])
        const left = await lab.node.dropRules()
        t.equal(left.length, 1, 'both copies are gone')
        t.match(left[0], host.replace(ip, other))
      },
    )
  }

  inLab(
    'IPv6: when takeip returns, the duplicate check of the kernel has ended and a bind works',
    { slowDad: true },
    async (t, lab) => {
      const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
      t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'], 'not tentative')
      t.strictSame(result, { status: 0, out: '', err: '' })
      await lab.node.serve('fd00::1', 445)
    },
  )

  inLab('IPv6: an interface without link gives the address back and says why', {}, async (t, lab) => {
    // the kernel counts an interface that once had a link as ready
    await lab.node.must('ip', 'link', 'set', 'eth0', 'down')
    await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'down')
    const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
    t.equal(result.status, 1)
    t.match(lines(result), [
      /^Failed to add fd00::1\/64 on dev eth0: duplicate address detection did not end .*link/,
    ])
    t.strictSame(await lab.node.places('fd00::1'), [])
  })

  inLab(
    'IPv6: an interface where IPv6 is switched off is refused with the sysctl that does it',
    {},
    async (t, lab) => {
      await lab.node.writeSysctl('net/ipv6/conf/eth0/disable_ipv6', 1)
      const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
      t.equal(result.status, 1)
      t.match(lines(result), [/^Failed to add fd00::1\/64 on dev eth0: .*disable_ipv6/])
      t.strictSame(await lab.node.places('fd00::1'), [])
    },
  )

  for (const slowDad of [false, true])
    inLab(
      `IPv6: an address that another host has is given up, with ${slowDad ? "the kernel's own" : 'short'} times`,
      { slowDad },
      async (t, lab) => {
        await lab.rival('fd00::1')
        await lab.node.calm()
        const before = await lab.node.state()
        const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
        t.equal(result.status, 1)
        t.match(lines(result), [
          /^Failed to add fd00::1\/64 on dev eth0: another host has this address \(dadfailed\)/,
        ])
        t.strictSame(await lab.node.places('fd00::1'), [])
        t.equal(await lab.node.state(), before)
        t.strictSame(lab.announcers(), [], 'and is not announced')
      },
    )

  inLab(
    'IPv6: an address that sits there after a lost duplicate check is tried again',
    {},
    async (t, lab) => {
      const rival = await lab.rival('fd00::1')
      await lab.node.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth0')
      await waitFor(
        'the check to fail',
        async () => (await lab.node.places('fd00::1'))[0] === 'eth0/64 dadfailed',
      )

      const again = await lab.script('takeip', 'eth0', 'fd00::1', '64')
      t.equal(again.status, 1, 'the other host still has it')
      t.equal(warnings(again).length, 1)
      t.match(again.out, 'had failed duplicate address detection: trying again')
      t.strictSame(await lab.node.places('fd00::1'), [])

      await lab.node.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth0')
      await waitFor(
        'the check to fail',
        async () => (await lab.node.places('fd00::1'))[0] === 'eth0/64 dadfailed',
      )
      await rival.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'eth0')
      t.equal(
        (await lab.script('takeip', 'eth0', 'fd00::1', '64')).status,
        0,
        'the other host has given it up',
      )
      t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'])
    },
  )

  inLab(
    'IPv6: optimistic and switched off duplicate checks do not keep takeip waiting',
    {},
    async (t, lab) => {
      await lab.node.writeSysctl('net/ipv6/conf/eth0/accept_dad', 0)
      t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 0)
      await lab.node.writeSysctl('net/ipv6/conf/eth1/dad_transmits', 0)
      t.equal((await lab.script('takeip', 'eth1', 'fd00::2', '64')).status, 0)
      t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'])
      t.strictSame(await lab.node.places('fd00::2'), ['eth1/64'])
    },
  )

  inLab('any spelling of an IPv6 address means the same address', {}, async (t, lab) => {
    t.equal((await lab.script('takeip', 'eth0', 'FD00:0:0::0001', '64')).status, 0)
    t.strictSame(await lab.script('takeip', 'eth0', '[fd00::1]', '64'), { status: 0, out: '', err: '' })
    t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'])
  })

  inLab('without a file of public addresses takeip says so and does nothing', {}, async (t, lab) => {
    await lab.node.must('rm', join(lab.dir, 'etc/public_addresses'))
    const result = await lab.script('takeip', 'eth0', '10.0.0.1', '24')
    t.equal(result.status, 0)
    t.match(lines(result), [/^No public addresses file found/])
    t.strictSame(await lab.node.places('10.0.0.1'), [])
  })

  const habets = habetsArping()
  inLab(
    "IPv4: the other arping, Thomas Habets', sends both forms in three rounds as well",
    { needs: ['perl'], ...(habets.skip ? { skip: habets.skip } : {}) },
    async (t, lab) => {
      symlinkSync(habets.path ?? '', join(lab.dir, 'bin/arping'))
      const wire = await lab.observer.watch('lan', '10.0.0.1')
      t.strictSame(lines(await lab.script('takeip', 'eth0', '10.0.0.1', '24')), [])
      await waitFor('the announcer', () => lab.announcers().length === 0)
      const seen = wire.seen()
      t.strictSame([...new Set(seen.map(({ mac }) => mac))], [await lab.node.macOf('eth0')])
      t.equal(seen.filter(({ form }) => form === 'ARP request').length, 3)
      t.equal(seen.filter(({ form }) => form === 'ARP reply').length, 3)
    },
  )

  inLab('the script is one file that works by a link from another folder', {}, async (t, lab) => {
    const link = join(lab.dir, 'etc/10.interface.script')
    symlinkSync(SCRIPT, link)
    lab.configure('10.interface.options', 'EVENTSCRIPT_ANNOUNCE=no\n')
    t.strictSame(await lab.node.run(link, 'takeip', 'eth0', '10.0.0.1', '24'), {
      status: 0,
      out: '',
      err: '',
    })
    t.strictSame(lab.announcers(), [], 'options beside the link are read')
  })

  inLab(
    'a copy of the script alone does all of its work, and needs no node in PATH for it',
    { needs: ['arping', 'perl'] },
    async (t, lab) => {
      const copy = join(lab.dir, 'etc/10.interface.script')
      copyFileSync(SCRIPT, copy)
      const wire = await lab.observer.watch('lan', '10.0.0.1')
      const path = `PATH=${lab.folderWith(['ip', 'arping', 'flock'])}`
      const result = await lab.node.run(
        '/usr/bin/env',
        path,
        process.execPath,
        copy,
        'takeip',
        'eth0',
        '10.0.0.1',
        '24',
      )
      t.strictSame(result, { status: 0, out: '', err: '' })
      t.strictSame(await lab.node.places('10.0.0.1'), ['eth0/24'])
      await waitFor('both forms', () => new Set(wire.seen().map(({ form }) => form)).size === 2)
    },
  )
}

/** A host on the same wire that has this address and answers for it. */
/** Debian's package `arping`, unpacked where nobody else finds it: it and iputils-arping exclude each other. */
function habetsArping(): { path?: string; skip?: string } {
  if (!programPath('apt-get') || !programPath('dpkg')) return { skip: 'apt-get not found: needs Debian' }
  const folder = mkdtempSync(join(tmpdir(), 'eventscript-arping-'))
  chmodSync(folder, 0o755)
  t.teardown(() => execFileSync('rm', ['-rf', folder]))
  try {
    const options = { cwd: folder, stdio: 'pipe', timeout: 60_000 } as const
    execFileSync('apt-get', ['download', 'arping'], options)
    execFileSync('sh', ['-c', 'dpkg -x arping_*.deb .'], options)
    const path = join(folder, 'usr/sbin/arping')
    if (execFileSync('ldd', [path], options).includes('not found'))
      return { skip: 'a library of arping is missing' }
    return { path }
  } catch (error) {
    return { skip: `cannot get the package arping: ${String(error).split('\n')[0]}` }
  }
}
