/** Any local user can lock a file that they can read. Nobody waits for that: the daemon starts, addresses move. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from '../../tap.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { holdLock, stranger, whyNoStranger } from '../../lab/stranger.ts'
import { held } from '../last-act/dying.ts'

const needs = ['iptables']
const skip = (await prepareFile()) ?? whyNoStranger()

/** Those that CTDB's scripts share are made by them, and readable for all. */
const LOCKS = ['var/my-public-ip-addresses.lock', 'var/iptables.flock']
const PID_FILE = 'etc/run/eventd.pid'
/** Seconds. A lock that is waited for takes 10 s at takeip and 20 s at releaseip; without, both take 1 s, on a busy machine 4 s. */
const LONG = 9
const ADDRESS = ['eth0', '10.0.0.1', '24']

/** As an older version or CTDB's script has made it, and held by that user. */
async function lockAll(lab: Lab, files: readonly string[], how: '-s' | '-x'): Promise<void> {
  const user = stranger(lab)
  mkdirSync(join(lab.dir, 'etc/run'), { recursive: true })
  for (const file of files) {
    writeFileSync(join(lab.dir, file), '', { mode: 0o644 })
    await holdLock(user, how, join(lab.dir, file))
  }
}

async function timed<T>(t: Test, what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await work()
  const seconds = (performance.now() - began) / 1000
  t.ok(seconds < LONG, `${what}: ${seconds.toFixed(1)} s`)
  return result
}

function closed(t: Test, lab: Lab, file: string): void {
  t.equal((statSync(join(lab.dir, file)).mode & 0o7777).toString(8), '600', file)
}

/** The WARNINGs about other users, one for each file. */
function said(t: Test, text: string, files: readonly string[]): void {
  for (const file of files)
    t.equal(
      text.split(`WARNING: `).filter((line) => line.includes(`${file} was locked by pid`)).length,
      1,
      file,
    )
}

for (const how of ['-s', '-x'] as const) {
  inLab(
    `flock ${how} by another user does not delay our daemon`,
    { needs, skip, asRoot: true },
    async (t, lab) => {
      const files = [...LOCKS, PID_FILE]
      await lockAll(lab, files, how)
      // with the pid file locked, a daemon that respects that never starts
      const daemon = await lab.daemon('EVENTSCRIPT_DAD=fast\n')
      t.equal(await timed(t, 'takeip', () => daemon.run('takeip', ...ADDRESS)), 0)
      t.strictSame(await held(lab), ['eth0/24'])
      t.equal(await timed(t, 'releaseip', () => daemon.run('releaseip', ...ADDRESS)), 0)
      t.strictSame(await held(lab), [])
      said(t, daemon.log(), files)
      for (const file of files) closed(t, lab, file)
      for (const file of files)
        await t.rejects(
          holdLock(stranger(lab), how, join(lab.dir, file)),
          /Permission denied/,
          `${file} again`,
        )
    },
  )

  inLab(
    `flock ${how} by another user does not delay our script`,
    { needs, skip, asRoot: true },
    async (t, lab) => {
      await lockAll(lab, LOCKS, how)
      const taken = await timed(t, 'takeip', () => lab.script('takeip', ...ADDRESS))
      const released = await timed(t, 'releaseip', () => lab.script('releaseip', ...ADDRESS))
      t.same([taken.status, released.status], [0, 0])
      said(t, taken.out + released.out, LOCKS)
      for (const file of LOCKS) closed(t, lab, file)
    },
  )
}

inLab(
  'flock by another user: a run by hand says so on standard error',
  { needs, skip, asRoot: true },
  async (t, lab) => {
    const [list = ''] = LOCKS
    await lockAll(lab, [list], '-x')
    const { status, err } = await timed(t, 'run takeip', () => lab.eventscript('run', 'takeip', ...ADDRESS))
    t.equal(status, 0, err)
    said(t, err, [list])
  },
)
