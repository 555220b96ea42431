/**
 * The explanation of a hung script: of processes that really hang, and of texts of /proc that this machine cannot
 * produce.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import t, { type Test } from '../tap.ts'
import { hungReport } from '../../runner/eventd/hung/report.ts'
import type { HungSnapshot } from '../../runner/eventd/hung/snapshot.ts'
import { explainHung } from '../../runner/eventd/hung/explain.ts'
import * as proc from '../../runner/eventd/hung/proc.ts'
import { altered, doorTo } from '../../runner/machine/machine.ts'
import { live } from '../../runner/machine/live/live.ts'

const door = doorTo(live())

/** A folder with a short path: the explanation cuts a long command line. */
function folder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'hung-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A script as ctdb-eventd starts the script: `NN.name.script`, in a process group of its own. Its folder is the current. */
function script(
  t: Test,
  text: string,
  name = '10.foo',
  dir = folder(t),
): ChildProcess & { pid: number; dir: string } {
  const file = join(dir, `${name}.script`)
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  const child = spawn(file, ['monitor'], { cwd: dir, detached: true, stdio: ['ignore', 'ignore', 'ignore'] })
  const pid = child.pid ?? 0
  t.teardown(() => {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // The process has ended.
    }
  })
  return Object.assign(child, { pid, dir })
}

/** The explanation with this verdict, and a line like `also`. Processes need a moment until they hang. */
async function explained(t: Test, pid: number, expected: RegExp, also = /^/): Promise<string[]> {
  let lines: string[] = []
  for (const last = Date.now() + 20_000; Date.now() < last; await sleep(100)) {
    lines = await explainHung(door, pid, { limit: 10_000 })
    if (expected.test(lines[0] ?? '') && lines.some((line) => also.test(line))) break
  }
  t.match(lines[0], expected, lines.join('\n'))
  t.ok(lines.length <= 60)
  t.comment(lines.join('\n'))
  return lines
}

t.test('a script whose program sleeps is explained', async (t) => {
  const { pid } = script(t, 'sleep 1000; :')
  const lines = await explained(
    t,
    pid,
    new RegExp(
      `^10\\.foo \\(pid ${pid}\\) has used \\d+ s: sleep 1000 \\(pid \\d+\\), started \\d+ s ago, waits`,
    ),
  )
  t.match(lines[0], /for its own timer/)
  t.match(
    lines.at(-2),
    new RegExp(`^  pid ${pid} /bin/sh .*10.foo.script monitor: \\d+ s old, S: waits for sleep 1000`),
  )
  t.match(
    lines.at(-1),
    /^ {4}pid \d+ sleep 1000: \d+ s old, S: waits for its own timer \(it sleeps\) \[.*nanosleep\]/,
  )
  t.ok(lines.some((line) => /last program started: sleep 1000 \(pid \d+\), \d+ s ago/.test(line)))
})

t.test('a lock whose holder is a program is explained', async (t) => {
  const { pid, dir } = script(t, ': >lock; flock lock sleep 1000 & sleep 0.5; exec flock lock true')
  const named = await explainHung(door, pid, { name: '40.lock' })
  t.match(named[0], `40.lock (pid ${pid}) has used`)
  const lines = await explained(t, pid, /waits in flock for \S+\/lock \(WRITE\), held by pid \d+/)
  t.match(lines[0], `${dir}/lock`)
  t.match(lines[0], /held by pid \d+ \((flock lock )?sleep 1000|held by pid \d+ \(flock lock sleep 1000/)
  t.ok(lines.some((line) => /pid \d+ holds a lock \(FLOCK WRITE\) on \S+\/lock/.test(line)))
})

t.test(
  'a lock as CTDB takes it in another script: flock(1) has ended, the shell still has the lock',
  async (t) => {
    const holder = script(t, '(flock 9; : >taken; exec sleep 1000) 9>lock', '20.holder')
    await explained(t, holder.pid, /sleep 1000/)
    const { dir } = holder
    const waiting = script(t, '(flock --timeout 900 9 || exit 1) 9>lock; :', '10.foo', dir)
    const lines = await explained(t, waiting.pid, /in flock for/)
    t.match(
      lines[0],
      new RegExp(
        `^10\\.foo .*flock --timeout 900 9 \\(pid \\d+\\), started \\d+ s ago, waits in flock for ${dir}/lock`,
      ),
    )
    t.match(lines[0], /held by pid \d+ \(sleep 1000, \d+ s old\), since at most \d+ s/)
  },
)

t.test('a POSIX lock is explained', async (t) => {
  const perl = 'use Fcntl qw(:DEFAULT :flock SEEK_SET); open(F, "+>>", "lock"); '
  const take = `${perl} my $l = pack("s s l! l! i", F_WRLCK, SEEK_SET, 0, 0, 0); fcntl(F, F_SETLKW, $l) or die; sleep 1000`
  const { pid } = script(t, `perl -e '${take}' & sleep 1; exec perl -e '${take}'`)
  await explained(t, pid, /waits in a POSIX lock for \S+\/lock \(WRITE\), held by pid \d+ \(perl/)
})

t.test('a pipe without a writer is explained, and a pipe whose writer hangs', async (t) => {
  const alone = script(t, 'mkfifo fifo; exec 8<>fifo; read line <&8')
  await explained(t, alone.pid, /it waits for data from \S+\/fifo/)
  const reader = /cat: .*waits for data from pipe:\[\d+\], which sleep 1000 \(pid \d+\) writes to/
  const lines = await explained(
    t,
    script(t, 'sleep 1000 | cat', '30.pipe').pid,
    /^30\.pipe .* sleep 1000 \(pid \d+\), started \d+ s ago, waits for its own timer/,
    reader,
  )
  t.ok(lines.some((line) => reader.test(line)))
})

t.test('a stopped process is named, even if another process sleeps', async (t) => {
  const { pid } = script(t, 'sleep 999 & sleep 1000 & sleep 0.5; kill -STOP $!; wait')
  await explained(t, pid, /sleep 1000 \(pid \d+\), started \d+ s ago, is stopped: "kill -CONT"/)
})

t.test('a grandchild without a parent is found, also after the end of its script', async (t) => {
  const left = script(t, '(sleep 1000 & )')
  await new Promise((resolve) => left.once('exit', resolve))
  await explained(
    t,
    left.pid,
    new RegExp(`^pid ${left.pid} has ended, but left behind sleep 1000 \\(pid \\d+\\), which waits`),
  )
  const gone = script(t, ':', '30.gone')
  await new Promise((resolve) => gone.once('exit', resolve))
  const lines = await explainHung(door, gone.pid)
  t.equal(lines.length, 1)
  t.match(lines[0], /has ended meanwhile/)
})

t.test('a hundred processes are reported in 60 lines', async (t) => {
  const { pid } = script(t, 'for i in $(seq 100); do sleep 1000 & done; wait')
  let lines: string[] = []
  for (const last = Date.now() + 20_000; lines.length < 59 && Date.now() < last; await sleep(100))
    lines = await explainHung(door, pid, { limit: 10_000 })
  t.equal(lines.length, 59)
  t.match(lines.at(-1), /… and \d+ lines more/)
})

t.test('no source of facts can hold up the explanation, or make it throw', async (t) => {
  const hanging = altered(live(), { run: () => new Promise(() => {}), read: () => new Promise(() => {}) })
  const began = performance.now()
  const late = await explainHung(doorTo(hanging), 1, { limit: 200 })
  t.ok(performance.now() - began < 10_000)
  t.same(late, ['pid 1 is hung; ps did not say why', '  not all was seen within 200 ms'])
  const broken = altered(live(), { run: () => Promise.reject(new Error('ps: not found')) })
  t.same(await explainHung(doorTo(broken), 1), [
    'pid 1 is hung; ps did not say why',
    '  not all was seen: ps: not found',
  ])
  const half = altered(live(), {
    run: (_verb, [program]) =>
      program === 'ps'
        ? Promise.resolve({
            status: 0,
            out: ' 7 1 7 D nfs_wait 30 /bin/sh /x/60.nfs.script monitor\n',
            err: '',
          })
        : new Promise(() => {}),
  })
  const [verdict, ...rest] = await explainHung(doorTo(half), 7, { limit: 200 })
  t.equal(
    verdict,
    '60.nfs (pid 7) has used 30 s: it waits for an NFS server; no signal ends it before that (state D)',
  )
  t.equal(rest.at(-1), '  not all was seen within 200 ms')
})

t.test('locks are read as several kernels print them', (t) => {
  const text = `1: FLOCK  ADVISORY  WRITE 23052 fe:00:2146409 0 EOF
1: -> FLOCK  ADVISORY  WRITE 23053 fe:00:2146409 0 EOF
1:  -> FLOCK  ADVISORY  READ 23054 fe:00:2146409 0 EOF
2: OFDLCK ADVISORY  READ -1 08:01:7 128 EOF
3: POSIX  ADVISORY  WRITE 99 <none>:0 0 0
nonsense
`
  const flock = { id: 1, waits: false, kind: 'FLOCK', mode: 'WRITE', pid: 23052, inode: 'fe:00:2146409' }
  t.same(proc.parseLocks(text), [
    flock,
    { ...flock, waits: true, pid: 23053 },
    { ...flock, waits: true, mode: 'READ', pid: 23054 },
    { id: 2, waits: false, kind: 'OFDLCK', mode: 'READ', pid: -1, inode: '08:01:7' },
    { id: 3, waits: false, kind: 'POSIX', mode: 'WRITE', pid: 99, inode: '<none>:0' },
  ])
  t.same(proc.parseHolders('/proc/5/fdinfo/9:lock:\t1: FLOCK  ADVISORY  WRITE 23052 fe:00:2146409 0 EOF\n'), [
    { ...flock, holder: 5, fd: 9 },
  ])
  t.end()
})

t.test('files, system calls and stacks are read', (t) => {
  t.same(proc.parseFiles('/proc/5/fd/9 l-wx------ /a b\n/proc/5/fd/0 lr-x------ pipe:[1]\nfind: no\n'), [
    { pid: 5, fd: 9, writes: true, target: '/a b' },
    { pid: 5, fd: 0, writes: false, target: 'pipe:[1]' },
  ])
  t.equal(proc.firstArgument('73 0x3 0x2 0x0 0x1b6 0x7ffe 0x0 0x7f 0x7f\n'), 3)
  t.equal(proc.firstArgument('232 0x7ffe1ff52050 0x0 \n'), undefined)
  t.equal(proc.firstArgument('running\n'), undefined)
  t.equal(proc.firstArgument(''), undefined)
  t.same(
    proc.parseStack('[<0>] pipe_read+0x82/0x180\n[<0>] vfs_read+0x1/0x2\n[<0>] do_syscall_64+0x71/0x280\n'),
    ['pipe_read', 'vfs_read'],
  )
  t.end()
})

t.test('any facts give between 1 and 60 lines, each of limited length', (t) => {
  const pid = fc.integer({ min: 1, max: 12 })
  const inode = fc.constantFrom('1:2:3', '<none>:0')
  const kind = fc.constantFrom('FLOCK', 'POSIX')
  const mode = fc.constantFrom('READ', 'WRITE')
  const one = fc.record({
    pid,
    ppid: fc.integer({ min: 0, max: 12 }),
    pgid: pid,
    state: fc.constantFrom('S', 'D', 'R', 'T', 'Z', 'X', 'I'),
    wchan: fc.constantFrom('-', 'do_wait', 'pipe_read', 'anon_pipe_write', 'hrtimer_nanosleep', 'odd'),
    age: fc.nat(),
    args: fc.string({ maxLength: 500 }),
  })
  const facts: fc.Arbitrary<HungSnapshot> = fc.record({
    processes: fc.array(one, { maxLength: 80 }),
    locks: fc.array(fc.record({ id: pid, waits: fc.boolean(), kind, mode, pid, inode })),
    files: fc.array(
      fc.record({ pid, fd: fc.nat(3), writes: fc.boolean(), target: fc.constantFrom('pipe:[1]', '/x') }),
    ),
    holders: fc.array(fc.record({ holder: pid, fd: fc.nat(3), inode, kind, mode }), { maxLength: 80 }),
    waitsIn: fc.array(fc.tuple(pid, fc.nat(3))).map((pairs) => new Map(pairs)),
    stacks: fc.array(fc.tuple(pid, fc.array(fc.string()))).map((pairs) => new Map(pairs)),
  })
  fc.assert(
    fc.property(facts, pid, (facts, pid) => {
      const lines = hungReport(facts, pid)
      return lines.length > 0 && lines.length < 60 && lines.every((line) => line.length <= 400)
    }),
  )
  t.pass('no counterexample')
  t.end()
})
