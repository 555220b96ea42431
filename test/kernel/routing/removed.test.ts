/** Rules and routes that another program removes: monitor puts them back, and says so; audit names them. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from '../../tap.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { DIST, readOr } from '../../lab/paths.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { ASTRAY, ping, RIGHT, withGateways } from './gateways.ts'
import { programsOf } from './programs.ts'
import {
  configure,
  confOf,
  expectedRoutes,
  FAMILIES,
  type Family,
  hold,
  hosts,
  left,
  listed,
  NAME,
  publicAddresses,
  routesOf,
  ruleOf,
  silent,
  STATIC,
  staticRoutesOf,
} from './routing-lab.ts'

function enable(lab: Lab, ...names: string[]): void {
  const folder = join(lab.dir, 'etc/events/legacy')
  mkdirSync(folder, { recursive: true })
  for (const name of names) symlinkSync(join(DIST, `events.d/${name}.script`), join(folder, `${name}.script`))
}

/** What that handler has put back so far. */
const countOf = (lab: Lab, name: string) =>
  Number(readOr(join(lab.dir, 'eventscript/upkeep', name)).split('\n')[0])

async function isRouted(lab: Lab, of: Family, which: 0 | 1): Promise<boolean> {
  const ip = which === 0 ? of.one : of.other
  const routes = await routesOf(lab, of, ip)
  return (await ruleOf(lab, of, ip)).length === 1 && routes.join() === expectedRoutes(of, which).join()
}

/** What other programs do; the number of addresses that lack something then. */
function losses(
  lab: Lab,
  of: Family,
): readonly (readonly [what: string, lost: number, act: () => Promise<unknown>])[] {
  const { one, other, option, farNet, gateways } = of
  const ip = (...words: string[]) => lab.node.must('ip', option, ...words)
  const table = (address: string) => ['table', `ctdb.${address}`]
  const bounce = async () => {
    for (const state of ['down', 'up']) await lab.node.must('ip', 'link', 'set', 'eth0', state)
    // the kernel drops those of IPv6, and ctdbd puts them back
    for (const address of option === '-6' ? [one, other] : []) await hold(lab, of, address)
    await waitFor('the default route', async () => {
      const found = await lab.node.run(
        'ip',
        option,
        'route',
        'replace',
        'default',
        'via',
        gateways[1],
        'dev',
        'eth0',
      )
      return found.status === 0
    })
  }
  return [
    ['one rule', 1, () => ip('rule', 'del', 'from', one)],
    ['all rules', 2, () => ip('rule', 'flush', 'pref', '100')],
    ['a table', 1, () => ip('route', 'flush', ...table(one))],
    ['one route', 1, () => ip('route', 'del', farNet, ...table(one))],
    ['a link that goes down and up', 2, bounce],
    [
      'all of it',
      2,
      async () => {
        for (const address of [one, other]) await ip('route', 'flush', ...table(address))
        for (const address of [one, other]) await ip('rule', 'del', 'from', address)
      },
    ],
  ]
}

async function putsBack(t: Test, lab: Lab, of: Family): Promise<void> {
  const { one, other } = of
  const gateways = await withGateways(lab, of)
  await waitFor('the far host to answer', async () => (await ping(lab, of, one, gateways)) === ASTRAY)
  for (const ip of [one, other]) t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', ip, of.bits), silent)
  t.strictSame(await lab.handler(NAME, 'monitor'), silent, 'nothing is missing')
  let count = 0
  for (const [what, lost, act] of losses(lab, of)) {
    await act()
    t.notSame([await isRouted(lab, of, 0), await isRouted(lab, of, 1)], [true, true], `${what}: it is gone`)
    const told = await lab.handler(NAME, 'monitor')
    t.equal(told.status, 0, what)
    t.match(lines(told), [/^WARNING: policy routing put back: .*: another program has removed it/], what)
    t.equal(lines(told).length, 1, `${what}: one line`)
    t.same([await isRouted(lab, of, 0), await isRouted(lab, of, 1)], [true, true], `${what}: it is back`)
    t.equal(countOf(lab, NAME), (count += lost), `${what}: it is counted`)
  }
  await waitFor(
    'the answers to leave by the right gateway',
    async () => (await ping(lab, of, one, gateways)) === RIGHT.one,
  )
  t.equal(await ping(lab, of, other, gateways), RIGHT.other)
  t.strictSame(await lab.handler(NAME, 'monitor'), silent, 'nothing is missing any more')
}

/** A list that names an address which is not here, or no more: nothing is added for it, nothing is said. */
async function leavesOthers(t: Test, lab: Lab, of: Family): Promise<void> {
  const { one, bits } = of
  listed(lab, [])
  t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', one, bits), silent)
  await lab.node.must('ip', of.option, 'rule', 'flush', 'pref', '100')
  t.strictSame(await lab.handler(NAME, 'monitor'), silent, 'no address is listed')
  t.strictSame(await ruleOf(lab, of, one), [])
  listed(lab, [one])
  lab.standIn(
    'ip',
    'case "$*" in *-force*) : >"$CTDB_SCRIPT_VARDIR/my-public-ip-addresses";; esac\nexec $real "$@"',
  )
  t.strictSame(await lab.handler(NAME, 'monitor'), silent, 'it is released by hand meanwhile')
  t.strictSame(await ruleOf(lab, of, one), [])
  t.strictSame(await routesOf(lab, of, one), [])
  lab.noStandIn('ip')
  listed(lab, [one])
  await lab.node.must('ip', 'addr', 'del', `${one}/${bits}`, 'dev', 'eth0')
  t.strictSame(await lab.handler(NAME, 'monitor'), silent, 'the kernel does not have it')
  t.strictSame(await ruleOf(lab, of, one), [])
}

interface Found {
  faults: { state: string; kind: string; subject: string; seen: string; repair: string | null }[]
  repairs: { outcome: string }[]
}

async function audit(lab: Lab, ...words: string[]): Promise<Found> {
  return JSON.parse((await lab.eventscript('audit', '--json', ...words)).out) as Found
}

function believe(lab: Lab, ips: readonly string[]): void {
  const header = '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n'
  lab.ctdbSays('-v ip all', header + ips.map((ip) => `|${ip}|0|eth0|eth0,eth1|eth0,eth1|\n`).join(''))
}

async function auditRepairs(t: Test, lab: Lab): Promise<void> {
  const all = FAMILIES.flatMap(({ one, other }) => [one, other])
  publicAddresses(lab)
  configure(lab, FAMILIES.map(confOf).join(''))
  lab.configure('static-routes', FAMILIES.map((of) => `eth0 ${of.static} ${of.gateways[0]}\n`).join(''))
  await lab.node.writeSysctl('net/ipv4/conf/eth0/promote_secondaries', 1)
  listed(lab, all)
  believe(lab, all)
  hosts(
    lab,
    all.map((ip) => [ip, 'eth0']),
  )
  for (const of of FAMILIES) for (const ip of [of.one, of.other]) await hold(lab, of, ip)
  t.strictSame(await lab.handler(NAME, 'ipreallocated'), silent)
  for (const { one, option } of FAMILIES) await lab.node.must('ip', option, 'rule', 'del', 'from', one)
  t.same((await audit(lab)).faults, [], 'neither handler is enabled')
  enable(lab, NAME, STATIC)
  const { faults } = await audit(lab)
  const expected = [
    ...FAMILIES.map((of) => [STATIC, `${of.static} via ${of.gateways[0]} dev eth0`] as const),
    ...FAMILIES.map(({ one }) => [NAME, one] as const),
  ]
  t.same(
    faults.map(({ state, kind, subject, repair }) => [state, kind, subject, repair]),
    expected.map(([only, subject]) => [
      'error',
      'routing-missing',
      subject,
      `eventscript run --only ${only} ipreallocated`,
    ]),
  )
  t.match(faults.at(-1)?.seen, 'its rule')
  const fixed = await audit(lab, '--fix')
  t.same(
    fixed.repairs.map(({ outcome }) => outcome),
    ['ok', 'ok'],
  )
  t.same(fixed.faults, [])
  for (const of of FAMILIES) t.ok(await isRouted(lab, of, 0))
}

const nothing = await prepareFile()
if (!nothing) {
  for (const of of FAMILIES) {
    const { family, one, other, option } = of
    const prepared = async (lab: Lab) => {
      publicAddresses(lab)
      configure(lab, confOf(of))
      await lab.node.writeSysctl('net/ipv4/conf/eth0/promote_secondaries', 1)
      for (const ip of [one, other]) await hold(lab, of, ip)
      listed(lab, [one, other])
    }

    inLab(
      `${family}: rules and routes that another program removes are back after one monitor`,
      { needs: ['perl'] },
      async (t, lab) => {
        await prepared(lab)
        await putsBack(t, lab, of)
        t.same(await programsOf(lab, NAME), ['ip'], 'what a look costs')
        await lab.node.must('ip', option, 'rule', 'flush', 'pref', '100')
        const before = await left(lab)
        const dry = await lab.eventscript('run', '--dry-run', '--only', NAME, 'monitor')
        t.match(dry, { status: 0, out: /rule add from/ })
        t.same(await left(lab), before, 'a rehearsal changes nothing')
      },
    )

    inLab(`${family}: monitor adds nothing for an address that is not here`, {}, async (t, lab) => {
      await prepared(lab)
      await leavesOthers(t, lab, of)
    })

    inLab(`${family}: what cannot be put back is said once, and fails nothing`, {}, async (t, lab) => {
      await prepared(lab)
      configure(lab, `${one} ${of.default} ${of.near}\n`)
      const [first, second] = [await lab.handler(NAME, 'monitor'), await lab.handler(NAME, 'monitor')]
      t.match(lines(first), [
        /^WARNING: policy routing may be missing, and cannot be put back: .* outside the subnet/,
      ])
      t.strictSame(second, silent)
      configure(lab, confOf(of))
      t.match(lines(await lab.handler(NAME, 'monitor')), [/^WARNING: policy routing put back/])
      configure(lab, `${one} ${of.default} ${of.near}\n`)
      t.match(lines(await lab.handler(NAME, 'monitor')), [/cannot be put back/], 'it has come again')
      lab.standIn('ip', 'echo killed >&2; exit 1')
      const failed = await lab.handler(NAME, 'monitor')
      t.equal(failed.status, 0, 'a look that fails is a WARNING, too')
      t.match(lines(failed), [/^WARNING: policy routing may be missing/])
    })
  }

  inLab('audit names what is missing, and --fix repairs it', {}, auditRepairs)

  inLab('static routes that another program removes are back after one monitor', {}, async (t, lab) => {
    t.same(await programsOf(lab, STATIC), [], 'not configured')
    t.same(await programsOf(lab, NAME), [], 'not configured')
    lab.configure('static-routes', FAMILIES.map((of) => `eth0 ${of.static} ${of.gateways[0]}\n`).join(''))
    for (const of of FAMILIES) await hold(lab, of, of.one)
    t.strictSame(await lab.handler(STATIC, 'ipreallocated'), silent)
    const there = await staticRoutesOf(lab)
    t.equal(there.length, 2)
    t.strictSame(await lab.handler(STATIC, 'monitor'), silent)
    t.same(await programsOf(lab, STATIC), ['ip'], 'what a look costs')
    for (const of of FAMILIES) await lab.node.must('ip', of.option, 'route', 'flush', 'proto', 'static')
    const told = await lab.handler(STATIC, 'monitor')
    t.match(lines(told), [/^WARNING: static routes put back: .*: another program has removed them/])
    t.equal(lines(told).length, 1)
    t.same(await staticRoutesOf(lab), there)
    t.equal(countOf(lab, STATIC), 2)
    t.strictSame(await lab.handler(STATIC, 'monitor'), silent)
    const { out } = await lab.eventscript('metrics')
    t.match(out, 'eventscript_routing_put_back_total{handler="11.routing"} 2\n')
    lab.configure('static-routes', 'eth0 nonsense\n')
    t.match(await lab.handler(STATIC, 'monitor'), { status: 0 }, 'a bad line makes no node unhealthy')
  })

  inLab(
    'rules and routes removed in a loop while events run: no event fails, and one monitor puts all back',
    {},
    async (t, lab) => {
      publicAddresses(lab)
      const conf = FAMILIES.map(confOf).join('')
      configure(lab, conf)
      enable(lab, NAME)
      const daemon = await lab.daemon()
      const loop = `for i in $(seq 2000); do
        for option in -4 -6; do
          ip $option rule flush pref 100
          for table in 1000 1001 1002 1003; do ip $option route flush table $table; done
        done
        [ -e "$CTDB_BASE/enough" ] && exit 0
      done 2>/dev/null`
      const other = lab.node.start('sh', '-c', loop)
      const all = FAMILIES.flatMap(({ one, other: second, bits }) =>
        [one, second].map((ip) => [ip, bits] as const),
      )
      const results: number[] = []
      for (let round = 0; round < 3; round++) {
        results.push(...(await Promise.all(all.map(([ip, bits]) => daemon.run('takeip', 'eth0', ip, bits)))))
        results.push(await daemon.run('monitor'))
        const gone =
          round < 2 ? all : all.filter(([ip]) => FAMILIES.some(({ other: second }) => second === ip))
        results.push(
          ...(await Promise.all(gone.map(([ip, bits]) => daemon.run('releaseip', 'eth0', ip, bits)))),
        )
      }
      t.same(
        results.filter((result) => result !== 0),
        [],
        'every event succeeds',
      )
      lab.configure('enough', '')
      await other
      t.equal(await daemon.run('monitor'), 0)
      for (const of of FAMILIES) {
        t.ok(await isRouted(lab, of, 0), of.one)
        t.strictSame(await ruleOf(lab, of, of.other), [], 'what has been released stays so')
      }
      t.match(daemon.log(), /WARNING: policy routing put back: /)
      await daemon.kill('SIGTERM')
    },
  )

  inLab(
    "a public address is the primary of its subnet: audit warns that the node's own connections leave from it",
    {},
    async (t, lab) => {
      const own = '10.0.0.77'
      lab.configure('public_addresses', '10.0.0.1/24 eth0,eth1\n10.0.0.2/24 eth0\n')
      believe(lab, ['10.0.0.1', '10.0.0.2'])
      await lab.node.writeSysctl('net/ipv4/conf/eth0/promote_secondaries', 1)
      const source = async () =>
        /src (\S+)/.exec(await lab.node.must('ip', 'route', 'get', '10.0.0.254'))?.[1]
      for (const ip of ['10.0.0.1', '10.0.0.2', own])
        await lab.node.must('ip', 'addr', 'add', `${ip}/24`, 'brd', '+', 'dev', 'eth0')
      await lab.node.must('ip', 'route', 'add', '10.5.0.0/16', 'via', '10.0.0.254')
      t.equal(await source(), '10.0.0.1')
      const { faults } = await audit(lab)
      t.match(faults, [{ state: 'warning', kind: 'own-secondary', subject: own, seen: /10\.0\.0\.1/ }])
      t.equal(faults.length, 1)
      await lab.node.must('sh', '-c', faults[0]?.repair ?? 'false')
      t.equal(await source(), own)
      t.same((await audit(lab)).faults, [])
      for (const ip of ['10.0.0.1', '10.0.0.2']) t.same(await lab.node.places(ip), ['eth0/24'])
      t.match(await lab.node.must('ip', 'route', 'show'), '10.5.0.0/16 via 10.0.0.254', 'routes stay')

      await lab.node.must('ip', 'addr', 'del', `${own}/24`, 'dev', 'eth0')
      await lab.node.must('ip', 'addr', 'add', `${own}/24`, 'brd', '+', 'dev', 'eth0')
      const fixed = await audit(lab, '--fix')
      t.match(fixed, { faults: [], repairs: [{ outcome: 'ok' }] })
      t.equal(await source(), own)
    },
  )
}
