/** The facts that decide the last act: when a process is gone, and which process has locked a pid file. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from '../tap.ts'
import { isEventDaemon, lockPidFile, parentIn } from '../../runner/eventd/process/pid-file.ts'
import { isFailoverDisabled } from '../../runner/eventd/conf/conf.ts'
import { isEnding, parseStat, ProcessWatch, TrackedProcess } from '../../runner/eventd/process/ctdbd-watch.ts'
import { DIST } from '../lab/paths.ts'
import { countsText } from '../../runner/eventd/last-act/release-everything.ts'

const stat = (name: string, state: string, flags: number) =>
  `4711 (${name}) ${state} 1 4711 4711 0 -1 ${flags} 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2 3\n`

t.test('a process is gone as soon as it begins to end, even before its parent notices', (t) => {
  const isGone = (state: string, flags: number) => {
    const found = parseStat(stat('ctdbd', state, flags))
    return found && isEnding(found)
  }
  t.equal(isGone('S', 0x400040), false)
  t.equal(isGone('T', 0x40), false, 'the process is stopped')
  t.equal(isGone('Z', 0x40), true)
  t.equal(isGone('R', 0x44), true, 'the process is closing its connections')
  t.equal(isGone('D', 0x600), true, 'the process dumps core')
  t.match(
    parseStat(stat('a) R 1 (b', 'S', 64)),
    { state: 'S', flags: 64, start: '98765' },
    'the process has an odd name',
  )
  t.equal(parseStat(''), undefined)
  t.end()
})

/** A program that the test kills. */
function begin(t: Test, code: string) {
  const child = spawn(process.execPath, ['-e', code], { env: { PATH: process.env['PATH'] }, stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  return { pid: child.pid ?? 0, child, ended: once(child, 'exit') }
}

t.test('when the connection of a killed process is closed, the process counts as gone', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'es-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const server = createServer().listen(join(dir, 's'))
  t.teardown(() => server.close())
  const { pid, child } = begin(t, `require('net').connect('${dir}/s'); setInterval(() => {}, 1e6)`)
  const [client] = (await once(server, 'connection')) as [NodeJS.ReadableStream]
  const parent = new ProcessWatch(pid)
  t.equal(parent.isGone(), false)
  let told = 0
  parent.start(() => (told += 1))
  parent.look()
  t.equal(told, 0)
  client.resume()
  child.kill('SIGKILL')
  await once(client, 'close')
  parent.look()
  t.equal(told, 1)
  parent.look()
  t.equal(told, 1, 'the end is reported once')
  t.equal(new TrackedProcess(0x7fffffff).isGone(), true, 'the process never existed')
})

t.test('the words of an event daemon name the watched process', (t) => {
  const daemon = ['node', 'runner/bin/ctdb-eventd.js']
  t.equal(parentIn([...daemon, '-P', '12', '-S', '14']), 12)
  t.equal(parentIn([...daemon, '-P12']), 12)
  t.equal(parentIn(['eventscript', 'eventd', '--pid=12']), 12)
  t.equal(parentIn(['eventscript', 'eventd', '--pid', '12']), 12)
  t.equal(parentIn([...daemon, '-S', '14']), undefined)
  t.equal(parentIn([...daemon, '-P']), undefined)
  t.end()
})

t.test('an event daemon is recognised by its words, whatever starts the daemon', (t) => {
  const started = readFileSync(join(DIST, 'ctdb-eventd'), 'utf8')
  const [, ours = ''] = /(\/runner\/[^"]+)"/.exec(started) ?? []
  t.match(ours, /\.js$/)
  for (const program of [
    `/opt/eventscript/dist${ours}`,
    '/opt/eventscript/dist/runner/daemon/main.js',
    '/usr/libexec/ctdb/ctdb-eventd',
  ])
    t.ok(isEventDaemon(['node', program, '-P', '1']), program)
  t.ok(isEventDaemon(['node', '/usr/bin/eventscript', 'eventd']))
  t.notOk(isEventDaemon(['node', '/usr/bin/eventscript', 'cleanup']))
  t.notOk(isEventDaemon(['cat', '/run/ctdb/eventd.pid']))
  t.end()
})

t.test('the pid file of a daemon that is about to end is waited for, of another daemon not', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'es-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'eventd.pid')
  const first = await lockPidFile(file)
  const daemon = begin(t, 'setInterval(() => {}, 1e6)')
  const asDaemon = (parent: number) => {
    const own = spawn(
      process.execPath,
      ['-e', 'setInterval(() => {}, 1e6)', '--', '/usr/libexec/ctdb/ctdb-eventd', '-P', `${parent}`],
      { env: { PATH: process.env['PATH'] }, stdio: 'ignore' },
    )
    t.teardown(() => own.kill('SIGKILL'))
    writeFileSync(file, `${own.pid}\n`)
  }
  asDaemon(daemon.pid)
  await t.rejects(lockPidFile(file), { name: 'LockBusy' }, 'the ctdbd of the daemon lives')
  asDaemon(0)
  await t.rejects(lockPidFile(file), { name: 'LockBusy' }, 'the daemon has no ctdbd')
  asDaemon(daemon.pid)
  daemon.child.kill('SIGKILL')
  await daemon.ended
  let isFree = false
  setTimeout(() => {
    isFree = true
    rmSync(file)
    void first()
  }, 300)
  const second = await lockPidFile(file)
  t.ok(isFree, 'the lock comes only after the end of the first holder')
  await second()
  writeFileSync(file, `${process.pid}\n`)
  const third = await lockPidFile(file)
  const waits = lockPidFile(file)
  await third()
  await (
    await waits
  )()
  t.pass('a process that is no event daemon, such as a cleanup, is waited for too')
})

/**
 * Two files with the same inode number. A process locks a file as ctdb-eventd does, while our daemon claims
 * either of the two.
 */
const CLAIM = `set -e
mkdir a b; mount -t tmpfs a a; mount -t tmpfs b b; : >a/pid; : >b/pid
test "$(stat -c %i a/pid)" = "$(stat -c %i b/pid)"
perl -MFcntl=:DEFAULT,SEEK_SET -e 'open(F, "+<", shift); $0 = "ctdb-eventd"; syswrite(F, $$); my $l = pack("s s l! l! i", F_WRLCK, SEEK_SET, 0, 0, 0); fcntl(F, F_SETLK, $l) or die; exit(system(@ARGV) >> 8)' "$@"`

const tmpfs = await execa('unshare', ['-rm', 'mount', '-t', 'tmpfs', 't', '/mnt'], { reject: false })
const skip = tmpfs.failed && 'this machine forbids mount namespaces'

t.test('a lock of ctdb-eventd counts only on this very file', { skip }, async (t) => {
  const claim = `import { lockPidFile } from '${new URL('../../runner/eventd/process/pid-file.js', import.meta.url).href}'
await (await lockPidFile('b/pid').catch((error) => { console.log(error.message); process.exit(3) }))()`
  const program = join(t.testdir({}), 'claim.mjs')
  writeFileSync(program, claim)
  const words = ['-rm', '--propagation', 'private', 'sh', '-c', CLAIM, 'sh']
  const claimed = (locked: string) =>
    execa('unshare', [...words, locked, process.execPath, program], {
      cwd: mkdtempSync(join(t.testdirName, 'at-')),
      env: { NODE_OPTIONS: '' },
      reject: false,
    })
  t.match(await claimed('b/pid'), { exitCode: 3, stdout: /^b\/pid is locked by pid \d+$/ })
  t.match(await claimed('a/pid'), { exitCode: 0, stdout: '', stderr: '' })
})

t.test('[failover] disabled is read as CTDB reads it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'es-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const heard: string[] = []
  const unread = (why: string) => heard.push(why)
  const isDisabled = (text: string) => {
    writeFileSync(join(dir, 'ctdb.conf'), text)
    return isFailoverDisabled(join(dir, 'ctdb.conf'), unread)
  }
  t.equal(await isDisabled('[failover]\n\tdisabled = true\n'), true)
  t.equal(await isDisabled('[failover]\ndisabled=Yes\n'), true)
  t.equal(await isDisabled('[failover]\n\tdisabled = false\n'), false)
  t.equal(await isDisabled('[legacy]\n\tdisabled = true\n'), false)
  t.equal(await isDisabled('# [failover]\n'), false)
  rmSync(join(dir, 'ctdb.conf'))
  t.equal(await isFailoverDisabled(join(dir, 'ctdb.conf'), unread), false)
  t.same(heard, [], 'nothing of that name is the default, and no fault')
  symlinkSync('/nowhere/ctdb.conf', join(dir, 'ctdb.conf'))
  t.equal(await isFailoverDisabled(join(dir, 'ctdb.conf'), unread), false)
  t.match(heard, [/^cannot read .*ctdb\.conf: a link whose target does not exist/])
})

t.test('the last act is reported in words', (t) => {
  t.equal(countsText({ addresses: 0, rules: 0, sysctls: 0 }), '')
  t.equal(countsText({ addresses: 1, rules: 0, sysctls: 2 }), '1 address dropped, 2 sysctls put back')
  t.end()
})
