/** EVENTSCRIPT_DAD on the real kernel, whose own times are left as they are. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Result, lines, warnings } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

const CONF = 'net/ipv6/conf/eth0'
const NEIGH = 'net/ipv6/neigh/eth0'
const TIMERS = [
  `${CONF}/router_solicitation_delay`,
  `${CONF}/dad_transmits`,
  `${NEIGH}/retrans_time_ms`,
  `${CONF}/optimistic_dad`,
]
const KERNELS = '1 1 1000 0'
const FAST = '0 3 100 0'

/** The four sysctls in that order. */
async function timers({ node }: Lab): Promise<string> {
  const all = await node.must('cat', ...TIMERS.map((name) => `/proc/sys/${name}`))
  return all.trim().replaceAll('\n', ' ')
}

/** As in script.options. */
function policy(lab: Lab, value: string, more = ''): void {
  lab.configure('script.options', `EVENTSCRIPT_DAD="${value}"\n${more}`)
}

/** The system's log, as `logger` is told it. */
function logged(lab: Lab): () => string {
  const file = join(lab.dir, 'log')
  writeFileSync(file, '')
  lab.standIn('logger', `echo "$*" >>'${file}'`)
  return () => readFileSync(file, 'utf8')
}

interface Stuck {
  ended: Promise<Result>
  /** Let it go on. */
  free: () => void
  /** KILL it and all that it has started, as ctdb-eventd does at the end of its time. */
  kill: () => Promise<void>
}

/** A takeip that has lowered the times, and hangs in "ip addr add". */
async function stuckTakeip(lab: Lab, ip: string): Promise<Stuck> {
  lab.standIn('ip', `case "$*" in "addr add ${ip}/"*) sleep 60 ;; esac; exec $real "$@"`)
  const ended = lab.script('takeip', 'eth0', ip, '64')
  const kill = (of: RegExp) => {
    for (const { pid, command } of lab.processes()) if (of.test(command)) process.kill(pid, 'SIGKILL')
  }
  const sleeper = /^sleep 60/
  await waitFor('ip to hang', () => lab.processes().some(({ command }) => sleeper.test(command)))
  lab.noStandIn('ip')
  return {
    ended,
    free: () => kill(sleeper),
    async kill() {
      kill(/10\.interface\.script|bin\/ip addr add/)
      kill(sleeper)
      await ended
    },
  }
}

const nothing = await prepareFile()
if (!nothing) {
  const own = { slowDad: true }

  for (const word of ['default', 'fast', 'optimistic', 'off'])
    inLab(
      `${word}: when takeip returns, the address can be bound and the kernel's times are as before`,
      own,
      async (t, lab) => {
        policy(lab, word)
        t.equal(await timers(lab), KERNELS)
        t.strictSame(await lab.script('takeip', 'eth0', 'fd00::1', '64'), { status: 0, out: '', err: '' })
        t.equal(await timers(lab), KERNELS)
        if (word !== 'optimistic') t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'])
        await lab.node.serve('fd00::1', 445)
      },
    )

  inLab(
    'optimistic: takeip returns, and the address can be bound, long before its check ends',
    own,
    async (t, lab) => {
      policy(lab, 'optimistic')
      await lab.node.writeSysctl(`${CONF}/dad_transmits`, 10)
      t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 0)
      await lab.node.serve('fd00::1', 445)
      t.strictSame(await lab.node.places('fd00::1'), ['eth0/64 tentative'])
      t.ok(await lab.observer.reaches('fd00::1'), 'and others reach it')
    },
  )

  for (const word of ['default', 'fast', 'optimistic', 'off'])
    inLab(`${word}: updateip moves an address the same way`, own, async (t, lab) => {
      policy(lab, word)
      await lab.node.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth1', 'nodad')
      t.strictSame(await lab.script('updateip', 'eth1', 'eth0', 'fd00::1', '64'), {
        status: 0,
        out: '',
        err: '',
      })
      t.equal(await timers(lab), KERNELS)
      if (word !== 'optimistic') t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'])
      await lab.node.serve('fd00::1', 445)
    })

  for (const word of ['default', 'fast'])
    for (const event of ['takeip eth0', 'updateip eth1 eth0'])
      inLab(`${word}: ${event} refuses an address that another host has`, own, async (t, lab) => {
        policy(lab, word)
        if (event.startsWith('updateip'))
          await lab.node.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth1', 'nodad')
        await lab.observer.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'lan', 'nodad')
        const result = await lab.script(...event.split(' '), 'fd00::1', '64')
        t.equal(result.status, 1)
        t.match(lines(result), [
          /^Failed to add fd00::1\/64 on dev eth0: another host has this address \(dadfailed\)/,
        ])
        t.strictSame(await lab.node.places('fd00::1'), [])
        t.equal(await timers(lab), KERNELS)
      })

  inLab(
    'optimistic: an address that another host has is refused, or soon given up, and never announced',
    { ...own, needs: ['perl'] },
    async (t, lab) => {
      policy(lab, 'optimistic')
      const log = logged(lab)
      await lab.rival('fd00::1')
      const wire = await lab.observer.watch('lan', 'fd00::1')
      const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
      await waitFor('it to go', async () => (await lab.node.places('fd00::1')).length === 0)
      await waitFor('the announcer', () => lab.announcers().length === 0)
      // whether the answer of the rival or the look of the event is first is a matter of microseconds
      t.match(result.status === 0 ? log() : result.err, /another host has this address \(dadfailed\)/)
      const mac = await lab.node.macOf('eth0')
      t.strictSame(
        wire.seen().filter((each) => each.mac === mac),
        [],
      )
      t.equal(await timers(lab), KERNELS)
    },
  )

  for (const silent of [false, true])
    inLab(
      `optimistic: a conflict after the event is noticed${silent ? ', with EVENTSCRIPT_ANNOUNCE=no too' : ''}: the address goes, and the system log says why`,
      own,
      async (t, lab) => {
        policy(lab, 'optimistic', silent ? 'EVENTSCRIPT_ANNOUNCE=no\n' : '')
        const log = logged(lab)
        await lab.node.writeSysctl(`${CONF}/dad_transmits`, 4)
        t.strictSame(await lab.script('takeip', 'eth0', 'fd00::1', '64'), { status: 0, out: '', err: '' })
        t.strictSame(await lab.node.places('fd00::1'), ['eth0/64 tentative'])
        t.equal(lab.announcers().length, 1, 'somebody watches')
        await lab.observer.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'lan', 'nodad')
        await waitFor('it to go', async () => (await lab.node.places('fd00::1')).length === 0)
        await waitFor('the announcer', () => lab.announcers().length === 0)
        const mac = await lab.observer.macOf('lan')
        t.match(
          log(),
          new RegExp(
            '^-t eventscript -p daemon.warning Failed to keep fd00::1/64 on dev eth0: removed: another host has this ' +
              `address \\(dadfailed\\): ${mac} on eth0, which is no neighbour that is known by another address: ` +
              'take it away there\n$',
          ),
        )
      },
    )

  inLab(
    'optimistic: the address is announced, with Override, when its check has ended and not before',
    { ...own, needs: ['perl', 'ndptool'] },
    async (t, lab) => {
      policy(lab, 'optimistic')
      // what is announced comes from the link-local address, which is checked as well
      await lab.node.calm()
      const wire = await lab.observer.watch('lan', 'fd00::1')
      t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 0)
      const unsolicited = () => wire.seen().filter(({ solicited, override }) => override && !solicited)
      await waitFor('an announcement, or the end of the check', async () => {
        const before = unsolicited()
        const isTentative = (await lab.node.places('fd00::1'))[0] === 'eth0/64 tentative'
        if (isTentative) t.strictSame(before, [])
        return !isTentative
      })
      await waitFor('three announcements', () => unsolicited().length >= 3, 10)
      await waitFor('the announcer', () => lab.announcers().length === 0)
      t.equal(unsolicited().length, 3)
    },
  )

  inLab(
    'optimistic: an address that is released while it is checked is not followed any further',
    own,
    async (t, lab) => {
      policy(lab, 'optimistic')
      const log = logged(lab)
      t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 0)
      t.equal((await lab.script('releaseip', 'eth0', 'fd00::1', '64')).status, 0)
      await waitFor('the announcer', () => lab.announcers().length === 0)
      t.equal(log(), '')
    },
  )

  inLab('optimistic: a kernel that does not take "optimistic" is waited for as ever', own, async (t, lab) => {
    policy(lab, 'optimistic')
    // takes the flag away, as a kernel before 4.17 does
    lab.standIn(
      'ip',
      `for word; do shift; [ "$word" = optimistic ] || set -- "$@" "$word"; done; exec $real "$@"`,
    )
    t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 0)
    t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'], 'its check has ended')
  })

  inLab('off: an address that another host has is taken all the same', own, async (t, lab) => {
    policy(lab, 'off')
    await lab.rival('fd00::1')
    t.strictSame(await lab.script('takeip', 'eth0', 'fd00::1', '64'), { status: 0, out: '', err: '' })
    t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'])
  })

  inLab('an address with a policy of its own has it, in whatever spelling', own, async (t, lab) => {
    policy(lab, 'fast FD00:0::2=optimistic fd00::3=off')
    const flags = async (ip: string) => {
      t.equal((await lab.script('takeip', 'eth0', ip, '64')).status, 0)
      return await lab.node.must('ip', 'addr', 'show', 'to', ip)
    }
    t.match(await flags('fd00::2'), /optimistic/)
    t.match(await flags('fd00::3'), /nodad/)
    t.notMatch(await flags('fd00::1'), /optimistic|nodad|tentative/)
  })

  inLab('a word that is none is one WARNING, and ignored', own, async (t, lab) => {
    policy(lab, 'off quick', 'EVENTSCRIPT_DAD_PROBES=99\n')
    const result = await lab.script('takeip', 'eth0', 'fd00::1', '64')
    t.equal(result.status, 0)
    t.match(lines(result), [
      /^WARNING: EVENTSCRIPT_DAD="off quick": expected default, fast, optimistic, off, or ADDRESS=.* using nothing of "quick"/,
      /^WARNING: EVENTSCRIPT_DAD_PROBES="99": expected 1 to 10: using 3/,
    ])
    t.match(await lab.node.must('ip', 'addr', 'show', 'to', 'fd00::1'), /nodad/)
  })

  inLab(
    'fast: two events at once in two processes: the last one out puts the times back',
    own,
    async (t, lab) => {
      policy(lab, 'fast')
      const first = await stuckTakeip(lab, 'fd00::1')
      t.equal(await timers(lab), FAST)
      t.equal((await lab.script('takeip', 'eth0', 'fd00::2', '64')).status, 0)
      t.equal(await timers(lab), FAST, 'the first one still needs them')
      first.free()
      t.equal((await first.ended).status, 0)
      t.equal(await timers(lab), KERNELS)
    },
  )

  inLab('fast and optimistic side by side put back each what it has changed', own, async (t, lab) => {
    policy(lab, 'fast fd00::2=optimistic')
    const first = await stuckTakeip(lab, 'fd00::1')
    t.equal((await lab.script('takeip', 'eth0', 'fd00::2', '64')).status, 0)
    first.free()
    t.equal((await first.ended).status, 0)
    t.equal(await timers(lab), KERNELS)
  })

  inLab('fast: ten events at once all succeed, and the times are back', own, async (t, lab) => {
    policy(lab, 'fast')
    const all = Array.from({ length: 10 }, (_, i) => lab.script('takeip', 'eth0', `fd00::1${i}`, '64'))
    for (const result of await Promise.all(all)) t.strictSame(result, { status: 0, out: '', err: '' })
    t.equal(await timers(lab), KERNELS)
  })

  for (const event of [
    'init',
    'startup',
    'monitor',
    'shutdown',
    'takeip eth0 fd00::2 64',
    'takeip eth0 fd00::3 64',
  ])
    inLab(
      `fast: what a takeip that was killed has left lowered, the next ${event} puts back`,
      own,
      async (t, lab) => {
        policy(lab, 'fast fd00::3=default')
        await (await stuckTakeip(lab, 'fd00::1')).kill()
        t.equal(await timers(lab), FAST)
        // as CTDB's own handler does before ours has its init
        if (event === 'init') rmSync(join(lab.dir, 'var'), { recursive: true })
        const result = await lab.script(...event.split(' '))
        t.strictSame(result, { status: 0, out: '', err: '' })
        t.equal(await timers(lab), KERNELS)
      },
    )

  inLab(
    'optimistic: a killed takeip leaves the sysctl set, and the next event puts it back',
    own,
    async (t, lab) => {
      policy(lab, 'optimistic')
      await (await stuckTakeip(lab, 'fd00::1')).kill()
      t.equal(await timers(lab), '1 1 1000 1')
      t.equal((await lab.script('monitor')).status, 0)
      t.equal(await timers(lab), KERNELS)
    },
  )

  inLab('while an event relies on lowered times, monitor leaves them', own, async (t, lab) => {
    policy(lab, 'fast')
    const first = await stuckTakeip(lab, 'fd00::1')
    t.strictSame(await lab.script('monitor'), { status: 0, out: '', err: '' })
    t.equal(await timers(lab), FAST)
    first.free()
    await first.ended
    t.equal(await timers(lab), KERNELS)
  })

  inLab('a time that the admin changes meanwhile stays as the admin has it', own, async (t, lab) => {
    policy(lab, 'fast')
    const first = await stuckTakeip(lab, 'fd00::1')
    await lab.node.writeSysctl(`${NEIGH}/retrans_time_ms`, 500)
    first.free()
    await first.ended
    t.equal(await timers(lab), '1 1 500 0')
  })

  inLab(
    'the probes and their interval can be set, also to one that the kernel rounds',
    own,
    async (t, lab) => {
      policy(lab, 'fast', 'EVENTSCRIPT_DAD_PROBES=2\nEVENTSCRIPT_DAD_INTERVAL_MS=253\n')
      const first = await stuckTakeip(lab, 'fd00::1')
      t.match(await timers(lab), /^0 2 25[3-9] 0$/)
      first.free()
      await first.ended
      t.equal(await timers(lab), KERNELS)
    },
  )

  inLab('fast: an interface that is faster already, or checks nothing, is left so', own, async (t, lab) => {
    policy(lab, 'fast')
    await lab.node.writeSysctl(`${NEIGH}/retrans_time_ms`, 40)
    await lab.node.writeSysctl(`${CONF}/dad_transmits`, 0)
    const first = await stuckTakeip(lab, 'fd00::1')
    t.equal(await timers(lab), '0 0 40 0')
    first.free()
    t.equal((await first.ended).status, 0)
    t.equal(await timers(lab), '1 0 40 0')
  })

  for (const event of ['takeip eth0', 'monitor'])
    inLab(
      `fast: ${event} where nothing can be kept on disk warns, and changes no times`,
      own,
      async (t, lab) => {
        policy(lab, 'fast')
        writeFileSync(join(lab.dir, 'eventscript'), 'a file where a folder is expected')
        const result = await lab.script(
          ...event.split(' '),
          ...(event === 'monitor' ? [] : ['fd00::1', '64']),
        )
        t.equal(result.status, 0)
        t.equal(warnings(result).length, event === 'monitor' ? 0 : 1)
        t.equal(lines(result).length, warnings(result).length)
        t.equal(await timers(lab), KERNELS)
        if (event === 'monitor') return
        t.match(result.out, /^WARNING: fd00::1 is checked with the kernel's own times: cannot open the lock/)
        t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'])
      },
    )

  inLab('fast: a refused event puts the times back as well', own, async (t, lab) => {
    policy(lab, 'fast')
    lab.standIn('ip', 'case "$*" in "addr add"*) echo broken >&2; exit 2 ;; esac; exec $real "$@"')
    t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 1)
    t.equal(await timers(lab), KERNELS)
  })

  inLab(
    'fast: a dry run shows what would be lowered and put back, and touches nothing',
    own,
    async (t, lab) => {
      policy(lab, 'fast')
      const { status, out } = await lab.eventscript('run', '--dry-run', 'takeip', 'eth0', 'fd00::1', '64')
      t.equal(status, 0)
      const commands = lines({ status, out, err: '' }).filter(
        (line) => /proc\/sys\/net\/ipv6\/(conf|neigh)|^ip /.test(line) && !line.startsWith('printf'),
      )
      t.strictSame(commands, [
        `echo 0 >/proc/sys/${CONF}/router_solicitation_delay`,
        `echo 3 >/proc/sys/${CONF}/dad_transmits`,
        `echo 100 >/proc/sys/${NEIGH}/retrans_time_ms`,
        'ip addr add fd00::1/64 dev eth0',
        `echo 1 >/proc/sys/${CONF}/router_solicitation_delay`,
        `echo 1 >/proc/sys/${CONF}/dad_transmits`,
        `echo 1000 >/proc/sys/${NEIGH}/retrans_time_ms`,
      ])
      t.equal(await timers(lab), KERNELS)
      t.notOk(existsSync(join(lab.dir, 'eventscript/dad')))
    },
  )
}
