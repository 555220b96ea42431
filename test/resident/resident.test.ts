import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa, execaSync } from 'execa'
import t, { type Test } from '../tap.ts'
import { AnnounceLoop } from '../../runner/net/announce/loop.ts'
import { Attendant, WorkerEnded, type Worker } from '../../runner/resident/programs/deadline.ts'
import { burst, shared } from '../../runner/resident/batch/burst.ts'
import { connections } from '../../runner/resident/batch/ss-batch.ts'
import { Files } from '../../runner/resident/files.ts'
import { blockingRule } from '../../runner/net/clients/blocking-rule.ts'
import { changeAgain, firewall, transaction } from '../../runner/resident/batch/iptables-batch.ts'
import { foreseen } from '../../runner/resident/prefetch.ts'
import { inGoodOrder, performTasks, type Deletion, type Task } from '../../runner/resident/batch/ip-tasks.ts'
import { answersIn } from '../../runner/resident/batch/ip-talk.ts'
import { LockHolder } from '../../runner/resident/locks/lock-holder.ts'
import { Locks } from '../../runner/resident/locks/locks.ts'
import type { KeptBack } from '../../runner/resident/locks/one-lock.ts'
import { ShellProgramSender } from '../../runner/resident/programs/send-by-programs.ts'
import { PerlFrameSender } from '../../runner/resident/programs/send-frames.ts'
import { ProcessPool } from '../../runner/resident/programs/process-pool.ts'
import { altered, doorTo, type Answer } from '../../runner/machine/machine.ts'
import { Interrupted, LockBusy } from '../../runner/machine/errors.ts'
import { live } from '../../runner/machine/live/live.ts'

const ok: Answer = { status: 0, out: '', err: '' }
const noRules = { ...ok, out: '-P INPUT ACCEPT\n' }

t.test('requests that arrive together are done together, and later requests are done next', async (t) => {
  const seen: (readonly number[])[] = []
  const twice = burst<number, number>((items) => {
    seen.push(items)
    return Promise.resolve(items.map((item) => item * 2))
  })
  t.same(await Promise.all([twice(1), twice(2)]), [2, 4])
  t.equal(await twice(3), 6)
  t.same(seen, [[1, 2], [3]])
})

t.test('a question that several events ask at once is asked once', async (t) => {
  let asked = 0
  const ask = shared(([word]) => Promise.resolve(`${word} ${(asked += 1)}`))
  t.same(await Promise.all([ask(['a']), ask(['a']), ask(['b'])]), ['a 1', 'a 1', 'b 2'])
  t.equal(await ask(['a']), 'a 3')
})

t.test('an error of ip -batch belongs to the line that the error names', (t) => {
  // Recorded with iproute2 6.1: "ip -json -force -batch - 2>&1".
  const text = `[{"ifindex":1,"ifname":"lo","addr_info":[]}]
Error: ipv4: Address already assigned.
Command failed -:3
Cannot find device "nosuch"
Command failed -:4
Object "eventscript" is unknown, try "ip help".
Command failed -:6
`
  t.same(answersIn(text, 2, 4), [
    ok,
    { status: 2, out: '', err: 'Error: ipv4: Address already assigned.\n' },
    { status: 2, out: '', err: 'Cannot find device "nosuch"\n' },
    { status: 0, out: '[{"ifindex":1,"ifname":"lo","addr_info":[]}]\n', err: '' },
  ])
  t.end()
})

/** A deletion by itself. */
const deletion = (address: string): Deletion => ({
  kind: 'deletion',
  line: ['addr', 'del', `${address}/24`, 'dev', 'eth0'],
  place: place(address),
})

t.test('changes that arrive with deletions are done before the deletions', async (t) => {
  const { lines, ask } = batchOf(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
  const added: Task = { kind: 'change', line: ['addr', 'add', '10.0.0.9/24', 'dev', 'eth0'] }
  const { seen = '' } = await performTasks([{ kind: 'look' }], ask, '')
  await performTasks([deletion('10.0.0.1'), added, deletion('10.0.0.3')], ask, seen)
  t.same(lines, [
    'addr show',
    'addr add 10.0.0.9/24 dev eth0',
    'addr del 10.0.0.3/24 dev eth0',
    'addr del 10.0.0.1/24 dev eth0',
  ])
})

t.test('addresses that are deleted together are deleted from the last to the first', (t) => {
  const held = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((local) => ({ local, prefixlen: 24 }))
  const seen = JSON.stringify([{ ifname: 'eth0', addr_info: held }])
  t.same(inGoodOrder([deletion('10.0.0.1'), deletion('10.0.0.3')], seen), [
    deletion('10.0.0.3'),
    deletion('10.0.0.1'),
  ])
  t.same(inGoodOrder([deletion('10.0.0.1')], ''), [deletion('10.0.0.1')])
  t.end()
})

/** An `ip` that shows these addresses of eth0, and whose lines fail where the caller says so. */
function batchOf(addresses: readonly string[], failing: readonly string[] = []) {
  const lines: string[] = []
  const held = addresses.map((local, i) => ({
    family: 'inet',
    local,
    prefixlen: 24,
    broadcast: '10.0.0.255',
    ...(i > 0 ? { secondary: true } : {}),
  }))
  const out = JSON.stringify([{ ifname: 'eth0', addr_info: held }])
  const ask = (asked: readonly (readonly string[])[]) => {
    const texts = asked.map((line) => line.join(' '))
    lines.push(...texts)
    const answer = (text: string) =>
      failing.includes(text)
        ? { status: 2, out: '', err: 'no buffer\n' }
        : { ...ok, out: text === 'addr show' ? out : '' }
    return Promise.resolve(texts.map(answer))
  }
  return { lines, ask }
}
const place = (address: string) => ({ address, bits: 24, iface: 'eth0' })
const guarded = (...addresses: string[]): Task => ({ kind: 'guarded', places: addresses.map(place) })

t.test('half of what a look prints is no answer', (t) => {
  t.same(answersIn('[{"ifindex":1,"ifname":"lo"}]\n', 1, 1), [
    { status: 0, out: '[{"ifindex":1,"ifname":"lo"}]\n', err: '' },
  ])
  t.same(answersIn('[{"ifindex":1,"ifna\n', 1, 1), [{ status: 0, out: '', err: '' }])
  t.end()
})

t.test('an ip that shows nothing at all has not answered: a process of its own is asked', async (t) => {
  const ask = () => Promise.resolve([{ status: 0, out: '', err: '' }])
  t.same((await performTasks([{ kind: 'look' }], ask, '')).answers, [undefined])
})

t.test(
  'after a deletion the other addresses of the subnet return, but no address that is to be deleted',
  async (t) => {
    const { lines, ask } = batchOf(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    const tasks: Task[] = [
      { kind: 'look' },
      // Planned when 10.0.0.2 was to stay, and 10.0.0.3 was not there yet.
      guarded('10.0.0.1'),
      { kind: 'change', line: ['addr', 'add', 'fd00::1/64', 'dev', 'eth0'] },
      guarded('10.0.0.2'),
    ]
    const { answers } = await performTasks(tasks, ask, '')
    t.same(
      answers.map((answer) => answer?.status),
      [0, 0, 0, 0],
    )
    t.same(lines, [
      'addr add fd00::1/64 dev eth0',
      'addr show',
      'addr add 10.0.0.3/32 dev eth0',
      'addr del 10.0.0.2/24 dev eth0',
      'addr del 10.0.0.1/24 dev eth0',
      'addr add 10.0.0.3/24 dev eth0 brd 10.0.0.255',
      'addr del 10.0.0.3/32 dev eth0',
      'addr show',
    ])
  },
)

t.test('an address that does not return fails the event that deleted the address', async (t) => {
  const lost = 'addr add 10.0.0.3/24 dev eth0 brd 10.0.0.255'
  const { ask } = batchOf(['10.0.0.1', '10.0.0.2', '10.0.0.3'], [lost])
  const { answers } = await performTasks([guarded('10.0.0.1'), guarded('10.0.0.2')], ask, '')
  t.same(answers, [{ status: 2, out: '', err: `no buffer\nCommand failed ${lost}\n` }, ok])
})

t.test('an ip that has ended has answered no event', async (t) => {
  const gone = () => Promise.resolve(undefined)
  t.same((await performTasks([guarded('10.0.0.1'), { kind: 'look' }], gone, '')).answers, [
    undefined,
    undefined,
  ])
})

t.test(
  'the rules of a burst are a single transaction for each family; if it fails, the rule at fault is found by halves',
  async (t) => {
    const rule = (program: string, address: string) => [
      program,
      '-w',
      '3',
      '-I',
      'INPUT',
      '-d',
      address,
      '-j',
      'DROP',
    ]
    const run: string[] = []
    let works = true
    let lock: Answer | undefined
    const change = firewall(
      (argv) => {
        run.push(argv.join(' '))
        return Promise.resolve(argv.includes('10.0.0.2') ? { status: 1, out: '', err: 'no' } : noRules)
      },
      (program, input) => {
        run.push(`${program}: ${input.split('\n').length} lines`)
        return Promise.resolve(lock ?? (works ? ok : { status: 2, out: '', err: 'line 2 failed' }))
      },
    )
    const all = [rule('iptables', '10.0.0.1'), rule('iptables', '10.0.0.2'), rule('ip6tables', 'fd00::1')]
    t.match(await Promise.all(all.map(change)), [{ status: 0 }, { status: 0 }, { status: 0 }])
    t.same(run.splice(0), ['iptables-restore: 5 lines', 'ip6tables -w 3 -I INPUT -d fd00::1 -j DROP'])
    works = false
    t.match(await Promise.all(all.map(change)), [{ status: 0 }, { status: 1, err: 'no' }, { status: 0 }])
    t.equal(run.length, 5)
    run.length = 0
    works = true
    const busy = { status: 4, out: '', err: 'Another app is currently holding the xtables lock.' }
    lock = busy
    t.match(await Promise.all(all.slice(0, 2).map(change)), [busy, busy])
    t.same(run, ['iptables-restore: 5 lines'], 'the lock is not waited for once more for each rule')
    t.equal(transaction(all.slice(0, 1)), '*filter\n-I INPUT -d 10.0.0.1 -j DROP\nCOMMIT\n')
  },
)

t.test('a rule that cannot be set costs a burst few programs, and no other rule', async (t) => {
  let programs = 0
  const failing = 'INPUT 137 '
  const answer = (fails: boolean) => {
    programs += 1
    return Promise.resolve(fails ? { status: 2, out: '', err: 'no' } : noRules)
  }
  const change = firewall(
    (argv) => answer(`${argv.join(' ')} `.includes(failing)),
    (_program, input) =>
      // as a kernel without root says of a message that is too long
      answer(input.split('\n').length > 300 || input.includes(`${failing}\n`)),
  )
  const rules = Array.from({ length: 1000 }, (_, i) => ['iptables', '-w', '3', '-I', 'INPUT', `${i} `])
  const answers = await Promise.all(rules.map(change))
  t.same(
    answers.flatMap(({ status }, i) => (status === 0 ? [] : [i])),
    [137],
  )
  t.ok(programs <= 40, `${programs} programs`)
})

t.test('a transaction that fails after its work puts no rule in twice', async (t) => {
  const rule = (address: string) => blockingRule({ address, iface: 'eth0', marked: true }, '-I')
  const listed = (address: string) =>
    `-A INPUT -d ${address}/32 -i eth0 -m comment --comment eventscript -j DROP\n`
  const all = [rule('10.0.0.1'), rule('10.0.0.2')]
  const failed = { status: 1, out: '', err: 'no' }
  const run: string[] = []
  for (const look of [
    { ...ok, out: `-P INPUT ACCEPT\n${listed('10.0.0.1')}${listed('10.0.0.2')}` },
    failed,
  ]) {
    const change = firewall(
      (argv) => {
        run.push(argv.join(' '))
        return Promise.resolve(look)
      },
      () => Promise.resolve(failed),
    )
    const answer = look === failed ? failed : ok
    t.same(await Promise.all(all.map(change)), [answer, answer])
    t.same(run.splice(0), ['iptables -w 3 -S INPUT'])
  }
})

t.test('a single look at connections serves all events that ask, and each event sees its own', async (t) => {
  const asked: string[] = []
  const look = connections((argv) => {
    asked.push(argv.join(' '))
    const out = '0 0 10.0.0.1:445 10.0.0.9:1\n0 0 [::ffff:10.0.0.2]:445 [::ffff:10.0.0.9]:2\n'
    return Promise.resolve({ ...ok, out })
  })
  const ask = (address: string) => look(['ss', '-tnH', 'state', 'established', 'src', `[${address}]`])
  const [one, two, three] = await Promise.all([ask('10.0.0.1'), ask('10.0.0.2'), ask('10.0.0.3')])
  t.same(asked, ['ss -tnH state established ( src [10.0.0.1] or src [10.0.0.2] or src [10.0.0.3] )'])
  t.match(one?.out, /^0 0 10\.0\.0\.1:445 [^\n]*\n$/)
  t.match(two?.out, /10\.0\.0\.2/)
  t.equal(three?.out, '')
})

t.test('many writes under the same lock are a single write, on disk before the lock is free', async (t) => {
  const disk = new Map<string, string>()
  const writes: string[] = []
  const machine = new Files({
    find: () => Promise.resolve(undefined),
    read: (path) => Promise.resolve(disk.get(path)),
    write(path, text) {
      writes.push(text)
      disk.set(path, text)
      return Promise.resolve()
    },
  })
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-locks-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'list')
  const lock = `${path}.lock`
  const held = new Locks(machine)
  t.teardown(() => held.close())
  const add = async (name: string) => {
    const { release } = await held.hold(lock, 5).held
    await machine.write(path, `${(await machine.read(path)) ?? ''}${name}\n`, { until: lock })
    await release()
    return disk.get(path)
  }
  const seen = await Promise.all(['a', 'b', 'c'].map(add))
  t.same(writes, ['a\nb\nc\n'])
  t.same(seen, ['a\nb\nc\n', 'a\nb\nc\n', 'a\nb\nc\n'], 'no event goes on before the write')
})

t.test('a disk that fails fails every event that wrote', async (t) => {
  const machine = new Files({
    find: () => Promise.resolve(undefined),
    read: () => Promise.resolve(''),
    write: () => Promise.reject(new Error('the disk is full')),
  })
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-locks-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const held = new Locks(machine)
  t.teardown(() => held.close())
  const lock = join(dir, 'list.lock')
  const write = async () => {
    const { release } = await held.hold(lock, 5).held
    await machine.write(join(dir, 'list'), 'x', { until: lock })
    await release()
  }
  const ends = await Promise.allSettled([write(), write()])
  t.match(ends, [{ reason: { message: 'the disk is full' } }, { reason: { message: 'the disk is full' } }])
})

t.test('a lock has several holders if all agree, and none while another process has the lock', async (t) => {
  const nothing: KeptBack = { any: () => false, putDown: () => Promise.resolve() }
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-locks-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'lock')
  const ours = new Locks(nothing)
  const theirs = new Locks(nothing)
  t.teardown(() => [ours, theirs].forEach((each) => each.close()))
  const together = await Promise.all([1, 2].map(() => ours.hold(path, 5, { together: true }).held))
  t.equal(together.length, 2, 'both holders have the lock')
  await t.rejects(theirs.hold(path, 0).held, LockBusy)
  for (const { release } of together) await release()
  const first = await ours.hold(path, 5).held
  let second = false
  const waiting = ours.hold(path, 5).held.then((held) => {
    second = true
    return held
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.notOk(second, 'a single holder at a time')
  await first.release()
  await (await waiting).release()

  const sharedWithOthers = await Promise.all([
    ours.hold(`${path}.s`, 5, { shared: true }).held,
    theirs.hold(`${path}.s`, 5, { shared: true }).held,
  ])
  await t.rejects(
    ours.hold(`${path}.s`, 0).held,
    LockBusy,
    'the lock is not exclusive while another holder shares the lock',
  )
  await sharedWithOthers[1].release()
  await sharedWithOthers[0].release()
  await (await ours.hold(`${path}.s`, 0).held).release() // and at once after the last holder has left
})

t.test('a shell that stays starts programs and keeps their outputs, statuses and words apart', async (t) => {
  const pool = new ProcessPool()
  t.teardown(() => pool.close())
  const word = `a 'b' "c" $HOME \\ *`
  t.match(await pool.run(['printf', '%s|', word, '']), { status: 0, out: `${word}||`, err: '' })
  t.match(await pool.run(['sh', '-c', 'echo out; echo err >&2; exit 7']), {
    status: 7,
    out: 'out\n',
    err: 'err\n',
  })
  t.match(await pool.run(['sh', '-c', 'kill -9 $$']), { status: 137, signal: 'SIGKILL' })
  t.equal(await pool.run(['echo', 'two\nlines']), undefined, 'the pool refuses a word with a newline')
  const many = await Promise.all(
    Array.from({ length: 40 }, (_, i) => pool.run(['sh', '-c', `sleep 0.02; echo ${i}`])),
  )
  t.same(
    many.map((answer) => answer?.out),
    Array.from({ length: 40 }, (_, i) => `${i}\n`),
  )
  let kill = () => {}
  const hung = pool.run(['sleep', '600'], (shell) => (kill = () => shell.kill()))
  setTimeout(() => kill(), 200)
  await t.rejects(hung, WorkerEnded)
  t.match(await pool.run(['echo', 'well']), { out: 'well\n' })
})

t.test('only work that is certainly needed is begun early', (t) => {
  t.match(foreseen('takeip', ['eth0', '10.0.0.1', '24'], '/v'), {
    ask: ['iptables', '-w', '3', '-S', 'INPUT'],
    lock: '/v/my-public-ip-addresses.lock',
  })
  t.equal(foreseen('takeip', ['eth0', 'fd00::1', '64'], '/v'), undefined)
  t.equal(foreseen('takeip', ['eth0', 'rubbish', '24'], '/v'), undefined)
  t.equal(foreseen('monitor', [], '/v'), undefined)
  t.end()
})

/** A lock of this process, and a lock of another: whether `flock -n` gets the lock. */
function lockPlace(t: Test): { path: string; ours: Locks; isFree: () => boolean } {
  const nothing: KeptBack = { any: () => false, putDown: () => Promise.resolve() }
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-locks-'))
  const ours = new Locks(nothing)
  t.teardown(() => {
    ours.close()
    rmSync(dir, { recursive: true })
  })
  const path = join(dir, 'lock')
  return { path, ours, isFree: () => !execaSync('flock', ['-n', path, 'true'], { reject: false }).failed }
}

t.test('a waiter for a lock that another event here holds waits no longer than its own limit', async (t) => {
  const { path, ours } = lockPlace(t)
  const first = await ours.hold(path, 5).held
  await t.rejects(ours.hold(path, 0).held, /cannot lock .*lock: other events of this daemon/)
  await t.rejects(ours.hold(path, 1).held, LockBusy)
  const patient = ours.hold(path, 20).held
  await first.release()
  await (await patient).release()
})

t.test('a caller without patience hears at once that others here share the lock', async (t) => {
  const { path, ours } = lockPlace(t)
  const { release } = await ours.hold(path, 5, { shared: true }).held
  await t.rejects(ours.hold(path, 0).held, /other events of this daemon/)
  await release()
  await (await ours.hold(path, 0).held).release()
})

t.test('a lock that is granted after the last waiter has left is released', async (t) => {
  const { path, ours, isFree } = lockPlace(t)
  const first = await ours.hold(path, 5).held
  const late = ours.hold(path, 5)
  late.withdraw()
  await t.rejects(late.held, LockBusy)
  const granted = ours.hold(path, 5)
  await first.release()
  granted.withdraw() // in the same moment
  await granted.held.catch(() => {})
  while (!isFree()) await sleep(50)

  const theirs = execa('flock', [path, 'sh', '-c', 'echo mine; read -r end'], {
    stdin: 'pipe',
    reject: false,
  })
  await once(theirs.stdout, 'data')
  const waiting = ours.hold(path, 20)
  while (ours.pid(path) === undefined) await sleep(10)
  waiting.withdraw()
  await t.rejects(waiting.held, LockBusy)
  theirs.stdin.end()
  await theirs
  while (!isFree()) await sleep(50)
  t.pass('another process gets the lock')
})

t.test(
  'a free lock is granted also to an event that does not wait, however late the process starts',
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'eventscript-slow-'))
    const { PATH } = process.env
    t.teardown(() => {
      process.env['PATH'] = PATH
      rmSync(dir, { recursive: true })
    })
    writeFileSync(join(dir, 'sh'), '#!/bin/sh\nsleep 0.4\nexec /bin/sh "$@"\n', { mode: 0o755 })
    process.env['PATH'] = `${dir}:${PATH}`
    const locks = new Locks({ any: () => false, putDown: () => Promise.resolve() })
    t.teardown(() => locks.close())
    const { release } = await locks.hold(join(dir, 'lock'), 0).held
    await t.resolves(release(), 'the lock is granted')
  },
)

t.test('a lock is taken by perl, or by flock(1) where perl is missing', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-locks-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  for (const program of ['sh', 'flock']) symlinkSync(`/usr/bin/${program}`, join(dir, program))
  const { PATH } = process.env
  for (const path of [PATH, dir]) {
    process.env['PATH'] = path
    const [ours, theirs] = [
      new LockHolder(join(dir, 'lock'), { isShared: false }),
      new LockHolder(join(dir, 'lock'), { isShared: false }),
    ]
    await ours.take(5)
    t.match(readFileSync(`/proc/${ours.pid}/cmdline`, 'utf8'), path === dir ? /^sh/ : /^perl/)
    await t.rejects(theirs.take(0), LockBusy)
    await t.rejects(theirs.take(1), /another process has held it for 1 s/)
    const patient = theirs.take(20)
    await ours.letGo()
    await patient
    await t.rejects(ours.take(0), LockBusy)
    await theirs.letGo()
    await ours.take(0)
    ours.close()
    theirs.close()
  }
  process.env['PATH'] = PATH
})

/** Work for several events, done by a single worker that hangs until the worker is ended. */
function hanging() {
  let tries = 0
  const waiting: ((error: Error) => void)[] = []
  let worker: Worker | undefined
  const begin = () => {
    worker ??= {
      pid: 1000 + (tries += 1),
      kill() {
        worker = undefined
        for (const reject of waiting.splice(0)) reject(new WorkerEnded('ended'))
      },
    }
    return worker
  }
  return {
    tries: () => tries,
    work: {
      done: () => new Promise<string>((_resolve, reject) => (begin(), waiting.push(reject))),
      again: () => Promise.resolve('done again'),
      by: () => worker,
    },
  }
}

function soon(): AbortSignal {
  const clock = new AbortController()
  setTimeout(() => clock.abort(), 50)
  return clock.signal
}

const never = () => new AbortController().signal

t.test('work that is ended at the deadline of an event is done again for the others', async (t) => {
  const { work } = hanging()
  const looked: number[] = []
  const beforeEnd = (pid: number) => Promise.resolve(void looked.push(pid))
  const others = [1, 2].map(() => new Attendant({ signal: never() }).attend(['ip'], work))
  await t.rejects(new Attendant({ signal: soon(), beforeEnd }).attend(['ip'], work), Interrupted)
  t.same(await Promise.all(others), ['done again', 'done again'])
  t.same(looked, [1001], 'the worker was examined before the end')
})

t.test('the deadline of an event does not end work that serves other events only', async (t) => {
  let kills = 0
  const busy: Worker = { pid: 1, kill: () => void (kills += 1) }
  const queued = { done: () => new Promise<string>(() => {}), by: (): Worker | undefined => undefined }
  await t.rejects(new Attendant({ signal: soon() }).attend(['ip'], queued), Interrupted)
  t.equal(kills, 0)
  await t.rejects(
    new Attendant({ signal: soon() }).attend(['ip'], { ...queued, by: () => busy }),
    Interrupted,
  )
  t.equal(kills, 1)
})

t.test('an event past its deadline ends after the program that had to be killed', async (t) => {
  let isGone = false
  let reject: (error: Error) => void = () => {}
  const kill = () =>
    void setTimeout(() => {
      isGone = true
      reject(new WorkerEnded('ended'))
    }, 20)
  const work = { done: () => new Promise<string>((_, fail) => (reject = fail)), by: () => ({ pid: 1, kill }) }
  await t.rejects(new Attendant({ signal: soon() }).attend(['ip'], work), Interrupted)
  t.ok(isGone)
})

t.test('work that no event waits for any more has its own time limit', async (t) => {
  const awake = setInterval(() => {}, 1000) // The timers of the checks alone keep no process alive.
  t.teardown(() => clearInterval(awake))
  const cancelled = new AbortController()
  const hung = hanging()
  const ending = new Attendant({ signal: cancelled.signal, atOnce: () => true, cap: 50 }).attend(
    ['ss'],
    hung.work,
  )
  const other = new Attendant({ signal: never() }).attend(['ss'], hung.work)
  cancelled.abort()
  await t.rejects(ending, Interrupted)
  t.ok(hung.work.by(), 'other events may wait for the work')
  t.equal(await other, 'done again')
  const undo = hanging()
  await t.rejects(new Attendant({ signal: soon(), cap: 50 }).finish(['iptables'], undo.work), Interrupted)
  const patient = hanging()
  const inTime = new Attendant({ signal: never(), cap: 50 }).finish(['iptables'], patient.work)
  await sleep(300)
  t.ok(patient.work.by(), 'an undo within its time limit may finish')
  patient.work.by()?.kill()
  t.equal(await inTime, 'done again')
})

t.test('a rule whose change was interrupted is not changed twice', async (t) => {
  const run: string[] = []
  const answers = (status: number) => (argv: readonly string[]) => {
    run.push(argv[3] ?? '')
    return Promise.resolve({ ...ok, status: argv[3] === '-C' ? status : 0 })
  }
  const rule = (verb: string) => ['iptables', '-w', '3', verb, 'INPUT', '-d', '10.0.0.1', '-j', 'DROP']
  await changeAgain(rule('-I'), answers(0))
  await changeAgain(rule('-I'), answers(1))
  await changeAgain(rule('-D'), answers(0))
  await changeAgain(rule('-D'), answers(1))
  t.same(run, ['-C', '-C', '-I', '-C', '-D', '-C'])
})

t.test('an announcement whose look fails is tried again, and fails no other event', async (t) => {
  const packets = t.testdir()
  const log = join(packets, 'log')
  for (const program of ['arping', 'ip'])
    writeFileSync(join(packets, program), `#!/bin/sh\necho "$*" >>${log}\n`, { mode: 0o755 })
  const { PATH } = process.env
  process.env['PATH'] = `${packets}:${PATH}`
  let isBroken = true
  let versions = 0
  const machine = altered(live(), {
    run(_verb, argv) {
      const [program, , , , , address = ''] = argv
      if (program === 'arping' && (versions += 1) === 1) return Promise.reject(new Error('no arping now'))
      if (program === 'arping') return Promise.resolve({ ...ok, out: 'arping from iputils 20221126\n' })
      if (address === '10.0.0.2' && isBroken) return Promise.reject(new Error('no look now'))
      const held = { local: address, prefixlen: 24, family: 'inet', scope: 'global' }
      return Promise.resolve({ ...ok, out: JSON.stringify([{ ifname: 'eth0', addr_info: [held] }]) })
    },
  })
  const door = doorTo(machine)
  const complaints: string[] = []
  const complain = (line: string) => void complaints.push(line)
  const all = new AnnounceLoop({
    doorForARound: () => door,
    concede: () => Promise.reject(new Error('nobody else has these')),
    ask: () => ({ isOpen: false, ended: Promise.resolve() }),
    complain,
    areMoving: () => false,
    frames: new PerlFrameSender(complain),
    programs: new ShellProgramSender(complain),
  })
  t.teardown(() => {
    all.close()
    process.env['PATH'] = PATH
  })
  for (const address of ['10.0.0.1', '10.0.0.2']) all.add({ mode: 'usual', address, iface: 'eth0' })
  const sent = (address: string) => existsSync(log) && readFileSync(log, 'utf8').includes(address)
  while (!sent('10.0.0.1')) await sleep(50)
  t.notOk(sent('10.0.0.2'))
  t.match(complaints, [/no look now: it is tried again/, /no arping now/])
  isBroken = false
  while (!sent('10.0.0.2')) await sleep(50)
})
