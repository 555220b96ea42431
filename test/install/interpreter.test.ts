/** A node outside the PATH of ctdbd, such as a node below an admin's home: `install` names node by its full path. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from '../tap.ts'
import { install, uninstall } from '../../runner/install/install.ts'
import { findScripts } from '../../runner/eventd/run/scripts.ts'
import { isNewEnough } from '../../runner/install/interpreter.ts'
import { pathOfCtdbd, pathOfUnits } from '../../runner/install/service.ts'
import { parseUnit, pathIn } from '../../runner/install/unit.ts'
import { cleanupUnitFor, nodeNamedIn, dropInFor } from '../../runner/install/unit-text.ts'
import { wrappedIn, wrapperFor } from '../../runner/install/wrapper.ts'
import { commandPrinter } from '../../runner/cli/dry-run.ts'
import { NO_COLOURS } from '../../runner/format/colours.ts'
import { doorTo } from '../../runner/machine/machine.ts'
import { live } from '../../runner/machine/live/live.ts'
import { both, link, paste, script, snapshot, world, type World } from '../lab/ctdb/ctdb-folders.ts'
import { whyNotRoots } from '../lab/ctdb/roots.ts'
import { DIST } from '../lab/paths.ts'

const printTo = (lines: string[]) =>
  commandPrinter({ print: (line) => void lines.push(line), paints: NO_COLOURS })
const root = process.geteuid?.() === 0

/** A ctdb.service whose PATH is a folder of ours, and a node elsewhere that prints its own command line. */
function serviceWithout(
  t: Test,
): World & { options: Parameters<typeof install>[0]; node: string; bin: string } {
  const here = world(t)
  const [bin, opt] = [join(here.dir, 'bin'), join(here.dir, 'opt/bin')]
  for (const folder of [bin, opt, join(here.dir, 'sys/systemd/system')])
    mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(here.dir, 'sys/systemd/system/ctdb.service'),
    `[Service]\nEnvironment=A=b "PATH=${bin}:/nonexistent"\n`,
  )
  const node = join(opt, 'node')
  standFor(node, 'v20.19.0')
  const env = { ...here.env, CTDB_SYS_ETCDIR: join(here.dir, 'sys') }
  return { ...here, env, node, bin, options: { ...both(here), env, node } }
}

function standFor(node: string, version: string): void {
  script(node, `[ "$1" = --version ] && echo ${version} || echo "node $*"`)
}

const found = { eventd: true, names: ['91.lvs'] }
const handlerOf = ({ legacy }: World) => join(legacy, '10.interface.script')
const eventdOf = ({ lib }: World) => join(lib, 'ctdb-eventd')
/** The call has the environment of ctdbd, without tap's own modules. */
const call = (path: string, ...words: string[]) =>
  execa('/usr/bin/env', ['-i', 'PATH=/nonexistent', path, ...words], { reject: false })

t.test('a file of ours in place of each link starts node by its full path', async (t) => {
  const here = serviceWithout(t)
  const { options, node, dist, dir } = here
  const before = snapshot(here)
  const placed = await install({ ...options, ...found })
  const none = `no node in the PATH of ctdb.service (${here.bin}:/nonexistent)`
  // another user's files are theirs to change: a warning, and a refusal for root alone
  const owned = `${dir}: owned by user ${process.getuid?.()}, expected root: CTDB would run it as root: `
  t.match(
    placed[0]?.notes,
    process.getuid?.() === 0
      ? [`${none}: started by ${node}, which has to stay`]
      : [`WARNING: ${owned}`, `WARNING: ${none}, and ${node} cannot stand in for it: ${owned}`],
  )
  t.equal(
    (await call(handlerOf(here), 'takeip', 'a b')).stdout,
    `node ${dist}/events.d/10.interface.script takeip a b`,
  )
  t.equal(
    (await call(eventdOf(here), '-P', '1')).stdout,
    `node --max-semi-space-size=4 ${dist}/runner/bin/ctdb-eventd.js -P 1`,
    'the same options as in dist/ctdb-eventd',
  )
  t.match(
    readFileSync(join(DIST, 'ctdb-eventd'), 'utf8'),
    /exec node --max-semi-space-size=4 .*\/runner\/bin\/ctdb-eventd\.js" "\$@"\n/,
  )
  const units = join(dir, 'sys/systemd/system')
  t.match(
    readFileSync(join(units, 'ctdb.service.d/eventscript.conf'), 'utf8'),
    `\nExecStopPost=-${node} ${dist}/runner/main.js cleanup\n`,
  )
  const installed = snapshot(here)
  t.same(
    (await install({ ...options, ...found })).map(({ did, commands }) => [did, commands.length]),
    placed.map(() => ['already', 0]),
  )
  t.same(snapshot(here), installed)
  await uninstall(options)
  t.same(snapshot(here), before, 'byte for byte')
  t.same(await uninstall(options), [])
})

t.test('our own unit has the PATH of systemd, whatever ctdb.service sets', async (t) => {
  const { options, node, dir, bin } = serviceWithout(t)
  writeFileSync(join(dir, 'sys/systemd/system.conf'), `[Manager]\nDefaultEnvironment=PATH=${bin}\n`)
  const unit = () => readFileSync(join(dir, 'sys/systemd/system/eventscript-cleanup.service'), 'utf8')
  await install(options)
  t.equal(nodeNamedIn(unit()), node)
  standFor(join(bin, 'node'), 'v22.0.0')
  await install(options)
  t.equal(nodeNamedIn(unit()), undefined, 'node is in the PATH now')
})

t.test('a link becomes a file of ours and a link again, as node leaves that PATH and returns', async (t) => {
  const here = serviceWithout(t)
  const { options, bin, dist } = here
  const before = snapshot(here)
  const inPath = join(bin, 'node')
  const isLinked = () =>
    [link(handlerOf(here)), link(eventdOf(here))].map((target) => target?.startsWith(dist) ?? false)
  for (const [version, linked] of [
    ['v20.19.0', true],
    ['v20.18.3', false],
    ['v24.1.0', true],
    [undefined, false],
    ['v22.12.0', true],
  ] as const) {
    if (version === undefined) rmSync(inPath)
    else standFor(inPath, version)
    const [first] = await install({ ...options, ...found })
    t.same(isLinked(), [linked, linked], version ?? 'no node')
    t.equal(
      first?.notes.some((note) => note.includes(`${inPath} in the PATH`)),
      version === 'v20.18.3',
    )
  }
  await uninstall(options)
  t.same(snapshot(here), before)
})

t.test('a run that stops after any command is completed by install or undone by uninstall', async (t) => {
  const dry = async (here: ReturnType<typeof serviceWithout>, undo: boolean) => {
    const lines: string[] = []
    const options = { ...here.options, rehearse: true, witness: printTo(lines) }
    await (undo ? uninstall(options) : install(options))
    return lines.filter((line) => !line.startsWith('#'))
  }
  for (const from of ['stock', 'link', 'file'] as const)
    for (let after = 0, count = 1; after < count; after += 1) {
      const here = serviceWithout(t)
      const before = snapshot(here)
      if (from === 'link') {
        standFor(join(here.bin, 'node'), 'v20.19.0')
        await install(here.options)
        rmSync(join(here.bin, 'node'))
      }
      if (from === 'file') await install(here.options)
      const lines = await dry(here, from === 'file')
      count = lines.length
      await paste(lines.slice(0, after))
      const ours = readFileSync(join(here.dist, 'events.d/10.interface.script'), 'utf8')
      if (after % 2 === 1) {
        await install(here.options)
        t.match((await call(handlerOf(here))).stdout, `node ${here.dist}/events.d/10.interface.script`)
        t.notOk(existsSync(`${handlerOf(here)}.eventscript.new`))
      }
      await uninstall(here.options)
      t.same(snapshot(here), before, `from ${from}, after ${after} of ${count}`)
      t.equal(readFileSync(join(here.dist, 'events.d/10.interface.script'), 'utf8'), ours, 'our own handler')
    }
})

t.test(
  'a node that others may write to is refused, and nothing is changed',
  { skip: !root && 'only root is refused' },
  async (t) => {
    const here = serviceWithout(t)
    const before = snapshot(here)
    chmodSync(join(here.dir, 'opt'), 0o757)
    await t.rejects(install(here.options), {
      message: `no node in the PATH of ctdb.service (${here.bin}:/nonexistent), and ${here.node} cannot stand in for it: ${here.dir}/opt: everybody may write to it: CTDB would run it as root: chmod o-w ${here.dir}/opt, or install node 20.19 or newer where only root writes, as below /usr/local`,
    })
    t.same(snapshot(here), before)
    t.notOk(existsSync(join(here.dir, 'sys/systemd/system/eventscript-cleanup.service')))
  },
)

t.test(
  'the built handler and our event daemon really run, with no node in PATH',
  { skip: whyNotRoots() },
  async (t) => {
    const here = serviceWithout(t)
    const dist = DIST.replace(/\/$/, '')
    await install({ ...here.options, dist, node: process.execPath })
    t.equal(statSync(handlerOf(here)).mode & 0o777, 0o755)
    const usage = call(handlerOf(here))
    t.match(await usage, { exitCode: 1, stderr: /^usage: 10\.interface\.script EVENT/ })
    const [own, folder] = [join(dist, 'events.d'), here.legacy]
    const kinds = findScripts(folder, own).map(({ name, kind }) => [name, kind])
    t.same(
      kinds.find(([name]) => name === '10.interface'),
      ['10.interface', 'module'],
      'the handler runs inside the daemon',
    )
  },
)

t.test('the PATH of ctdbd comes from the unit, its files and drop-ins, or from systemd', async (t) => {
  const here = serviceWithout(t)
  const { env, dir } = here
  const door = doorTo(live())
  const units = join(dir, 'sys/systemd/system')
  const drop = (name: string, text: string) => {
    mkdirSync(join(units, 'ctdb.service.d'), { recursive: true })
    writeFileSync(join(units, 'ctdb.service.d', name), text)
  }
  const path = async () => (await pathOfCtdbd(door, env)).path
  drop('20.conf', '[Service]\nEnvironment=PATH=/twenty\n')
  drop('10.conf', "[Service]\nEnvironment='PATH=/ten' X=y\n")
  t.equal(await path(), '/twenty', 'the last drop-in by name counts')
  drop('30.conf', `[Service]\nEnvironmentFile=-/nonexistent\nEnvironmentFile=${dir}/environment\n`)
  writeFileSync(join(dir, 'environment'), '# a comment\nPATH="/file:/more"\n')
  t.equal(await path(), '/file:/more', 'an environment file wins')
  drop('30.conf', '[Service]\nEnvironment=\n')
  const systemd = await pathOfUnits(door, env)
  t.match(systemd, { path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', whose: 'systemd' })
  t.same(await pathOfCtdbd(door, env), systemd, 'an empty assignment resets all')
  rmSync(join(units, 'ctdb.service'))
  t.same(await pathOfCtdbd(door, env), { path: process.env['PATH'], whose: 'this shell', isGuessed: true })
})

t.test('a unit is read, and a drop-in is written, in the syntax of systemd', (t) => {
  const unit = parseUnit('[Unit]\nA=1\n# A=2\n;A=3\nA = 4 \\\n  5\n[Service]\nA=6\nB=1\nB=\nB=2\n')
  t.same([unit.get('Unit/A'), unit.get('Service/A'), unit.get('Service/B')], [['1', '4  5'], ['6'], ['2']])
  t.equal(pathIn(['A=b PATH=/a', `"B=x y" 'PATH=/b c' XPATH=/d`]), '/b c')
  t.equal(pathIn(['A=b']), undefined)
  for (const node of ['/opt/node', "/o p/$n%'"]) {
    t.same(wrappedIn(wrapperFor(node, ['--x', '/our $1'])), { node, program: '/our $1' })
    t.equal(nodeNamedIn(dropInFor('/p q', node)), node)
    t.equal(nodeNamedIn(cleanupUnitFor('/p', node)), node)
  }
  t.equal(nodeNamedIn(dropInFor('/p q')), undefined)
  t.match(
    dropInFor('/a$b/main.js', '/n'),
    'ExecStopPost=-/n /a$$b/main.js cleanup',
    'systemd expands $ in this place',
  )
  t.equal(wrappedIn('#!/bin/sh\nexec /n /p "$@"\n'), undefined)
  t.same(['v20.19.0', '20.18.9', 'v22.1.0', 'v18.20.4', 'x'].map(isNewEnough), [
    true,
    false,
    true,
    false,
    false,
  ])
  t.end()
})
