/** A daemon outlives its package: replacing or removing the files leaves a running daemon as it is. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t from '../tap.ts'
import { DIST } from '../lab/paths.ts'

/** More commands at once than shells are ready, then a lock, each after the helpers' files have been removed. */
const DAEMON = `
import { rmSync } from 'node:fs'
import { ProcessPool } from './runner/resident/programs/process-pool.js'
import { LockHolder } from './runner/resident/locks/lock-holder.js'
rmSync('runner/libexec', { recursive: true })
const pool = new ProcessPool()
const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => pool.run(['printf', String(i)])))
const lock = new LockHolder(\`\${process.cwd()}/lock\`, { isShared: false })
await lock.take(1)
await lock.letGo()
lock.close()
pool.close()
console.log(JSON.stringify(answers.map(({ status, out }) => [status, out])))
`

t.test('programs are started and locks are taken after the files of the helpers are gone', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'es-replaced-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  cpSync(join(DIST, 'runner'), join(dir, 'runner'), { recursive: true })
  cpSync(join(DIST, '../package.json'), join(dir, 'package.json'))
  symlinkSync(join(DIST, '../node_modules'), join(dir, 'node_modules'))
  const { stdout, stderr } = await execa('node', ['--input-type=module', '-e', DAEMON], {
    cwd: dir,
    reject: false,
    env: { NODE_OPTIONS: '' },
  })
  t.equal(stderr, '')
  t.same(
    JSON.parse(stdout),
    Array.from({ length: 8 }, (_, i) => [0, String(i)]),
  )
})
