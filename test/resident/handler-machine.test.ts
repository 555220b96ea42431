/** The shared machine follows the declaration that a caller adds to a command or a write. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from '../tap.ts'
import type { Announcement } from '../../runner/machine/announcement.ts'
import { Stopper } from '../../runner/machine/stop.ts'
import { SharedMachine } from '../../runner/resident/shared-machine.ts'

function machineFor(t: Test) {
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-shared-'))
  const announced: Announcement[] = []
  const shared = new SharedMachine(dir, (announcement) => announced.push(announcement))
  t.teardown(() => {
    shared.close()
    rmSync(dir, { recursive: true })
  })
  return { dir, announced, shared, system: () => shared.system({ signal: new Stopper() }) }
}

t.test('a write waits for the end of a lock that its writer holds, and for no other lock', async (t) => {
  const { dir, system } = machineFor(t)
  const [file, lock] = [join(dir, 'list'), join(dir, 'any-name')]
  const [mine, other] = [system(), system()]
  const release = await mine.hold(lock, 5)
  await mine.write(file, 'draft\n', { until: lock })
  t.notOk(existsSync(file), 'the write waits')
  t.equal(await other.read(file), 'draft\n', 'every event of this daemon sees the write')
  await other.write(`${file}.2`, 'at once\n', { until: lock })
  t.equal(readFileSync(`${file}.2`, 'utf8'), 'at once\n')
  await mine.write(`${lock}.lock`, 'at once\n')
  t.equal(readFileSync(`${lock}.lock`, 'utf8'), 'at once\n', 'file names decide nothing')
  await release()
  t.equal(readFileSync(file, 'utf8'), 'draft\n')
})

t.test('an announcement reaches the daemon unchanged, and no program is started', async (t) => {
  const { announced, system } = machineFor(t)
  const announcement: Announcement = { mode: 'again', addresses: ['10.0.0.1'], iface: 'eth0' }
  t.same(await system().run('change', ['/no/such/program'], { announcement }), {
    status: 0,
    out: '',
    err: '',
  })
  t.same(announced, [announcement])
})

t.test('rules are combined when declared so, whatever the words look like', async (t) => {
  const dir = t.testdir()
  const log = join(dir, 'log')
  const { PATH } = process.env
  for (const program of ['iptables', 'iptables-restore'])
    writeFileSync(join(dir, program), `#!/bin/sh\necho ${program} "$@" >>${log}\ncat >>${log}\n`, {
      mode: 0o755,
    })
  process.env['PATH'] = `${dir}:${PATH}`
  t.teardown(() => (process.env['PATH'] = PATH))
  const { shared, system } = machineFor(t)
  const rule = (address: string) => ['iptables', '--wait', '3', '-I', 'INPUT', '-d', address, '-j', 'DROP']
  const change = (address: string) => system().run('change', rule(address), { batch: 'iptables' })
  await Promise.all(['10.0.0.1', '10.0.0.2'].map(change))
  t.same(readFileSync(log, 'utf8').split('\n'), [
    'iptables-restore -w 3 --noflush',
    '*filter',
    '-I INPUT -d 10.0.0.1 -j DROP',
    '-I INPUT -d 10.0.0.2 -j DROP',
    'COMMIT',
    '',
  ])
  writeFileSync(log, '')
  await Promise.all(['10.0.0.1', '10.0.0.2'].map((each) => system().run('change', rule(each), {})))
  t.equal(
    readFileSync(log, 'utf8').match(/^iptables --wait 3 -I INPUT/gm)?.length,
    2,
    'undeclared rules are added separately',
  )
  t.equal(shared.workFor('change', ['x'], { combined: true }), undefined)
})
