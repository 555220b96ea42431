import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAMILIES } from '../../lab/families.ts'
import { lines, warnings } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

const add = (lab: Lab, ip: string, iface: string) =>
  lab.node.must('ip', 'addr', 'add', ip, 'dev', iface, ...(ip.includes(':') ? ['nodad'] : []))
const onlyLinkState = (lab: Lab) => lab.ctdbCalls().filter((call) => call.startsWith('setifacelink'))
const TICKLES = '|Source IP|Port|Destiation IP|Port|\n'

if (!(await prepareFile())) {
  // -------------------------------------------------------------- init, shutdown

  for (const event of ['init', 'shutdown']) {
    inLab(`${event} drops every listed address, wherever it is, and no other`, {}, async (t, lab) => {
      await add(lab, '10.0.0.1/25', 'eth1')
      await add(lab, '10.0.0.1/32', 'lo')
      await add(lab, 'fd00::1/80', 'eth0')
      await add(lab, 'fd00::1/128', 'lo')
      await add(lab, '10.0.0.9/24', 'eth0')
      await add(lab, 'fd00::9/64', 'eth1')
      const rule = ['INPUT', '-i', 'eth0', '-d', '10.0.0.1', '-j', 'DROP']
      await lab.node.must('iptables', '-A', ...rule)
      writeFileSync(join(lab.dir, 'var/my-public-ip-addresses'), '10.0.0.1\nfd00::1\n')

      const result = await lab.script(event)
      t.equal(result.status, 0)
      t.strictSame(lines(result).toSorted(), [
        'Removing public address 10.0.0.1/25 from device eth1',
        'Removing public address 10.0.0.1/32 from device lo',
        'Removing public address fd00::1/128 from device lo',
        'Removing public address fd00::1/80 from device eth0',
      ])
      t.strictSame([await lab.node.places('10.0.0.1'), await lab.node.places('fd00::1')], [[], []])
      t.strictSame(await lab.node.places('10.0.0.9'), ['eth0/24'], 'unlisted: stays')
      t.strictSame(await lab.node.places('fd00::9'), ['eth1/64'], 'unlisted: stays')
      t.strictSame(await lab.node.dropRules(), [])
      t.strictSame(lab.hosted(), [])
      t.strictSame(await lab.script(event), { status: 0, out: '', err: '' }, 'a second call is fine')
    })

    inLab(`${event} asks the daemon nothing: at that time it does not answer`, {}, async (t, lab) => {
      await add(lab, '10.0.0.1/24', 'eth0')
      t.equal((await lab.script(event)).status, 0)
      t.strictSame(lab.ctdbCalls(), [])
    })
  }

  inLab(
    'init with a bad line in public_addresses drops what a crash has left, names the line and fails',
    {},
    async (t, lab) => {
      lab.configure('public_addresses', '10.0.0.1/24 eth0\n\nfd00::1/640 eth0\n')
      await add(lab, '10.0.0.1/24', 'eth0')
      const result = await lab.script('init')
      t.equal(result.status, 1)
      t.match(lines(result), [
        'Removing public address 10.0.0.1/24 from device eth0',
        /public_addresses line 3: "fd00::1\/640 eth0": "640" is no netmask: expected 1 to 128/,
      ])
      t.same(await lab.node.places('10.0.0.1'), [])
    },
  )

  inLab(
    'shutdown with a bad line drops the other addresses, names the line and fails',
    {},
    async (t, lab) => {
      lab.configure('public_addresses', '10.0.0.1/24 eth0\n10.0.0.2 eth0\nfd00::1/64 eth0\n')
      await add(lab, '10.0.0.1/24', 'eth0')
      await add(lab, 'fd00::1/64', 'eth1')
      const result = await lab.script('shutdown')
      t.equal(result.status, 1)
      t.match(result.err, /public_addresses line 2: "10\.0\.0\.2 eth0": no netmask/)
      t.strictSame([await lab.node.places('10.0.0.1'), await lab.node.places('fd00::1')], [[], []])
    },
  )

  inLab(
    'without a file of public addresses a node has nothing to do, and init says so',
    {},
    async (t, lab) => {
      await lab.node.must('rm', join(lab.dir, 'etc/public_addresses'))
      t.strictSame(await lab.script('init'), { status: 0, out: 'No public addresses file found\n', err: '' })
      for (const event of ['startup', 'monitor', 'ipreallocated', 'shutdown', 'setup', 'recovered'])
        t.strictSame(await lab.script(event), { status: 0, out: '', err: '' }, event)
    },
  )

  // -------------------------------------------------------------- monitor

  inLab('monitor tells the daemon that the links are up, and nobody else anything', {}, async (t, lab) => {
    t.strictSame(await lab.script('monitor'), { status: 0, out: '', err: '' })
    t.strictSame(onlyLinkState(lab), ['setifacelink eth0 up', 'setifacelink eth1 up'])
  })

  inLab(
    'monitor fails when an interface has lost its link, after looking at every other',
    {},
    async (t, lab) => {
      lab.configure('public_addresses', '10.0.0.1/24 eth0,eth1,eth7\n')
      await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'down')
      await waitFor('the loss of the carrier', async () =>
        (await lab.node.must('ip', 'link', 'show', 'eth0')).includes('NO-CARRIER'),
      )
      const result = await lab.script('monitor')
      t.equal(result.status, 1)
      t.strictSame(lines(result), [
        'ERROR: No link on the public network interface eth0',
        'ERROR: Monitored interface eth7 does not exist',
      ])
      t.strictSame(onlyLinkState(lab), [
        'setifacelink eth0 down',
        'setifacelink eth1 up',
        'setifacelink eth7 down',
      ])
      const startup = await lab.script('startup')
      t.equal(startup.status, 0, 'startup says the same and goes on')
      t.strictSame(lines(startup), lines(result))
    },
  )

  inLab('monitor switches an interface on that is off', {}, async (t, lab) => {
    await lab.node.must('ip', 'link', 'set', 'eth1', 'down')
    await lab.script('monitor')
    await waitFor('the link', async () => (await lab.script('monitor')).status === 0)
    t.match(await lab.node.must('ip', 'link', 'show', 'eth1'), /[<,]UP[,>]/)
    t.ok(onlyLinkState(lab).includes('setifacelink eth1 up'))
  })

  inLab(
    'a node that may be partially online is healthy while one of its interfaces is',
    {},
    async (t, lab) => {
      await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'down')
      await waitFor('the loss of the carrier', async () =>
        (await lab.node.must('ip', 'link', 'show', 'eth0')).includes('NO-CARRIER'),
      )
      t.equal((await lab.script('monitor')).status, 1, 'unhealthy without the option')
      lab.configure('script.options', '. "$CTDB_BASE/more"\n')
      lab.configure('more', 'CTDB_PARTIALLY_ONLINE_INTERFACES="yes" # as shell reads it\n')
      const result = await lab.script('monitor')
      t.equal(result.status, 0)
      t.strictSame(lines(result), ['ERROR: No link on the public network interface eth0'])
      const states = ['setifacelink eth0 down', 'setifacelink eth1 up']
      t.strictSame(onlyLinkState(lab), [...states, ...states], 'each of the two monitor events')
      await lab.observer.must('ip', 'link', 'set', 'port-eth1', 'down')
      await waitFor('the loss of the carrier', async () =>
        (await lab.node.must('ip', 'link', 'show', 'eth1')).includes('NO-CARRIER'),
      )
      t.equal((await lab.script('monitor')).status, 1, 'unhealthy without any link')
    },
  )

  inLab(
    'an option that cannot be is a WARNING, and options that are no shell fail the event',
    {},
    async (t, lab) => {
      lab.configure('script.options', 'CTDB_PARTIALLY_ONLINE_INTERFACES=maybe\n')
      const odd = await lab.script('monitor')
      t.equal(odd.status, 0)
      t.match(lines(odd), [/^WARNING: CTDB_PARTIALLY_ONLINE_INTERFACES="maybe": expected no, yes: using no/])
      lab.configure('script.options', 'if then\n')
      const broken = await lab.script('monitor')
      t.equal(broken.status, 1)
      t.match(broken.err, /script\.options: the shell cannot read it: .*[Ss]yntax error/)
    },
  )

  inLab('a daemon that does not answer costs a WARNING, not the health of the node', {}, async (t, lab) => {
    lab.ctdbSays('ifaces.fails', 'connect() failed, errno=2\n')
    const result = await lab.script('monitor')
    t.equal(result.status, 0)
    t.match(lines(result), [/^WARNING: the daemon's interfaces are not known/])
  })

  for (const { family, ip, bits, observer } of FAMILIES)
    for (const dualStack of family === 'IPv4' ? [false, true] : [false])
      inLab(
        `${family}: monitor tells the daemon who is connected, and who no longer${dualStack ? ' (dual-stack server)' : ''}`,
        { needs: ['ss'] },
        async (t, lab) => {
          await lab.script('takeip', 'eth0', ip, bits)
          const text = (address: string, port: number | string) =>
            address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
          lab.ctdbSays(`gettickles ${ip}`, `${TICKLES}|${observer}|9|${ip}|445|\n`)
          await lab.node.serve(dualStack ? '::' : ip, 445)
          await lab.observer.connect(ip, 445)
          t.equal((await lab.script('monitor')).status, 0)
          const calls = lab.ctdbCalls()
          const added = calls[calls.indexOf('addtickle') + 1] ?? ''
          t.ok(calls.includes('addtickle'))
          t.ok(added.startsWith(text(observer, '')), added)
          t.ok(added.endsWith(` ${text(ip, 445)}`), added)
          t.equal(calls[calls.indexOf('deltickle') + 1], `${text(observer, 9)} ${text(ip, 445)}`)

          const port = /:(\d+) /.exec(added.replace(observer, ''))?.[1]
          lab.ctdbSays(`gettickles ${ip}`, `${TICKLES}|${observer}|${port}|${ip}|445|\n`)
          const so = lab.ctdbCalls().length
          t.equal((await lab.script('monitor')).status, 0)
          t.notMatch(lab.ctdbCalls().slice(so).join('\n'), /(add|del)tickle/, 'no change, nothing said')
          await lab.script('updateip', 'eth0', 'eth1', ip, bits)
          const then = lab.ctdbCalls().length
          t.equal((await lab.script('monitor')).status, 0)
          t.notMatch(
            lab.ctdbCalls().slice(then).join('\n'),
            /(add|del)tickle/,
            'nor after a move: it is known',
          )
        },
      )

  // -------------------------------------------------------------- the list of hosted addresses

  inLab(
    'the list of hosted addresses follows what is taken and released, without duplicates',
    {},
    async (t, lab) => {
      for (const [ip, bits] of [
        ['10.0.0.1', '24'],
        ['fd00::1', '64'],
        ['10.0.0.1', '24'],
      ] as const)
        t.equal((await lab.script('takeip', 'eth0', ip, bits)).status, 0)
      t.strictSame(lab.hosted(), ['10.0.0.1', 'fd00::1'])
      t.equal((await lab.script('updateip', 'eth0', 'eth1', '10.0.0.1', '24')).status, 0)
      t.strictSame(lab.hosted(), ['10.0.0.1', 'fd00::1'])
      t.equal((await lab.script('releaseip', 'eth1', '10.0.0.1', '24')).status, 0)
      t.strictSame(lab.hosted(), ['fd00::1'])
      t.equal((await lab.script('takeip', 'eth7', '10.0.0.1', '24')).status, 1)
      t.strictSame(lab.hosted(), ['fd00::1'], 'an address that could not be taken is not on it')
    },
  )

  inLab('an IPv6 address that another host has never gets on the list', {}, async (t, lab) => {
    await lab.observer.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'lan', 'nodad')
    t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 1)
    t.strictSame(lab.hosted() ?? [], [])
  })

  inLab('ipreallocated writes the list afresh from what the daemon says', {}, async (t, lab) => {
    writeFileSync(join(lab.dir, 'var/my-public-ip-addresses'), '10.0.0.7\n10.0.0.7\n')
    lab.ctdbSays('ip', '|Public IP|Node|\n|10.0.0.1|0|\n|10.0.0.2|1|\n|10.0.0.3|-1|\n|fd00::1|0|\n')
    t.strictSame(await lab.script('ipreallocated'), { status: 0, out: '', err: '' })
    t.strictSame(lab.hosted(), ['10.0.0.1', 'fd00::1'])
    lab.ctdbSays('ip', 'what is this\n')
    const odd = await lab.script('ipreallocated')
    t.equal(odd.status, 0)
    t.match(lines(odd), [
      /^WARNING: the list of addresses hosted here is not renewed: ctdb printed "what is this"/,
    ])
    t.strictSame(lab.hosted(), ['10.0.0.1', 'fd00::1'], 'the old list is kept')
  })

  inLab('without ctdb in PATH ipreallocated says what to install', {}, async (t, lab) => {
    delete lab.env['CTDB']
    const result = await lab.scriptWithOnly(['ip', 'flock'], 'ipreallocated')
    t.match(lines(result), [/ctdb: not found in PATH: install ctdb/])
  })

  for (const lock of ['my-public-ip-addresses.lock', 'iptables.flock'])
    inLab(
      `while another process holds ${lock}, releaseip waits for it`,
      { needs: ['flock', 'iptables'] },
      async (t, lab) => {
        await add(lab, '10.0.0.1/24', 'eth0')
        const file = join(lab.dir, 'var', lock)
        const holder = lab.node.start('flock', '-o', file, 'sleep', '600')
        await waitFor('the lock', () => lab.processes().some(({ command }) => command.startsWith('sleep')))
        const release = lab.script('releaseip', 'eth0', '10.0.0.1', '24')
        await waitFor('our wait', () => lab.processes().some(({ command }) => command.startsWith('flock -w')))
        for (const { pid, command } of lab.processes()) if (command.startsWith('sleep')) process.kill(pid)
        await holder
        t.strictSame(await release, { status: 0, out: '', err: '' })
        t.strictSame(await lab.node.places('10.0.0.1'), [])
      },
    )

  inLab(
    'locks that are never released cost a WARNING each, and the event goes on',
    { needs: ['flock', 'iptables'] },
    async (t, lab) => {
      await add(lab, '10.0.0.1/24', 'eth0')
      for (const lock of ['my-public-ip-addresses.lock', 'iptables.flock'])
        void lab.node.start('flock', '-o', join(lab.dir, 'var', lock), 'sleep', '600')
      await waitFor(
        'the locks',
        () => lab.processes().filter(({ command }) => command.startsWith('sleep')).length === 2,
      )
      const result = await lab.script('releaseip', 'eth0', '10.0.0.1', '24')
      t.equal(result.status, 0)
      t.match(warnings(result), [
        /^WARNING: cannot lock .*iptables\.flock: another process has held it for 3 s/,
        /^WARNING: ctdb_get_my_public_ip_addresses: timeout: /,
      ])
      t.strictSame(await lab.node.places('10.0.0.1'), [])
      t.strictSame(await lab.node.dropRules(), [])
    },
  )

  for (const folder of ['var', 'var/scripts'])
    inLab(
      `a state folder ${folder} that cannot be written costs WARNINGs, not the address`,
      {},
      async (t, lab) => {
        lab.env['CTDB_SCRIPT_VARDIR'] = join(lab.dir, folder)
        await lab.node.must('mount', '-t', 'tmpfs', '-o', 'ro', 'tmpfs', join(lab.dir, 'var'))
        lab.ctdbSays('ip', '|Public IP|Node|\n|10.0.0.1|0|\n')
        for (const [event, ...words] of [
          ['init'],
          ['takeip', 'eth0', '10.0.0.1', '24'],
          ['updateip', 'eth0', 'eth1', '10.0.0.1', '24'],
          ['ipreallocated'],
          ['monitor'],
          ['releaseip', 'eth1', '10.0.0.1', '24'],
          ['shutdown'],
        ] as [string, ...string[]][]) {
          const result = await lab.script(event, ...words)
          t.equal(result.status, 0, event)
          t.equal(warnings(result).length, lines(result).length, event)
          if (event === 'updateip') t.strictSame(await lab.node.places('10.0.0.1'), ['eth1/24'])
        }
        t.strictSame(await lab.node.places('10.0.0.1'), [])
        t.strictSame(await lab.node.dropRules(), [])
      },
    )

  inLab(
    'files of ours that cannot be read cost WARNINGs, not the address nor the health',
    {},
    async (t, lab) => {
      for (const folder of ['my-public-ip-addresses', 'tickles/reported'])
        await lab.node.must('mkdir', '-p', join(lab.dir, 'var', folder))
      for (const event of ['takeip eth0 10.0.0.1 24', 'monitor', 'releaseip eth0 10.0.0.1 24']) {
        const result = await lab.script(...event.split(' '))
        t.equal(result.status, 0, event)
        t.equal(warnings(result).length, lines(result).length, event)
      }
      t.strictSame(await lab.node.places('10.0.0.1'), [])
    },
  )
}
