/** What an unprivileged user can do to our locks: nothing. Needs root, who becomes that user. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../tap.ts'
import { live } from '../../runner/machine/live/live.ts'
import { openLock } from '../../runner/machine/files/lock-file.ts'
import { Locks } from '../../runner/resident/locks/locks.ts'

const NOBODY = 65_534
const skip = process.geteuid?.() === 0 ? false : 'needs root, who becomes nobody'

/** A process of that user holds the lock until the test ends, as `flock FILE sleep 60` does. */
async function heldBy(test: Test, lock: string, uid: number): Promise<void> {
  const fd = openSync(lock, 'r')
  const child = spawn('sh', ['-c', 'flock -n 3 && echo locked && exec sleep 60'], {
    uid,
    gid: uid,
    stdio: ['ignore', 'pipe', 'inherit', fd],
  })
  closeSync(fd)
  test.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
}

void t.test('a lock is for its owner alone, also one that is there, whatever the umask', (test) => {
  const folder = test.testdir({ old: '' })
  const [old, fresh] = [join(folder, 'old'), join(folder, 'fresh')]
  const before = process.umask(0)
  try {
    writeFileSync(old, '', { mode: 0o644 })
    for (const lock of [old, fresh]) {
      closeSync(openLock(lock))
      test.equal(statSync(lock).mode & 0o777, 0o600, lock)
    }
  } finally {
    process.umask(before)
  }
  test.end()
})

void t.test('a lock that a stranger holds since an older version stops nobody', { skip }, async (test) => {
  const folder = test.testdir({ one: '', many: '' })
  const [one, many] = [join(folder, 'one'), join(folder, 'many')]
  await heldBy(test, one, NOBODY)
  await heldBy(test, many, NOBODY)
  await (
    await live().hold(one, 0)
  )()
  const locks = new Locks({ any: () => false, putDown: () => Promise.resolve() })
  test.teardown(() => locks.close())
  const { release } = await locks.hold(many, 0).held
  await release()
  test.equal(statSync(one).mode & 0o777, 0o600)
})

void t.test('a lock that root holds is respected, and its file stays', { skip }, async (test) => {
  const lock = join(test.testdir({ lock: '' }), 'lock')
  const { ino } = statSync(lock)
  await heldBy(test, lock, 0)
  await test.rejects(live().hold(lock, 0), { name: 'LockBusy' })
  test.equal(statSync(lock).ino, ino)
})
