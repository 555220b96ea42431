/** Files on file systems that may hang: which they are, and that nobody waits for them longer than they want. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../tap.ts'
import { FileError, Interrupted } from '../../runner/machine/errors.ts'
import { live } from '../../runner/machine/live/live.ts'
import { parseMounts, reachHere, reachOf } from '../../runner/machine/files/may-hang.ts'
import { Stopper } from '../../runner/machine/stop.ts'

const MOUNTS = parseMounts(
  [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '30 22 0:5 / /proc rw - proc proc rw',
    '31 22 0:6 / /cluster rw - fuse.glusterfs srv:/vol rw',
    '32 22 8:2 / /srv/with\\040blank rw - xfs /dev/sdb rw',
    '33 22 0:7 / /home rw - autofs systemd-1 rw',
    '34 22 8:3 / /twice rw - nfs4 a:/ rw',
    '35 34 8:3 / /twice rw - ext4 /dev/sdc rw',
  ].join('\n'),
)

/** A tree of these files; a value is the target of a link, or the kind of the file. */
const tree =
  (files: Record<string, string>) =>
  (path: string): ReturnType<Parameters<typeof reachOf>[2]> => {
    if (MOUNTS.get(path) !== undefined && path !== '/twice' && !path.startsWith('/srv'))
      throw new Error(`${path} was touched`)
    const file =
      files[path] ?? (Object.keys(files).some((each) => each.startsWith(`${path}/`)) ? 'plain' : '')
    if (file === '') return { kind: 'missing' }
    return file === 'plain' || file === 'other' ? { kind: file } : { kind: 'link', target: file }
  }

t.test('a file is far where another host or process serves it, and nothing there is touched', (t) => {
  const look = tree({
    '/etc/ctdb/public_addresses': '/cluster/ctdb/public_addresses',
    '/etc/ctdb/nodes': '../../etc/nodes',
    '/etc/nodes': 'plain',
    '/etc/pipe': 'other',
    '/etc/loop': '/etc/loop',
    '/etc/up': '../../../../cluster',
    '/srv/with blank/nodes': 'plain',
    '/twice/nodes': 'plain',
  })
  const place = (path: string) => reachOf(path, MOUNTS, look)
  t.equal(place('/cluster/nodes'), 'far')
  t.equal(place('/cluster'), 'far')
  t.equal(place('/home/someone/list'), 'far', 'an automounter may wait for a server')
  t.equal(place('/etc/ctdb/public_addresses'), 'linked')
  t.equal(place('/etc/up/nodes'), 'linked')
  t.equal(place('/etc/pipe'), 'special', 'a pipe may have no writer')
  t.equal(place('/etc/ctdb/nodes'), 'near')
  t.equal(place('/etc/missing'), 'near')
  t.equal(place('/etc/loop'), 'near', 'the read says ELOOP')
  t.equal(place('/srv/with blank/nodes'), 'near')
  t.equal(place('/twice/nodes'), 'near', 'the file system mounted last counts')
  t.equal(place('/etc/../cluster/x'), 'far')
  t.end()
})

/** A pipe without a writer: whoever opens it for reading waits. */
function silentPipe(t: Test): string {
  const path = join(t.testdir({}), 'pipe')
  execFileSync('mkfifo', [path])
  return path
}

t.test(
  'who reads a file that does not answer waits until its deadline, or as long as it wants',
  async (t) => {
    const pipe = silentPipe(t)
    t.equal(reachHere(pipe), 'special')
    await t.rejects(live().read(pipe, { within: 100 }), {
      code: 'ETIMEDOUT',
      message: `cannot read ${pipe}: no answer, its file system hangs`,
    })
    const stop = new Stopper()
    const reads = live({ signal: stop }).read(pipe)
    setTimeout(() => stop.abort(new Error('the time is up')), 100)
    await t.rejects(reads, Interrupted)
    t.match(await reads.catch((error: unknown) => error), { running: `read ${pipe}` })
  },
)

t.test(
  'those who read the same file share a reader, and one that gives up takes nothing from the others',
  async (t) => {
    const pipe = silentPipe(t)
    const impatient = t.rejects(live().read(pipe, { within: 50 }), FileError)
    const patient = live().read(pipe, { within: 60_000 })
    await impatient
    const writer = spawn('sh', ['-c', 'printf "1.2.3.4/24 eth0\\n\\351\\n" >"$1"', 'sh', pipe])
    t.equal(await patient, '1.2.3.4/24 eth0\n\udce9\n', 'also bytes that are no UTF-8')
    t.not(writer.pid, undefined)
    await t.rejects(live().read(pipe, { within: 50 }), FileError, 'and the next look is a new one')
  },
)

t.test('a link whose target is missing is no missing file', async (t) => {
  const dir = t.testdir({ there: 'text' })
  symlinkSync('/nowhere/list', join(dir, 'dangling'))
  symlinkSync('/nowhere', join(dir, 'folder'))
  symlinkSync('there', join(dir, 'good'))
  t.equal(await live().read(join(dir, 'good')), 'text')
  t.equal(await live().read(join(dir, 'missing')), undefined)
  t.equal(await live().read(join(dir, 'missing/below')), undefined)
  t.equal(await live().read(join(dir, 'there/below')), undefined, 'below a file')
  for (const name of ['dangling', 'folder/list'])
    await t.rejects(live().read(join(dir, name)), {
      code: 'DANGLING',
      message: /a link whose target does not exist/,
    })
})

t.test('a file with no end is refused', async (t) => {
  await t.rejects(live().read('/dev/zero'), { code: 'EFBIG' })
})

t.test('a far file is written through its link, and keeps its mode', async (t) => {
  const { writerOf } = await import('../../runner/machine/files/far-file.ts')
  const dir = t.testdir({ far: { list: 'old\n' } })
  symlinkSync('far/list', join(dir, 'list'))
  execFileSync('chmod', ['640', join(dir, 'far/list')])
  const [program, ...words] = writerOf(join(dir, 'list'), 'all')
  execFileSync(program, words, { input: 'new\n' })
  t.equal(readFileSync(join(dir, 'far/list'), 'utf8'), 'new\n')
  t.equal(execFileSync('stat', ['-c', '%a', join(dir, 'far/list')]).toString(), '640\n')
  t.equal(execFileSync('ls', [join(dir, 'far')]).toString(), 'list\n')
  mkdirSync(join(dir, 'new'))
  writeFileSync(join(dir, 'x'), '')
  execFileSync(program, [...words.slice(0, -1), join(dir, 'new/file')], { input: 'text' })
  t.equal(readFileSync(join(dir, 'new/file'), 'utf8'), 'text')
})
