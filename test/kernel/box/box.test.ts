/** What a node does in a container: each box, and the row of docs/containers.md that says what was seen in it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../../tap.ts'
import type { Finding } from '../../../runner/inspect/finding.ts'
import { FAMILIES } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { MAIN, SCRIPT } from '../../lab/paths.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { boxed, NEEDS, type BoxOptions } from './box.ts'

const why = await prepareFile()

/** By the first column of the table. */
const BOXES: Record<string, BoxOptions> = {
  'all as above': {},
  'without `iptables`': { without: ['iptables', 'ip6tables'] },
  'without `perl`': { without: ['perl'] },
  'without `ss`': { without: ['ss'] },
  'without `flock`': { without: ['flock'] },
  'without `arping`': { without: ['arping'] },
  'without `ndptool`': { without: ['ndptool'] },
  "BusyBox's `arping`": { busybox: ['arping'] },
  "BusyBox's `arping`, no `perl`": { busybox: ['arping'], without: ['perl'] },
  "BusyBox's `ip`": { busybox: ['ip'] },
  'without CAP_NET_RAW': { lacks: ['net_raw'] },
  'without CAP_NET_ADMIN': { lacks: ['net_admin'] },
}

/** Runs an event, and tells whether it went well and what it said. */
type Run = (...event: string[]) => Promise<{ isWell: boolean; said: readonly string[] }>

function byScript(box: Lab): Run {
  return async (...event) => {
    const result = await box.node.run(SCRIPT, ...event)
    return { isWell: result.status === 0, said: lines(result) }
  }
}

/** Undefined where it does not start. */
async function byDaemon(box: Lab): Promise<Run | undefined> {
  const daemon = await box.daemon().catch((error: Error) => {
    if (!error.message.startsWith('the event daemon has ended')) throw error
  })
  if (!daemon) return undefined
  return async (event = '', ...words) => ({ isWell: (await daemon.run(event, ...words)) === 0, said: [] })
}

/** takeip and releaseip of one address: what became of it, as seen from the node and from the other host. */
async function life(lab: Lab, run: Run, { ip, bits }: (typeof FAMILIES)[number]) {
  const wire = await lab.observer.watch('lan', ip)
  const isHere = async () => (await lab.node.places(ip)).length > 0
  const taken = await run('takeip', 'eth0', ip, bits)
  if (!(taken.isWell && (await isHere()))) return { became: 'not taken', said: taken.said }
  // the daemon has no announcer to wait for
  await heardOrNot(lab, () => wire.seen().length > 0)
  const heard = wire.seen().length > 0 ? 'announced' : '**not announced**'
  const released = await run('releaseip', 'eth0', ip, bits)
  wire.stop()
  const gone = released.isWell && !(await isHere()) ? 'released' : 'not released'
  return { became: `taken, ${heard}, ${gone}`, said: [...taken.said, ...released.said] }
}

/** Three rounds take 2.2 s. */
const LONGEST_MS = 3000

async function heardOrNot(lab: Lab, isHeard: () => boolean): Promise<void> {
  const last = performance.now() + LONGEST_MS
  const isOver = () => performance.now() > last && lab.announcers().length === 0
  await waitFor('an announcement, or the time in which it must come', () => isHeard() || isOver())
}

async function lives(lab: Lab, run: Run | undefined) {
  if (!run) return { became: 'does not start', said: [] }
  const [v4, v6] = FAMILIES
  const four = await life(lab, run, v4)
  const six = await life(lab, run, v6)
  const became = four.became === six.became ? four.became : `IPv4 ${four.became}; IPv6 ${six.became}`
  return { became, said: [...four.said, ...six.said] }
}

/** As in the table: without what is of this lab only. */
function anywhere(line: string): string {
  return line
    .replaceAll(/\b10\.0\.0\.1\b|\bfd00::1\b/g, 'ADDRESS')
    .replaceAll(/\/tmp\/eventscript-lab-\w+\/var\//g, '')
    .replace(/BusyBox v[\d.]+/, 'BusyBox v1.35.0')
}

/** Row by row, the cells of the table. */
function documented(): string[][] {
  const text = readFileSync('docs/containers.md', 'utf8')
  const table = /^\| the box [^]*?\n\n/m.exec(text)?.[0] ?? ''
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) => row.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
}

t.test('the table of docs/containers.md has a row for each box, and no other', (t) => {
  t.same(
    documented().map(([box]) => box),
    Object.keys(BOXES),
  )
  t.end()
})

if (!why)
  for (const [name, options] of Object.entries(BOXES))
    inLab(`a box: ${name}: what the table says is what happens`, { needs: NEEDS }, async (t, lab) => {
      // as systemd sets it on the host
      for (const iface of ['all', 'eth0'])
        await lab.node.writeSysctl(`net/ipv4/conf/${iface}/promote_secondaries`, 1)
      const box = boxed(lab, options)
      const script = await lives(lab, byScript(box))
      const daemon = await lives(lab, await byDaemon(box))
      const said = [...new Set(script.said.map(anywhere))].join('<br>')
      t.same(
        [name, script.became, daemon.became, said],
        documented().find(([box]) => box === name),
      )
    })

const ONE = { needs: NEEDS }

if (!why) {
  for (const [system, name] of [
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', 'iputils'],
    ['ID="opensuse-leap"\nID_LIKE="suse opensuse"', 'iputils'],
    ['ID=alpine', 'iputils-arping'],
  ] as const)
    inLab(`a remedy names the package of ${system.split('\n')[0]}`, ONE, async (t, lab) => {
      const { node } = boxed(lab, { without: ['arping'], system })
      const { out } = await node.run(SCRIPT, 'takeip', 'eth0', '10.0.0.1', '24')
      t.match(out, new RegExp(`^WARNING: arping not found: .*: install ${name}\n$`))
    })

  inLab('a recording of a box replays the same elsewhere', ONE, async (t, lab) => {
    const { node } = boxed(lab, { without: ['ss'], lacks: ['net_raw'], system: 'ID=fedora' })
    const file = join(lab.dir, 'recording')
    const run = (...event: string[]) =>
      node.run(process.execPath, MAIN, 'run', '--overwrite', '--record', file, ...event)
    for (const event of ['takeip', 'releaseip']) {
      const { out } = await run('--only', '10.interface', event, 'eth0', '10.0.0.1', '24')
      t.match(out, event === 'takeip' ? /root lacks CAP_NET_RAW/ : /ss not found: .*: install iproute$/m)
      t.match(await lab.eventscript('replay', '--against', file), { status: 0, err: '' })
    }
  })

  inLab("doctor names what a box lacks, and BusyBox's programs", ONE, async (t, lab) => {
    const found = async (options: BoxOptions) => {
      const { out } = await boxed(lab, options).node.run(process.execPath, MAIN, 'doctor', '--json')
      return (JSON.parse(out) as Finding[])
        .filter(
          ({ state, check }) => state !== 'ok' && ['ip', 'arping', 'advertiser', 'program'].includes(check),
        )
        .map(({ state, subject, text, remedy }) => `${state} ${subject}: ${text}: ${remedy}`)
    }
    t.same(await found({ busybox: ['arping'] }), [])
    const [ip = '', ...more] = await found({ busybox: ['ip'] })
    t.match(ip, /^error ip: BusyBox v[\d.]+: expected iproute2 5\.0 or later: install iproute2$/)
    t.same(more, [])
    const lacking = 'root lacks CAP_NET_RAW: start the container with --cap-add NET_RAW'
    t.same(await found({ lacks: ['net_raw'] }), [
      `warning arping: no privilege to send packets (CAP_NET_RAW): IPv4 addresses are not announced: ${lacking}`,
      `warning ndptool: no privilege to send packets (CAP_NET_RAW): the kernel announces IPv6 addresses, once: ${lacking}`,
    ])
  })

  inLab("BusyBox's ip: one line each, of every command that shows or changes", ONE, async (t, lab) => {
    const { node } = boxed(lab, { busybox: ['ip'] })
    const line = /(^| )ip: BusyBox v[\d.]+: expected iproute2 5\.0 or later: install iproute2$/m
    const run = ['run', '--only', '10.interface']
    for (const words of [
      ['ip'],
      ['ifaces'],
      ['audit'],
      [...run, 'monitor'],
      [...run, 'init'],
      [...run, 'shutdown'],
    ]) {
      const { status, out, err } = await node.run(process.execPath, MAIN, ...words)
      t.not(status, 0, words.join(' '))
      t.notMatch(out + err, /Usage/, words.join(' '))
      t.match(out + err, line, words.join(' '))
    }
  })

  inLab("EVENTSCRIPT_IPV4_DAD asks by BusyBox's arping as well", ONE, async (t, lab) => {
    lab.configure('script.options', 'EVENTSCRIPT_IPV4_DAD=yes\n')
    const { node } = boxed(lab, { busybox: ['arping'] })
    const take = () => node.run(SCRIPT, 'takeip', 'eth0', '10.0.0.1', '24')
    t.same(await take(), { status: 0, out: '', err: '' }, 'nobody has it')
    await lab.node.must('ip', 'addr', 'flush', 'dev', 'eth0')
    const rival = await lab.plugIn('rival')
    await rival.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
    const refused = await take()
    t.equal(refused.status, 1)
    t.match(lines(refused), [`another host has this address: ${await rival.macOf('eth0')} on eth0`])
    t.same(await lab.node.places('10.0.0.1'), [])
  })

  inLab('an arping that nobody knows is not called, and doctor says so', ONE, async (t, lab) => {
    lab.standIn('arping', 'echo "$*" >>"$CTDB_BASE/arping"; echo "arping of tomorrow 1.0"')
    const logged = join(lab.dir, 'logged')
    lab.standIn('logger', `echo "$*" >>${logged}`)
    t.equal((await lab.script('takeip', 'eth0', '10.0.0.1', '24')).status, 0)
    await waitFor('its end', () => lab.announcers().length === 0)
    t.equal(readFileSync(join(lab.dir, 'etc/arping'), 'utf8'), '-V\n')
    t.match(
      readFileSync(logged, 'utf8'),
      /WARNING: 10\.0\.0\.1 is not announced: arping: "arping -V" printed "arping of tomorrow 1\.0": expected/,
    )
    const { out } = await lab.eventscript('doctor')
    t.match(out, /^WARNING +arping: .*bin\/arping: none that we know: IPv4 addresses/m)
  })

  inLab("BusyBox's flock, which cannot wait: one line says so", ONE, async (t, lab) => {
    // Debian's busybox has none: what Alpine's prints, and its options
    lab.standIn(
      'flock',
      `case "$*" in *-w*|*--version*) printf 'flock: unrecognized option: w\\nBusyBox v1.36.1 (2024-06-10) multi-call binary.\\n\\nUsage: flock [-sxun] FD\\n' >&2; exit 1;; esac`,
    )
    const { out } = await lab.script('takeip', 'eth0', '10.0.0.1', '24')
    t.match(out, /^WARNING: \S+ is not kept: flock: BusyBox's lacks options that we need: install \S+\n$/)
    const doctor = await lab.eventscript('doctor')
    t.match(
      doctor.out,
      /^ERROR +flock: BusyBox v1\.36\.1: it cannot wait \(-w\), and locks are taken with it/m,
    )
  })
}
