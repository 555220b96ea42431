import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { burst, shared } from '../runner/resident/burst.ts'
import { connections, sourceOf } from '../runner/resident/connections.ts'
import { files } from '../runner/resident/files.ts'
import { firewall, transaction } from '../runner/resident/firewall.ts'
import { foreseen } from '../runner/resident/foresight.ts'
import { answersIn, inGoodOrder } from '../runner/resident/ip.ts'
import { locks, type KeptBack } from '../runner/resident/locks.ts'
import { shells } from '../runner/resident/shells.ts'
import type { Answer } from '../runner/system/door.ts'
import { LockBusy } from '../runner/system/errors.ts'

const ok: Answer = { status: 0, out: '', err: '' }

t.test('what comes together is done together, and what comes meanwhile is done next', async (t) => {
  const seen: (readonly number[])[] = []
  const twice = burst<number, number>((items) => {
    seen.push(items)
    return Promise.resolve(items.map((item) => item * 2))
  })
  t.same(await Promise.all([twice(1), twice(2)]), [2, 4])
  t.equal(await twice(3), 6)
  t.same(seen, [[1, 2], [3]])
})

t.test('a question that several put at once is put once', async (t) => {
  let asked = 0
  const ask = shared(([word]) => Promise.resolve(`${word} ${(asked += 1)}`))
  t.same(await Promise.all([ask(['a']), ask(['a']), ask(['b'])]), ['a 1', 'a 1', 'b 2'])
  t.equal(await ask(['a']), 'a 3')
})

t.test('an error of ip -batch belongs to the line that it names', (t) => {
  // recorded: iproute2 6.1, "ip -json -force -batch - 2>&1"
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

t.test('addresses that go together go from the last to the first', (t) => {
  const held = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((local) => ({ local, prefixlen: 24 }))
  const seen = JSON.stringify([{ ifname: 'eth0', addr_info: held }])
  const line = (verb: string, address: string) => ['addr', verb, `${address}/24`, 'dev', 'eth0']
  t.same(inGoodOrder([line('del', '10.0.0.1'), line('add', '10.0.0.9'), line('del', '10.0.0.3')], seen), [
    line('add', '10.0.0.9'),
    line('del', '10.0.0.3'),
    line('del', '10.0.0.1'),
  ])
  t.same(inGoodOrder([line('del', '10.0.0.1')], ''), [line('del', '10.0.0.1')])
  t.end()
})

t.test(
  'rules of a burst are one transaction for each family; if it fails, each is tried alone',
  async (t) => {
    const rule = (program: string, address: string) => [
      program,
      '-w',
      '-I',
      'INPUT',
      '-d',
      address,
      '-j',
      'DROP',
    ]
    const run: string[] = []
    let works = true
    const change = firewall(
      (argv) => {
        run.push(argv.join(' '))
        return Promise.resolve(argv.includes('10.0.0.2') ? { status: 1, out: '', err: 'no' } : ok)
      },
      (program, input) => {
        run.push(`${program}: ${input.split('\n').length} lines`)
        return Promise.resolve(works ? ok : { status: 2, out: '', err: 'line 2 failed' })
      },
    )
    const all = [rule('iptables', '10.0.0.1'), rule('iptables', '10.0.0.2'), rule('ip6tables', 'fd00::1')]
    t.same(await Promise.all(all.map(change)), [ok, ok, ok])
    t.same(run.splice(0), ['iptables-restore: 5 lines', 'ip6tables -w -I INPUT -d fd00::1 -j DROP'])
    works = false
    t.match(await Promise.all(all.map(change)), [ok, { status: 1, err: 'no' }, ok])
    t.equal(run.length, 4)
    t.equal(transaction(all.slice(0, 1)), '*filter\n-I INPUT -d 10.0.0.1 -j DROP\nCOMMIT\n')
  },
)

t.test('one look at connections serves all who ask, and each sees its own', async (t) => {
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
  t.equal(sourceOf(['ss', '-tnH', 'state', 'established', '(', 'src', '[10.0.0.1]', ')']), undefined)
})

t.test('what many write under one lock is one write, and on disk before the lock is free', async (t) => {
  const disk = new Map<string, string>()
  const writes: string[] = []
  const machine = files({
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
  const held = locks(machine.keptBack)
  t.teardown(() => held.close())
  const mine = machine.under([lock])
  const add = async (name: string) => {
    const { release } = await held.hold(lock, 5)
    await mine.write(path, `${(await mine.read(path)) ?? ''}${name}\n`)
    await release()
    return disk.get(path)
  }
  const seen = await Promise.all(['a', 'b', 'c'].map(add))
  t.same(writes, ['a\nb\nc\n'])
  t.same(seen, ['a\nb\nc\n', 'a\nb\nc\n', 'a\nb\nc\n'], 'nobody goes on before it is written')
})

t.test('a disk that fails is the trouble of everybody who wrote', async (t) => {
  const machine = files({
    find: () => Promise.resolve(undefined),
    read: () => Promise.resolve(''),
    write: () => Promise.reject(new Error('the disk is full')),
  })
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-locks-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const held = locks(machine.keptBack)
  t.teardown(() => held.close())
  const lock = join(dir, 'list.lock')
  const write = async () => {
    const { release } = await held.hold(lock, 5)
    await machine.under([lock]).write(join(dir, 'list'), 'x')
    await release()
  }
  const ends = await Promise.allSettled([write(), write()])
  t.match(ends, [{ reason: { message: 'the disk is full' } }, { reason: { message: 'the disk is full' } }])
})

t.test('a lock: one after the other, several who agree, and none while another process has it', async (t) => {
  const nothing: KeptBack = { any: () => false, write: () => Promise.resolve() }
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-locks-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'lock')
  const ours = locks(nothing)
  const theirs = locks(nothing)
  t.teardown(() => [ours, theirs].forEach((each) => each.close()))
  const together = await Promise.all([1, 2].map(() => ours.hold(path, 5, { together: true })))
  t.equal(together.length, 2, 'both have it')
  await t.rejects(theirs.hold(path, 0), LockBusy)
  for (const { release } of together) await release()
  const first = await ours.hold(path, 5)
  let second = false
  const waiting = ours.hold(path, 5).then((held) => {
    second = true
    return held
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.notOk(second, 'one at a time')
  await first.release()
  await (await waiting).release()

  const sharedWithOthers = await Promise.all([
    ours.hold(`${path}.s`, 5, { shared: true }),
    theirs.hold(`${path}.s`, 5, { shared: true }),
  ])
  await t.rejects(ours.hold(`${path}.s`, 0), LockBusy, 'not alone while another shares it')
  await sharedWithOthers[1].release()
  await sharedWithOthers[0].release()
  await (await ours.hold(`${path}.s`, 0)).release() // and at once when the last has left
})

t.test('a shell that stays starts programs and keeps their outputs, statuses and words apart', async (t) => {
  const pool = shells()
  t.teardown(() => pool.close())
  const word = `a 'b' "c" $HOME \\ *`
  t.match(await pool.run(['printf', '%s|', word, '']), { status: 0, out: `${word}||`, err: '' })
  t.match(await pool.run(['sh', '-c', 'echo out; echo err >&2; exit 7']), {
    status: 7,
    out: 'out\n',
    err: 'err\n',
  })
  t.match(await pool.run(['sh', '-c', 'kill -9 $$']), { status: 137, signal: 'SIGKILL' })
  t.equal(await pool.run(['echo', 'two\nlines']), undefined, 'such a word is nothing for it')
  const many = await Promise.all(
    Array.from({ length: 40 }, (_, i) => pool.run(['sh', '-c', `sleep 0.02; echo ${i}`])),
  )
  t.same(
    many.map((answer) => answer?.out),
    Array.from({ length: 40 }, (_, i) => `${i}\n`),
  )
  let kill = () => {}
  const hung = pool.run(['sleep', '600'], (shell) => (kill = shell.kill))
  setTimeout(() => kill(), 200)
  t.match(await hung, { signal: 'SIGKILL' })
  t.match(await pool.run(['echo', 'well']), { out: 'well\n' })
})

t.test('only what is sure to be wanted is begun early', (t) => {
  t.match(foreseen('takeip', ['eth0', '10.0.0.1', '24'], '/v'), {
    ask: ['iptables', '-w', '-S', 'INPUT'],
    lock: '/v/my-public-ip-addresses.lock',
  })
  t.equal(foreseen('takeip', ['eth0', 'fd00::1', '64'], '/v'), undefined)
  t.equal(foreseen('takeip', ['eth0', 'rubbish', '24'], '/v'), undefined)
  t.equal(foreseen('monitor', [], '/v'), undefined)
  t.end()
})
