/** install and uninstall: on copies of CTDB's folders, with and without dpkg, and interrupted after every command. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from '../tap.ts'
import { declarationsIn } from '../../runner/engine/declarations.ts'
import { install, uninstall } from '../../runner/install/install.ts'
import { cleanupUnitFor, MARK, dropInFor } from '../../runner/install/unit-text.ts'
import { commandPrinter } from '../../runner/cli/dry-run.ts'
import { NO_COLOURS } from '../../runner/format/colours.ts'
import { both, link, paste, script, snapshot, world, type World } from '../lab/ctdb/ctdb-folders.ts'
import { whyNotRoots } from '../lab/ctdb/roots.ts'
import { DIST, MAIN } from '../lab/paths.ts'

const printTo = (lines: string[]) =>
  commandPrinter({ print: (line) => void lines.push(line), paints: NO_COLOURS })
const root = process.geteuid?.() === 0

/** A package that owns these files, so that dpkg writes to these places again. */
async function packaged({ dir, legacy, lib }: World, version: number): Promise<void> {
  const build = join(dir, `build${version}`)
  for (const folder of [legacy, lib, '/DEBIAN']) mkdirSync(join(build, folder), { recursive: true })
  symlinkSync(`/usr/share/stock${version}`, join(build, legacy, '10.interface.script'))
  script(join(build, lib, 'ctdb-eventd'), `echo stock ${version}`)
  writeFileSync(
    join(build, 'DEBIAN/control'),
    `Package: ctdb\nVersion: ${version}\nArchitecture: all\nMaintainer: a <a@b>\nDescription: x\n`,
  )
  await execa('dpkg-deb', ['--build', build, `${build}.deb`])
  await execa('dpkg', ['--log=/dev/null', '--install', `${build}.deb`])
}

const everything = { eventd: true, names: ['91.lvs'] }

/** The commands that a dry run prints, without the remarks. */
async function dryRun(here: World, command: 'install' | 'uninstall'): Promise<string[]> {
  const lines: string[] = []
  const options = { ...both(here), rehearse: true, witness: printTo(lines) }
  await (command === 'install' ? install({ ...options, ...everything }) : uninstall(options))
  return lines.filter((line) => !line.startsWith('#'))
}

const hasDpkg = existsSync('/usr/bin/dpkg-divert') && existsSync('/usr/bin/dpkg-deb')
const KINDS = [
  { kind: 'without a package', owned: false },
  {
    kind: 'owned by a Debian package',
    owned: true,
    skip: !hasDpkg ? 'dpkg is not installed' : !root && 'dpkg installs packages for root only',
  },
]

for (const { kind, owned, skip = false } of KINDS) {
  const prepare = async (t: Test) => {
    const here = world(t)
    if (owned) await packaged(here, 1)
    return here
  }

  t.test(`${kind}: install, a second install, and uninstall`, { skip }, async (t) => {
    const here = await prepare(t)
    const { legacy, lib, dist } = here
    const before = snapshot(here)
    const placed = await install({ ...both(here), eventd: true })
    t.match(
      placed.map(({ name, did }) => [name, did]),
      [
        ['10.interface', 'installed'],
        ['11.natgw', 'installed'],
        ['ctdb-eventd', 'installed'],
      ],
      'the enabled scripts, and no others',
    )
    t.match(placed.at(-1)?.notes, [/systemctl restart ctdb/])
    t.equal(link(join(legacy, '10.interface.script')), join(dist, 'events.d/10.interface.script'))
    t.equal(link(join(lib, 'ctdb-eventd')), join(dist, 'ctdb-eventd'))
    t.equal(link(join(legacy, '00.ctdb.script')), '/usr/share/ctdb/events/legacy/00.ctdb.script')
    t.equal(
      readFileSync(join(legacy, '13.per_ip_routing.script'), 'utf8'),
      '#!/bin/sh\necho disabled\n',
      'a disabled script stays',
    )
    const diverted = (await execa('dpkg-divert', ['--list'], { reject: false })).stdout
    t.equal((diverted ?? '').includes(`${lib}/ctdb-eventd.stock`), owned)
    const installed = snapshot(here)
    t.match(
      (await install({ ...both(here), eventd: true })).map(({ did, commands }) => [did, commands]),
      [
        ['already', []],
        ['already', []],
        ['already', []],
      ],
    )
    t.same(snapshot(here), installed)
    t.match(
      (await uninstall(both(here))).map(({ did }) => did),
      ['restored', 'restored', 'restored'],
    )
    t.same(snapshot(here), before)
    t.same((await execa('dpkg-divert', ['--list'], { reject: false })).stdout ?? '', '')
    t.same(await uninstall(both(here)), [])
    t.same(snapshot(here), before)
  })

  t.test(`${kind}: a dry run changes nothing, and its output can be pasted`, { skip }, async (t) => {
    const [here, other] = [await prepare(t), await prepare(t)]
    process.env['DPKG_ADMINDIR'] = join(here.dir, 'dpkg')
    const before = snapshot(here)
    const doing = await dryRun(here, 'install')
    t.same(snapshot(here), before)
    t.notOk(existsSync(join(here.dir, 'var')))
    await paste(doing)
    const installed = snapshot(here)
    const undoing = await dryRun(here, 'uninstall')
    t.same(snapshot(here), installed)
    await paste(undoing)
    t.same(snapshot(here), before)
    process.env['DPKG_ADMINDIR'] = join(other.dir, 'dpkg')
    await install({ ...both(other), ...everything })
    t.same(
      snapshot(other).map((line) => line.replaceAll(other.dir, here.dir)),
      installed,
      'the same result as a real run',
    )
  })

  t.test(`${kind}: after a cut at any command, both install and uninstall finish`, { skip }, async (t) => {
    const cut = async (command: 'install' | 'uninstall', after: number) => {
      const here = await prepare(t)
      const before = snapshot(here)
      if (command === 'uninstall') await install({ ...both(here), ...everything })
      const lines = await dryRun(here, command)
      await paste(lines.slice(0, after))
      return { here, before, count: lines.length }
    }
    for (const command of ['install', 'uninstall'] as const) {
      const { count } = await cut(command, 0)
      t.ok(count >= (command === 'install' ? 10 : 5), `${count} commands`)
      for (let after = 1; after <= count; after += 1) {
        const undone = await cut(command, after)
        await uninstall(both(undone.here))
        t.same(snapshot(undone.here), undone.before, `${command} cut after ${after}, then uninstall`)
        const done = await cut(command, after)
        await install({ ...both(done.here), ...everything })
        const whole = snapshot(done.here)
        t.match(await install({ ...both(done.here), ...everything }), [
          { did: 'already' },
          { did: 'already' },
          { did: 'already' },
          { did: 'already' },
        ])
        t.same(snapshot(done.here), whole)
        t.equal(whole.filter((line) => line.includes('.stock.')).length, 0, 'no file is kept twice')
        await uninstall(both(done.here))
        t.same(snapshot(done.here), done.before, `${command} cut after ${after}, then install and uninstall`)
      }
    }
  })
}

t.test(
  'an upgrade of the package writes beside our file, and uninstall restores the new version',
  { skip: KINDS[1]?.skip ?? false },
  async (t) => {
    const here = world(t)
    await packaged(here, 1)
    await install({ ...both(here), eventd: true })
    await packaged(here, 2)
    t.equal(link(join(here.legacy, '10.interface.script')), join(here.dist, 'events.d/10.interface.script'))
    t.match(
      (await install({ ...both(here), eventd: true })).map(({ did }) => did),
      ['already', 'already', 'already'],
    )
    await uninstall(both(here))
    t.equal(link(join(here.legacy, '10.interface.script')), '/usr/share/stock2')
    t.match(readFileSync(join(here.lib, 'ctdb-eventd'), 'utf8'), /stock 2/)
    t.same(
      snapshot(here).filter((line) => line.includes('.stock')),
      [],
    )
  },
)

t.test(
  "another program's diversion is not touched",
  { skip: hasDpkg ? false : 'dpkg is not installed' },
  async (t) => {
    const here = world(t)
    const place = join(here.lib, 'ctdb-eventd')
    await execa('dpkg-divert', ['--local', '--no-rename', '--divert', `${place}.mine`, '--add', place])
    const before = snapshot(here)
    await t.rejects(install({ ...both(here), eventd: true }), {
      message: `${place}: dpkg diverts it to ${place}.mine: expected no other diversion: "dpkg-divert --list ${place}" says whose it is; remove that first`,
    })
    t.same(snapshot(here), before)
  },
)

t.test('systemd cleans up after ctdbd once we are installed, and no longer after uninstall', async (t) => {
  const here = world(t)
  const units = join(here.dir, 'sys/systemd/system')
  const place = join(units, 'ctdb.service.d/eventscript.conf')
  const options = { ...both(here), env: { ...here.env, CTDB_SYS_ETCDIR: join(here.dir, 'sys') } }
  t.equal((await install(options)).length, 2, 'without systemd, nothing is written for systemd')
  mkdirSync(units, { recursive: true })
  const program = join(here.dist, 'runner/main.js')
  const before = `ExecStopPost=-${program} cleanup\n`

  const lines: string[] = []
  await install({ ...options, rehearse: true, witness: printTo(lines) })
  t.notOk(existsSync(place))
  await paste(lines.filter((line) => !line.startsWith('#')))
  t.match(readFileSync(place, 'utf8'), before)
  const pasted = readFileSync(place, 'utf8')
  rmSync(place)
  t.match((await install(options)).at(-1), { name: 'ctdb.service', place, did: 'installed' })
  t.equal(readFileSync(place, 'utf8'), pasted, "the same content as the dry run's")
  t.match((await install(options)).at(-1), { did: 'already', commands: [] })
  writeFileSync(place, readFileSync(place, 'utf8').replace(program, '/elsewhere'))
  t.match((await install(options)).at(-1), { did: 'installed' }, 'a drop-in of an earlier place is repaired')
  t.match((await uninstall(options)).at(-1), { did: 'removed' })
  t.same(readdirSync(units), [], 'the empty folder is removed too')
  t.same(await uninstall(options), [])

  mkdirSync(join(place, '..'))
  writeFileSync(place, '[Service]\nRestart=always\n')
  await t.rejects(install(options), { message: /not as "eventscript install" writes it/ })
  t.match((await uninstall(options)).at(-1), { did: 'absent', text: /is not ours and stays/ })
  t.match(readFileSync(place, 'utf8'), 'Restart=always')
})

t.test("a unit is installed beside the drop-in, as systemd may kill the drop-in's processes", async (t) => {
  const here = world(t)
  const units = join(here.dir, 'sys/systemd/system')
  mkdirSync(join(units, 'ctdb.service.d'), { recursive: true })
  const [unit, dropIn] = [
    join(units, 'eventscript-cleanup.service'),
    join(units, 'ctdb.service.d/eventscript.conf'),
  ]
  const options = { ...both(here), env: { ...here.env, CTDB_SYS_ETCDIR: join(here.dir, 'sys') } }
  const program = join(here.dist, 'runner/main.js')
  const last = async (what: typeof install) => (await what(options)).at(-1)

  writeFileSync(dropIn, `${MARK}\n[Service]\nExecStopPost=-${program} cleanup\n`)
  t.match(await last(install), { did: 'installed', place: dropIn }, 'a drop-in of the previous version')
  t.equal(readFileSync(unit, 'utf8'), cleanupUnitFor(program))
  t.match(readFileSync(unit, 'utf8'), `\nExecStart=${program} cleanup\n`)
  t.match(readFileSync(dropIn, 'utf8'), '\nOnFailure=eventscript-cleanup.service\n')

  rmSync(unit)
  t.same(
    (await last(install))?.commands.map((command) => command.replace(/^.* >/, '>')),
    [`>${unit}`],
    'only the missing file',
  )
  rmSync(dropIn)
  t.match(await last(uninstall), { did: 'removed', text: `${unit}: removed` })
  t.same(readdirSync(units), ['ctdb.service.d'])

  writeFileSync(unit, '[Service]\nExecStart=/bin/true\n')
  const before = snapshot(here)
  await t.rejects(install(options), {
    message: `${unit}: not as "eventscript install" writes it: expected it to be ours: move it away`,
  })
  t.same([snapshot(here), existsSync(dropIn)], [before, false], 'nothing is changed after a refusal')
  writeFileSync(dropIn, dropInFor(program))
  t.match(await last(uninstall), { did: 'removed', notes: [`${unit} is not ours and stays as it is`] })
  t.same(readdirSync(units), ['eventscript-cleanup.service'])
})

t.test('characters of a path that systemd would interpret are escaped', (t) => {
  const line = (path: string) => /^Exec.*$/m.exec(dropInFor(path))?.[0]
  t.equal(line('/usr/lib/node/main.js'), 'ExecStopPost=-/usr/lib/node/main.js cleanup')
  t.equal(line('/a b/100%/$y'), 'ExecStopPost=-"/a b/100%%/$y" cleanup')
  t.match(cleanupUnitFor('/a b/100%/$y'), '\nExecStart="/a b/100%%/$y" cleanup\n')
  t.end()
})

t.test('a stock file that an admin has rewritten is not lost', async (t) => {
  const here = world(t)
  const place = join(here.lib, 'ctdb-eventd')
  await install({ ...both(here), eventd: true })
  rmSync(place)
  script(place, 'echo newer')
  const again = await install({ ...both(here), eventd: true })
  t.match(again.at(-1), {
    did: 'installed',
    notes: [/ctdb-eventd\.stock\.1: the one that was kept before/, /restart/],
  })
  await uninstall(both(here))
  t.match(readFileSync(place, 'utf8'), /newer/)
  t.match(readFileSync(`${place}.stock.1`, 'utf8'), /stock/)
})

t.test('uninstall leaves a foreign file in our place, and the kept file', async (t) => {
  const here = world(t)
  const place = join(here.legacy, '11.natgw.script')
  await install(both(here))
  rmSync(place)
  script(place, 'echo a third')
  const natgw = (await uninstall(both(here))).find(({ name }) => name === '11.natgw')
  t.match(natgw, { did: 'absent', notes: [/WARNING: .*11\.natgw\.script\.stock: what install kept differs/] })
  t.match(readFileSync(place, 'utf8'), /a third/)
  t.match(readFileSync(`${place}.stock`, 'utf8'), /admin's own/)
})

t.test(
  'uninstall reports the leftovers of a handler, also after a link to another folder of ours',
  async (t) => {
    const here = world(t)
    await install({ ...both(here), names: ['91.lvs'] })
    cpSync(here.dist, join(here.dir, 'newer'), { recursive: true })
    const removed = await uninstall({ ...both(here), dist: join(here.dir, 'newer') })
    const notes = (name: string) => removed.find((each) => each.name === name)?.notes
    const declared = declarationsIn(join(here.dist, 'events.d'))['91.lvs']?.leaves ?? ''
    t.match(declared, /^an IPv6 address and its services stay: "eventscript run --only 91\.lvs shutdown" /)
    t.same(notes('91.lvs'), [declared])
    t.same(notes('10.interface'), [])
  },
)

t.test('our files are known without a record, from another folder, or without the kept file', async (t) => {
  const here = world(t)
  const place = join(here.legacy, '10.interface.script')
  const before = snapshot(here)
  await install(both(here))
  rmSync(join(here.dir, 'var'), { recursive: true })
  await uninstall(both(here))
  t.same(snapshot(here), before, 'the record is lost')
  await install(both(here))
  cpSync(here.dist, join(here.dir, 'newer'), { recursive: true })
  t.match(await install({ ...both(here), dist: join(here.dir, 'newer') }), [
    { did: 'installed', text: /: repaired$/ },
    { did: 'installed' },
  ])
  t.equal(link(place), join(here.dir, 'newer/events.d/10.interface.script'))
  rmSync(join(here.legacy, '11.natgw.script.stock'))
  t.match(await uninstall({ ...both(here), dist: join(here.dir, 'newer') }), [
    { did: 'restored' },
    {
      did: 'removed',
      notes: [/WARNING: .*11\.natgw\.script\.stock is gone: .* was a file 750: put it back by hand/],
    },
  ])
  rmSync(place)
  t.match(await install(both(here)), [{ name: '10.interface', text: /nothing was there$/ }])
  await uninstall(both(here))
  t.notOk(existsSync(place))
})

t.test('a refusal is a single line and changes nothing', async (t) => {
  const here = world(t)
  const before = snapshot(here)
  const refused = async (options: object, message: RegExp) => {
    await t.rejects(install({ ...both(here), ...options }), { message })
    t.same(snapshot(here), before)
  }
  const env = (more: object) => ({ env: { ...here.env, ...more } })
  await refused(
    { names: ['12.nosuch'] },
    /^install 12\.nosuch: no such handler of ours: "eventscript list" names them$/,
  )
  await refused(
    env({ CTDB_BASE: '/no/such' }),
    /^\/no\/such\/events\/legacy: no such folder: .* install ctdb, or set CTDB_BASE$/,
  )
  await refused(
    { ...env({ CTDB_HELPER_BINDIR: here.dir }), eventd: true },
    /\/ctdb-eventd: no such file: expected CTDB's daemon: install ctdb, or set CTDB_HELPER_BINDIR$/,
  )
  await refused(
    { dist: here.dir },
    /events\.d: no file NN\.name\.script: expected the built handlers: run "npm run build" first$/,
  )
  rmSync(join(here.dist, 'ctdb-eventd'))
  await refused(
    { eventd: true },
    /dist\/ctdb-eventd: no such file: expected ours: run "npm run build" first$/,
  )
  mkdirSync(join(here.dir, 'var/eventscript'), { recursive: true })
  for (const text of ['{', '{"version":2}', '{"version":1,"places":{"/x":{}}}', '[]', 'null']) {
    writeFileSync(join(here.dir, 'var/eventscript/installed.json'), text)
    await refused({}, /installed\.json: not as "eventscript install" has written it: .* remove it/)
  }
  rmSync(join(here.dir, 'var'), { recursive: true })
  mkdirSync(join(here.legacy, '10.interface.script.stock'))
  await t.rejects(install(both(here)), {
    message: /\.stock: neither a file nor a link: expected one: move it away$/,
  })
})

t.test(
  'a user without write permission gets a single line that says so, and may run a dry run',
  { skip: !root && 'needs root, to be another user then' },
  async (t) => {
    const here = world(t)
    chmodSync(here.dir, 0o755)
    const program = join(here.dir, 'try.mjs')
    const url = join(DIST, 'runner/install/install.js')
    writeFileSync(
      program,
      `import { install } from '${url}'
const [options] = process.argv.slice(2).map((text) => JSON.parse(text))
await install(options).then((placed) => console.log(placed[0].did, ...placed[0].notes), (error) => console.log(error.message))`,
    )
    const attempt = async (options: object) =>
      (
        await execa(
          'setpriv',
          ['--reuid', '65534', '--clear-groups', process.execPath, program, JSON.stringify(options)],
          { env: { NODE_OPTIONS: '' } },
        )
      ).stdout
    t.match(
      await attempt(both(here)),
      /legacy: this user may not write there \(EACCES\): run as root, or look with --dry-run$/,
    )
    t.equal(await attempt({ ...both(here), rehearse: true }), 'installed')
    chmodSync(here.dist, 0o757)
    t.match(
      await attempt({ ...both(here), rehearse: true }),
      /^installed WARNING: \S+dist: everybody may write to it/,
    )
  },
)

t.test('the command line reports the same', { skip: whyNotRoots() }, async (t) => {
  const here = world(t)
  const before = snapshot(here)
  const eventscript = (...words: string[]) =>
    execa(process.execPath, [MAIN, ...words], { env: here.env, reject: false })
  t.match((await eventscript('uninstall')).stdout, 'nothing of ours is installed')
  const dry = await eventscript('install', '--dry-run')
  t.match(dry.stdout, /^# 10\.interface\nln -PT \S+ \S+\.stock\nln -sfT \S+ \S+\.new\nmv -T \S+\.new \S+$/m)
  t.same(snapshot(here), before)
  t.match(
    (await eventscript('install')).stdout,
    /^10\.interface +INSTALLED +\S+ -> \S+dist\/events\.d\/10\.interface\.script: what was/m,
  )
  t.match((await eventscript('install')).stdout, /^10\.interface +ALREADY /m)
  t.match(JSON.parse((await eventscript('uninstall', '--json')).stdout), [
    { name: '10.interface', did: 'restored' },
  ])
  t.same(snapshot(here), before)
  const wrong = await eventscript('install', 'nosuch')
  t.match(wrong, { exitCode: 2, stderr: /^eventscript: install nosuch: no such handler of ours/ })
})

/** The program runs in its own namespace. All files are written to memory, and disappear with the namespace. */
const PRIVATE = `set -e
tmp=$(mktemp -d) && mount -t tmpfs tmpfs "$tmp"
for folder in /etc/ctdb /usr/libexec/ctdb /var/lib/dpkg; do
  mkdir -p "$tmp$folder/up" "$tmp$folder/work"
  mount -t overlay -o "lowerdir=$folder,upperdir=$tmp$folder/up,workdir=$tmp$folder/work" overlay "$folder"
done
mount -t tmpfs tmpfs /var/lib/ctdb
mkdir -p /etc/systemd && mount -t tmpfs tmpfs /etc/systemd && mkdir /etc/systemd/system
! [ -d /run/systemd ] || mount -t tmpfs tmpfs /run/systemd
seen() { find /etc/ctdb/events /etc/systemd /usr/libexec/ctdb -printf '%p %y %m %U:%G %l\\n' | sort; sha256sum /usr/libexec/ctdb/*; dpkg-divert --list; }
seen >"$tmp/before"
"$@" install
echo "== $(dpkg-divert --truename /usr/libexec/ctdb/ctdb-eventd)"
echo "== $(dpkg-divert --truename /etc/ctdb/events/legacy/10.interface.script)"
echo "== $(readlink /usr/libexec/ctdb/ctdb-eventd)"
echo "== $(dpkg --verify ctdb)"
grep ExecStopPost /etc/systemd/system/ctdb.service.d/eventscript.conf
"$@" uninstall
seen >"$tmp/after"
diff "$tmp/before" "$tmp/after" && echo "== as before"
umount "$tmp" 2>/dev/null || umount -l "$tmp"
rmdir "$tmp"
`

async function whyNotPrivate(): Promise<string | false> {
  if (!root) return 'needs root, for dpkg'
  if (!hasDpkg || !existsSync('/usr/libexec/ctdb/ctdb-eventd')) return 'needs Debian and its package ctdb'
  const attempt = `t=$(mktemp -d) && mount -t tmpfs t $t && mkdir $t/u $t/w && mount -t overlay -o lowerdir=/etc/ctdb,upperdir=$t/u,workdir=$t/w o /etc/ctdb; s=$?; umount -l $t; rmdir $t; exit $s`
  const { failed, stderr } = await execa('unshare', ['-m', '--propagation', 'private', 'sh', '-c', attempt], {
    reject: false,
  })
  return failed ? `this machine forbids overlays in a mount namespace: ${stderr.trim()}` : false
}

t.test(
  "this machine's own ctdb and dpkg work with install, in a private mount namespace",
  { skip: await whyNotPrivate() },
  async (t) => {
    const here = world(t)
    const program = join(here.dir, 'both.mjs')
    const url = join(DIST, 'runner/install/install.js')
    writeFileSync(
      program,
      `import { install, uninstall } from '${url}'
const options = { dist: '${here.dist}', env: {} }
const placed = process.argv[2] === 'install' ? await install({ ...options, eventd: true }) : await uninstall(options)
for (const { name, did } of placed) console.log(name, did)`,
    )
    const namespace = ['-m', '--propagation', 'private', 'sh', '-c', PRIVATE, 'sh', process.execPath, program]
    const env = { ...process.env, NODE_OPTIONS: '', DPKG_ADMINDIR: '/var/lib/dpkg' }
    const { stdout, stderr, exitCode } = await execa('unshare', namespace, { reject: false, env })
    t.equal(exitCode, 0, stderr)
    t.match(stdout, /^10\.interface installed\nctdb-eventd installed\nctdb\.service installed\n/)
    t.match(
      stdout,
      '== /usr/libexec/ctdb/ctdb-eventd.stock\n== /etc/ctdb/events/legacy/10.interface.script.stock\n',
    )
    t.match(stdout, `== ${here.dist}/ctdb-eventd\n`)
    t.match(stdout, `\nExecStopPost=-${here.dist}/runner/main.js cleanup\n`)
    t.match(stdout, /^10\.interface restored\nctdb-eventd restored\nctdb\.service removed\n== as before$/m)
  },
)

void t.test('uninstall refuses while an address is parked, and changes nothing', async (test) => {
  const here = world(test)
  await install(both(here))
  const before = snapshot(here)
  const folder = join(here.dir, 'var/eventscript')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'parked'), '10.0.0.1 24 eth0 - 52:54:00:12:34:56\n')
  await test.rejects(uninstall(both(here)), /10\.0\.0\.1 parked on this node: .*systemctl stop ctdb/)
  rmSync(join(folder, 'parked'))
  test.same(snapshot(here), before)
  test.not((await uninstall(both(here))).length, 0)
})
