/**
 * Every event is killed after each of its steps. The next event for the address completes or undoes its work:
 * the machine is then as if nobody had been killed. `init` clears all of it away.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from '../../tap.ts'
import { killAfter, learnSteps } from './kill-after.ts'
import type { Daemon } from '../../lab/daemon.ts'
import { FAMILIES, manyAddresses } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { look, sysctlsOf, wipe, withoutState } from '../../lab/remains.ts'
import { waitFor } from '../../lab/wait-for.ts'

type Words = readonly string[]

interface Situation {
  name: string
  /** Text of script.options. */
  options?: string
  needs?: readonly string[]
  /** Once for the lab: another host, files that stay. */
  build?: (lab: Lab) => Promise<void>
  /** What is there all the time, and nothing of the handler's. */
  around?: (lab: Lab) => Promise<void>
  /** Before each run, on a machine that has nothing else of ours. */
  prepare?: (lab: Lab) => Promise<void>
  /** Handler, event and its words. */
  event: Words
  /** What CTDB may send next for the address, beside the same once more. */
  others?: readonly Words[]
  /** What takes all of it away. */
  clears?: Words
  /** An address on its way from lo to its interface is looked past. */
  parks?: boolean
}

const IFACE = '10.interface'
const ROUTING = '13.per_ip_routing'

const PARKED = 'eventscript/parked'

// ---------------------------------------------------------------- the test itself

/**
 * Where to kill, and whether more than the same event once more is worth a try there. A second flush is like the first;
 * with a lock in the hand, or a draft on the disk, the machine is as it was one step before.
 */
function worthKilling(steps: readonly string[]): { k: number; onlyAgain: boolean }[] {
  return steps.flatMap((step, i) => {
    const isFlush = step.endsWith('/route/flush') && i > 0 && steps[i - 1]?.endsWith('/route/flush')
    const isSecondLock = step.startsWith('flock') && steps.slice(0, i).includes(step)
    return isFlush || isSecondLock ? [] : [{ k: i + 1, onlyAgain: /^(flock|draft)/.test(step) }]
  })
}

function crashTest(family: string, situation: Situation): void {
  const { event, others = [], clears = [IFACE, 'init'], needs } = situation
  // after every second step, and for the other family after the others: this event is the longest of the three
  const isCleared = (k: number) => k % 2 === (family === 'IPv6' ? 0 : 1)
  inLab(
    `${family}: ${situation.name}, killed after each step`,
    { needs: ['setsid', ...(needs ?? [])] },
    async (t, lab) => {
      await lab.node.calm()
      await situation.build?.(lab)
      const sysctls = await sysctlsOf(lab)
      const fresh = async () => {
        await wipe(lab, sysctls)
        lab.configure('script.options', situation.options ?? '')
        await situation.around?.(lab)
        await situation.prepare?.(lab)
      }
      const run = async ([handler = '', ...words]: Words) => {
        if (words[0] === 'init') {
          // as CTDB's 00.ctdb does at the start of a node
          rmSync(join(lab.dir, 'var'), { recursive: true })
          // and what was asked for before the crash may not be asked for any more
          lab.configure('script.options', '')
        }
        return await lab.handler(handler, ...words)
      }
      await wipe(lab, sysctls)
      await situation.around?.(lab)
      const clean = await look(lab, situation)

      await fresh()
      const { result, steps } = await learnSteps(lab, event)
      t.equal(result.status, 0, lines(result).join('\n'))
      const after = new Map<Words, string>([[event, await look(lab, situation)]])
      for (const next of others) {
        await fresh()
        await learnSteps(lab, event)
        await run(next)
        after.set(next, await look(lab, situation))
      }

      const points = worthKilling(steps)
      t.comment(
        `${points.length} of ${steps.length} steps, followed by ${[event, ...others, clears].map(([, ...words]) => words.join(' ')).join(' or ')}`,
      )
      for (const { k, onlyAgain } of points)
        for (const next of onlyAgain ? [event] : [event, ...others, ...(isCleared(k) ? [clears] : [])]) {
          await fresh()
          const killed = await killAfter(lab, k, event)
          const step = killed.steps.at(-1)?.replaceAll(lab.dir, '')
          const what = `killed after step ${k} (${step}), then ${next.slice(1).join(' ')}`
          if (killed.steps.length !== k) t.fail(`${what}: there were ${killed.steps.length} steps`)
          if (k % 2 === 0) await endBackground(lab)
          const then = await run(next)
          if (then.status !== 0) t.fail(`${what}: ${lines(then).join(' / ')}`)
          if (next === clears) {
            if (situation.parks) await backgroundEnds(lab)
            same(t, withoutState(await look(lab, situation)), withoutState(clean), what)
          } else {
            same(t, await look(lab, situation), after.get(next) ?? '', what)
            if (
              situation.parks &&
              existsSync(join(lab.dir, PARKED)) &&
              (await look(lab, situation)).includes(PARKED)
            )
              t.ok(lab.announcers().length > 0, `${what}: somebody tries it again`)
          }
        }
    },
  )
}

/** What tries parked addresses looks every 5 s whether there are any: it must add nothing, and go. */
async function backgroundEnds(lab: Lab): Promise<void> {
  await waitFor('what goes on in the background to end', async () => {
    await sleep(300) // a look at all processes is expensive
    return lab.announcers().length === 0
  })
}

/** In one line what differs. */
function same(t: Test, found: string, wanted: string, what: string): void {
  const [has, should] = [found.split('\n'), wanted.split('\n')]
  const more = has.filter((line) => !should.includes(line))
  const less = should.filter((line) => !has.includes(line))
  t.same({ more, less }, { more: [], less: [] }, what)
}

async function endBackground(lab: Lab): Promise<void> {
  for (const pid of lab.announcers()) process.kill(pid, 'SIGKILL')
  await waitFor('its end', () => lab.announcers().length === 0)
}

// ---------------------------------------------------------------- the daemon that stays

/** Twelve addresses, of which six come and six go, and the whole daemon is killed so many of them later. */
function daemonTest(family: string, bits: string, options: string, moments: readonly number[]): void {
  inLab(`${family}: a daemon that is killed in a burst of takeip and releaseip`, {}, async (t, lab) => {
    await lab.node.calm()
    const sysctls = await sysctlsOf(lab)
    const all = manyAddresses(family, 12)
    const [coming, going] = [all.slice(0, 6), all.slice(6)]
    lab.configure('public_addresses', all.map((address) => `${address}/${bits} eth0\n`).join(''))
    const clean = await look(lab)
    const here = async () => {
      const held = await lab.node.must('ip', '-o', 'addr', 'show')
      return all.filter((address) => held.includes(` ${address}/`))
    }
    for (const moment of moments)
      for (const next of ['init', 'the same events']) {
        await wipe(lab, sysctls)
        const daemon = await lab.daemon(options)
        const each = (runner: Daemon, event: string, some: readonly string[]) =>
          some.map((address) => runner.run(event, 'eth0', address, bits))
        const burst = (runner: Daemon) => [
          ...each(runner, 'takeip', coming),
          ...each(runner, 'releaseip', going),
        ]
        await Promise.all(each(daemon, 'takeip', going))
        const before = await here()
        const events = Promise.allSettled(burst(daemon))
        const moved = async () => (await here()).filter((address) => !before.includes(address)).length
        await waitFor(`${moment} of them`, async () => (await moved()) >= moment)
        await daemon.kill('SIGKILL')
        const orphans = new Set(lab.processes().map(({ pid }) => pid))
        await events
        const successor = await lab.daemon(options)
        const what = `killed after ${moment} of 6, then ${next}`
        if (next === 'init') {
          rmSync(join(lab.dir, 'var'), { recursive: true })
          t.equal(await successor.run('init'), 0, what)
        } else t.same(await Promise.all(burst(successor)), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], what)
        await waitFor('what it had started to end', () =>
          lab.processes().every(({ pid, command }) => command.trim() === 'cat' || !orphans.has(pid)),
        )
        if (next === 'init') same(t, withoutState(await look(lab)), withoutState(clean), what)
        else {
          t.same((await here()).toSorted(), coming.toSorted(), what)
          const isAddress = (line: string) => all.some((address) => line.includes(` ${address}/`))
          const rest = (text: string) =>
            withoutState(text)
              .split('\n')
              .filter((line) => !isAddress(line))
              .join('\n')
          same(t, rest(await look(lab)), rest(clean), what)
        }
        await successor.kill('SIGTERM')
      }
  })
}

// ---------------------------------------------------------------- situations

const text = (lab: Lab, file: string, content: string) => {
  mkdirSync(join(lab.dir, file, '..'), { recursive: true })
  writeFileSync(join(lab.dir, file), content)
}

/** What EVENTSCRIPT_DAD=fast has lowered and a killed run has left. */
async function lowered(lab: Lab): Promise<void> {
  const path = '/proc/sys/net/ipv6/conf/eth0/dad_transmits'
  text(lab, 'eventscript/dad/lowered', `${path} 1 3\n`)
  await lab.node.must('sh', '-c', `echo 3 >${path}`)
}

let port = 7000

for (const { family, ip, bits, otherBits, other, iptables, host } of (await prepareFile()) ? [] : FAMILIES) {
  const isIpv6 = family === 'IPv6'
  const how = isIpv6 ? ['nodad'] : ['brd', '+']
  const takeip = [IFACE, 'takeip', 'eth0', ip, bits]
  const releaseip = [IFACE, 'releaseip', 'eth0', ip, bits]
  const updateip = [IFACE, 'updateip', 'eth1', 'eth0', ip, bits] as const
  const add = async ({ node }: Lab, address: string, iface: string) =>
    void (await node.must('ip', 'addr', 'add', address, 'dev', iface, ...how))
  const holds = async (lab: Lab, iface: string, length: string = bits) => {
    await add(lab, `${ip}/${length}`, iface)
    text(lab, 'var/my-public-ip-addresses', `${ip}\n`)
  }
  const several = async (lab: Lab) => {
    await holds(lab, 'eth0')
    await add(lab, `${other}/${bits}`, 'eth1')
    text(lab, 'var/my-public-ip-addresses', `${ip}\n${other}\n`)
    await lab.node.must(iptables, '-w', '3', '-I', 'INPUT', '-i', 'eth0', '-d', ip, '-j', 'DROP')
    if (isIpv6) await lowered(lab)
  }
  const parked = async (lab: Lab) => {
    const scope = isIpv6 ? [] : ['scope', 'host']
    await lab.node.must('ip', 'addr', 'add', host, 'dev', 'lo', ...scope, 'preferred_lft', '0')
    text(lab, PARKED, `${ip} ${bits} eth0 ${isIpv6 ? '-' : '0'} somebody\n`)
    text(lab, 'var/my-public-ip-addresses', `${ip}\n`)
    if (!isIpv6) await lab.node.must('sh', '-c', 'echo 3 >/proc/sys/net/ipv4/conf/all/arp_ignore')
  }
  const rival = async (lab: Lab) => {
    const guest = await lab.plugIn('rival')
    await guest.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', 'eth0', ...how)
    await waitFor('the rival to answer', () => lab.observer.reaches(ip))
  }
  const options = isIpv6 ? 'EVENTSCRIPT_DAD=fast\n' : ''
  const both = async (lab: Lab) => {
    lab.configure('public_addresses', `${ip}/${bits} eth0,eth1\n${other}/${bits} eth0,eth1\n`)
    return Promise.resolve()
  }

  crashTest(family, { name: 'init', options, build: both, prepare: several, event: [IFACE, 'init'] })
  if (isIpv6)
    crashTest(family, {
      name: 'shutdown',
      options,
      build: both,
      prepare: several,
      event: [IFACE, 'shutdown'],
    })
  if (isIpv6)
    for (const event of ['startup', 'monitor'])
      crashTest(family, { name: event, options, prepare: lowered, event: [IFACE, event] })
  if (!isIpv6)
    crashTest(family, {
      name: 'ipreallocated',
      build: (lab) => Promise.resolve(lab.ctdbSays('ip', `|Public IP|Node|\n|${ip}|0|\n|${other}|1|\n`)),
      prepare: async (lab) => await holds(lab, 'eth0'),
      event: [IFACE, 'ipreallocated'],
    })
  crashTest(family, { name: 'takeip', event: takeip, others: [releaseip] })
  if (isIpv6) crashTest(family, { name: 'takeip, EVENTSCRIPT_DAD=fast', options, event: takeip })
  crashTest(family, {
    name: 'takeip of an address on another interface with another prefix',
    prepare: (lab) => holds(lab, 'eth1', otherBits),
    event: takeip,
  })
  const arping = isIpv6 ? [] : ['arping']
  for (const [policy, others] of [
    ['park', [releaseip]],
    ['seize', []],
  ] as const)
    crashTest(family, {
      name: `takeip, a rival, ${policy}`,
      options: `EVENTSCRIPT_DAD_CONFLICT=${policy}\nEVENTSCRIPT_IPV4_DAD=yes\n`,
      needs: arping,
      build: rival,
      event: takeip,
      others,
      parks: policy === 'park',
    })
  crashTest(family, {
    name: 'takeip of a parked address whose rival is gone',
    options: 'EVENTSCRIPT_DAD_CONFLICT=park\n',
    prepare: parked,
    event: takeip,
  })
  crashTest(family, {
    name: 'releaseip with a live connection',
    needs: ['ss', iptables],
    async prepare(lab) {
      await holds(lab, 'eth0')
      const own = (port += 1) // the other family's test runs beside this one
      await lab.node.serve(ip, own)
      await lab.observer.connect(ip, own)
    },
    event: releaseip,
    others: [takeip],
  })
  crashTest(family, {
    name: 'releaseip of a parked address',
    options: 'EVENTSCRIPT_DAD_CONFLICT=park\n',
    prepare: parked,
    event: releaseip,
  })
  crashTest(family, {
    name: 'updateip',
    prepare: (lab) => holds(lab, 'eth1'),
    event: updateip,
  })

  inLab(
    `${family}: an updateip that was killed when the address had arrived: the next one tells the clients`,
    { needs: ['setsid', 'ss', 'perl', ...(isIpv6 ? ['ndptool'] : ['arping'])] },
    async (t, lab) => {
      await lab.node.calm()
      await holds(lab, 'eth1')
      const { steps } = await learnSteps(lab, updateip)
      const arrival = steps.findIndex((step) => step.startsWith(`ip addr add ${ip}/`)) + 1
      t.ok(arrival > 0)
      await endBackground(lab)
      await lab.node.must('ip', 'addr', 'del', `${ip}/${bits}`, 'dev', 'eth0')
      await holds(lab, 'eth1')
      // it has heard of eth0
      await lab.observer.must('ip', 'neigh', 'flush', 'dev', 'lan')
      await lab.node.serve(ip, 445)
      await lab.observer.connect(ip, 445)
      await killAfter(lab, arrival, updateip)
      t.same(lab.announcers(), [], 'nobody is told')
      await waitFor('it to be usable', async () => (await lab.node.places(ip)).join() === `eth0/${bits}`)
      const tickles = () => lab.ctdbCalls().filter((call) => call === 'tickle').length
      const before = tickles()
      const wire = await lab.observer.watch('lan', ip)
      const mine = await lab.node.macOf('eth0')
      const [warning, redundant, ...more] = lines(await lab.handler(...updateip))
      t.match(warning, `hosted on interface eth0 but VNN says eth1`)
      t.equal(redundant, `Redundant "updateip" - ${ip} already on eth0`)
      t.match(more, [/^Tickle TCP connection /, /^Tickle TCP connection /])
      t.equal(tickles(), before + 1)
      await waitFor('it to be announced', () =>
        wire.seen().some(({ mac, solicited }) => mac === mine && !solicited),
      )
    },
  )

  const net = isIpv6 ? 'fd00::/64' : '10.0.0.0/24'
  const far = isIpv6 ? 'fd05::/64' : '10.5.0.0/16'
  const gateway = isIpv6 ? 'fd00::251' : '10.0.0.251'
  const routed = (lab: Lab) => {
    lab.configure('policy_routing', `${ip} ${net}\n${ip} ${far} ${gateway}\n`)
    const header = '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n'
    lab.ctdbSays('ip_-v', `${header}|${ip}|0|eth0|eth0,eth1|eth0,eth1|\n`)
    lab.configure('static-routes', `eth0 ${far} ${gateway}\n`)
    return Promise.resolve()
  }
  const table = ([handler = '', ...event]: Words, before?: Words): void =>
    crashTest(family, {
      name: `${handler}: ${event[0]}`,
      options: `CTDB_PER_IP_ROUTING_CONF=$CTDB_BASE/policy_routing
CTDB_PER_IP_ROUTING_RULE_PREF=100
CTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000
CTDB_PER_IP_ROUTING_TABLE_ID_HIGH=1001
`,
      build: routed,
      around: (lab) => (handler === ROUTING ? holds(lab, 'eth0') : Promise.resolve()),
      prepare: async (lab) => {
        if (handler !== ROUTING) await holds(lab, 'eth0')
        if (before) await lab.handler(ROUTING, ...before)
      },
      event: [handler, ...event],
      // a route of 11.routing is there for as long as an address of its subnet
      clears: handler === ROUTING ? [ROUTING, 'shutdown'] : [IFACE, 'init'],
    })
  const [came, went] = [
    ['takeip', 'eth0', ip, bits],
    ['releaseip', 'eth0', ip, bits],
  ]
  table([ROUTING, 'takeip', 'eth0', ip, bits])
  table([ROUTING, 'releaseip', 'eth0', ip, bits], came)
  if (isIpv6) table([ROUTING, 'ipreallocated'], went)
  else {
    table([ROUTING, 'updateip', 'eth1', 'eth0', ip, bits], ['takeip', 'eth1', ip, bits])
    table([ROUTING, 'startup'], came)
    table([ROUTING, 'shutdown'], came)
    table([ROUTING, 'reconfigure'], came)
    table(['11.routing', 'ipreallocated'])
  }

  daemonTest(family, bits, options, [0, 1, 4])
}
