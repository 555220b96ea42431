/** What root will run is checked before anything is changed: our files, what they load, node, and the folders of our links. */
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from '../tap.ts'
import { install } from '../../runner/install/install.ts'
import { writableBy } from '../../runner/install/trust/access.ts'
import { homesIn, isPersons } from '../../runner/install/trust/homes.ts'
import { packagesFor } from '../../runner/install/trust/packages.ts'
import { wayTo } from '../../runner/install/trust/way.ts'
import { both, script, snapshot, world, type World } from '../lab/ctdb/ctdb-folders.ts'

const root = process.geteuid?.() === 0
const skip = !root && 'only root is refused'

interface Installation extends World {
  options: Parameters<typeof install>[0] & { eventd: boolean }
  /** The folder of the units of systemd. */
  units: string
  /** The first and the second folder of the PATH of ctdbd; node is in the second. */
  path: [string, string]
}

/** A package with what it needs, below a folder of root's: `far` lies above it (hoisted), `near` is a link as pnpm makes one. */
function installation(t: Test): Installation {
  const here = world(t)
  const { dir, env } = here
  addPackage(join(dir, 'node_modules'), 'far', { '@deep/one': '1' })
  addPackage(join(dir, 'node_modules'), '@deep/one', {}, { absent: '1' })
  addPackage(join(dir, 'store'), 'near', {})
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ dependencies: { far: '1', near: '1' } }))
  symlinkSync('../store/near', join(dir, 'node_modules/near'))
  const units = join(dir, 'sys/systemd/system')
  mkdirSync(join(units, 'ctdb.service.d'), { recursive: true })
  const path: [string, string] = [join(dir, 'first'), join(dir, 'second')]
  for (const folder of path) mkdirSync(folder)
  mkdirSync(join(dir, 'opt'))
  script(join(dir, 'opt/node'), 'echo v20.19.0')
  symlinkSync('../opt/node', join(path[1], 'node'))
  writeFileSync(join(units, 'ctdb.service'), `[Service]\nEnvironment=PATH=${path.join(':')}\n`)
  writeFileSync(join(dir, 'sys/systemd/system.conf'), `[Manager]\nDefaultEnvironment=PATH=${path[1]}\n`)
  const options = { ...both(here), env: { ...env, CTDB_SYS_ETCDIR: join(dir, 'sys') }, eventd: true }
  return { ...here, options, units, path }
}

function addPackage(folder: string, name: string, dependencies: object, optionalDependencies = {}): void {
  mkdirSync(join(folder, name, 'lib'), { recursive: true })
  writeFileSync(join(folder, name, 'package.json'), JSON.stringify({ dependencies, optionalDependencies }))
  writeFileSync(join(folder, name, 'lib/code.js'), '')
}

t.test('where only root writes, nothing is refused', { skip }, async (t) => {
  const { options } = installation(t)
  const placed = await install(options)
  t.same(
    placed.map(({ did }) => did),
    ['installed', 'installed', 'installed', 'installed'],
  )
  t.same(
    placed.flatMap(({ notes }) => notes).filter((note) => note.startsWith('WARNING')),
    [],
  )
})

const PACKAGE = 'install the package where only root writes'
const FOLDER = 'have this folder where only root writes'
const NODE = 'install node 20.19 or newer where only root writes, as below /usr/local'

const OPEN: [path: (here: Installation) => string, instead: string][] = [
  [({ dist }) => join(dist, 'events.d'), PACKAGE],
  [({ dist }) => join(dist, 'events.d/10.interface.script'), PACKAGE],
  [({ dir }) => join(dir, 'package.json'), PACKAGE],
  [({ dir }) => join(dir, 'node_modules'), PACKAGE],
  [({ dir }) => join(dir, 'node_modules/far'), PACKAGE],
  [({ dir }) => join(dir, 'node_modules/far/package.json'), PACKAGE],
  [({ dir }) => join(dir, 'node_modules/far/lib/code.js'), PACKAGE],
  [({ dir }) => join(dir, 'node_modules/@deep/one/lib'), PACKAGE],
  [({ dir }) => join(dir, 'store'), PACKAGE],
  [({ dir }) => join(dir, 'store/near/lib/code.js'), PACKAGE],
  [({ dir }) => join(dir, 'opt'), NODE],
  [({ dir }) => join(dir, 'opt/node'), NODE],
  [({ path }) => path[0], NODE],
  [({ path }) => path[1], NODE],
  [({ legacy }) => legacy, FOLDER],
  [({ legacy }) => dirname(legacy), FOLDER],
  [({ lib }) => lib, FOLDER],
  [({ units }) => units, FOLDER],
  [({ units }) => join(units, 'ctdb.service.d'), FOLDER],
]

t.test('a path that others may write to is refused, and nothing is changed', { skip }, async (t) => {
  for (const [pathIn, instead] of OPEN) {
    const here = installation(t)
    const [path, before] = [pathIn(here), snapshot(here)]
    chmodSync(path, 0o757)
    await t.rejects(install(here.options), {
      message: `${path}: everybody may write to it: CTDB would run it as root: chmod o-w ${path}, or ${instead}`,
    })
    chownSync(path, 12, 12)
    chmodSync(path, 0o755)
    await t.rejects(install(here.options), {
      message: `${path}: owned by user 12, expected root: CTDB would run it as root: chown root ${path}, or ${instead}`,
    })
    chownSync(path, 1000, 1000)
    await t.rejects(install(here.options), {
      message: `${path}: owned by user 1000, expected root: CTDB would run it as root: ${instead}`,
    })
    t.same(snapshot(here), before)
    chownSync(path, 0, 0)
    await install(here.options)
  }
})

t.test('in a folder in which names are looked up, others must not add any', { skip }, async (t) => {
  for (const pathIn of [
    ({ legacy }: Installation) => legacy,
    ({ path }: Installation) => path[0],
    ({ dir }: Installation) => join(dir, 'node_modules'),
    ({ dir }: Installation) => join(dir, 'node_modules/far'),
    ({ units }: Installation) => units,
  ]) {
    const here = installation(t)
    chmodSync(pathIn(here), 0o1777)
    await t.rejects(install(here.options), { message: /: everybody may write to it: / })
  }
})

t.test('a node that others may replace is not run to learn its version', { skip }, async (t) => {
  const { options, dir } = installation(t)
  const seen = join(dir, 'seen')
  script(join(dir, 'opt/node'), `touch ${seen}; echo v20.19.0`, 0o757)
  await t.rejects(install(options), { message: /opt\/node: everybody may write to it/ })
  t.throws(() => unlinkSync(seen), { code: 'ENOENT' })
})

t.test('a package that is missing is refused, as anybody above might provide it', async (t) => {
  const { options, dir } = installation(t)
  rmSync(join(dir, 'node_modules/far'), { recursive: true })
  await t.rejects(install(options), {
    message: /: no package far here or in a folder above: expected one, .*: install the package again$/,
  })
})

t.test('packages are found as node finds them', (t) => {
  const { dir } = installation(t)
  const { found, searched } = packagesFor(dir)
  t.same(
    found.map((path) => path.slice(dir.length + 1)).toSorted(),
    ['node_modules/@deep/one', 'node_modules/far', 'node_modules/near'],
    'of those that others need as well, and not what is optional and absent',
  )
  t.same(searched.map((path) => path.slice(dir.length + 1)).toSorted(), ['node_modules', 'node_modules/far'])
  t.end()
})

t.test('on the way to a path each link counts, and each folder that it passes', (t) => {
  const { dir } = world(t)
  mkdirSync(join(dir, 'a/b'), { recursive: true })
  symlinkSync('../c', join(dir, 'a/link'))
  symlinkSync(join(dir, 'a/b'), join(dir, 'c'))
  symlinkSync('round', join(dir, 'round'))
  const below = (path: string) => wayTo(path).filter((each) => each.startsWith(`${dir}/`))
  t.same(
    below(join(dir, 'a/link/.')),
    ['a', 'a/link', 'c', 'a/b'].map((name) => join(dir, name)),
  )
  t.same(below(join(dir, 'a/none/x')), [join(dir, 'a')], 'what does not exist ends the way')
  t.same(below(join(dir, 'round')), [join(dir, 'round')])
  t.end()
})

t.test("what is a person's is known by its owner, or by a home folder", (t) => {
  const homes = homesIn(
    'root:x:0:0::/root:/bin/sh\nbin:x:2:2::/bin:/x\nann:x:1000:1000::/data/ann/:/x\nx:x:1001:1::/:\n',
  )
  t.same(homes, ['/data/ann'])
  for (const [path, uid, isTheirs] of [
    ['/data/ann/node', 33, true],
    ['/data/annex', 33, false],
    ['/home/eve', 33, true],
    ['/srv/x', 1000, true],
    ['/root/x', 33, false],
    ['/bin/node', 2, false],
  ] as const)
    t.equal(isPersons(path, uid, homes), isTheirs, path)
  t.same(writableBy({ path: '/home/eve', kind: 'folder', uid: 1000, gid: 0, mode: 0o755 }), {
    seen: 'owned by user 1000, expected root',
  })
  t.end()
})

t.test('a mode says who may write', (t) => {
  const safe = { path: '/x', kind: 'folder', uid: 0, gid: 0, mode: 0o755 } as const
  t.equal(writableBy(safe), undefined)
  t.equal(writableBy({ ...safe, mode: 0o775 }), undefined, "root's own group")
  t.same(writableBy({ ...safe, mode: 0o775, gid: 50 }), {
    seen: 'group 50 may write to it',
    repair: 'chmod g-w /x',
  })
  t.equal(writableBy({ ...safe, mode: 0o1777 }), undefined, 'a sticky folder')
  t.match(writableBy({ ...safe, mode: 0o1777 }, { isSearched: true }), { seen: /everybody/ })
  t.match(writableBy({ ...safe, kind: 'file', mode: 0o1777 }), { seen: /everybody/ })
  t.equal(writableBy({ ...safe, kind: 'link', mode: 0o777 }), undefined)
  t.match(writableBy({ ...safe, kind: 'link', uid: 7 }), { repair: 'chown -h root /x' })
  t.end()
})
