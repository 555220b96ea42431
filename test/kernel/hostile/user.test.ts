/** What an unprivileged user of the node may try: reading, connecting, signals, names that count, and plants where we write. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { MAIN } from '../../lab/paths.ts'
import { isAlive } from '../../lab/processes.ts'
import { stranger, STRANGER, whyNoStranger } from '../../lab/stranger.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { held } from '../last-act/dying.ts'

const options = { skip: (await prepareFile()) ?? whyNoStranger(), asRoot: true, needs: ['iptables'] }
const TAKE = ['takeip', 'eth0', '10.0.0.1', '24'] as const

/** A folder that belongs to the other user, or to all as /tmp does. */
function theirFolder(lab: Lab, name = 'theirs', mode = 0o777): string {
  const folder = join(lab.dir, name)
  mkdirSync(folder)
  chownSync(folder, STRANGER, STRANGER)
  chmodSync(folder, mode)
  writeFileSync(join(lab.dir, 'kept'), 'kept')
  return folder
}

inLab('another user reads none of our files, but for the list that statd reads', options, async (t, lab) => {
  const daemon = await lab.daemon('EVENTSCRIPT_DAD=fast\n')
  const user = stranger(lab)
  t.equal(await daemon.run(...TAKE), 0)
  t.equal(await daemon.run('monitor'), 0)
  await lab.eventscript('run', 'monitor')
  const folders = ['var', 'eventscript', 'etc/run']
  const all = folders.flatMap((folder) =>
    readdirSync(join(lab.dir, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  const readable = []
  for (const file of all) if ((await user.run('cat', file)).status === 0) readable.push(file)
  t.same(readable, [join(lab.dir, 'var/my-public-ip-addresses')])
  t.ok(all.some((file) => file.endsWith('/history.jsonl')) && all.some((file) => file.endsWith('.pid')))
  t.not((await user.run('ls', join(lab.dir, 'eventscript'))).status, 0)
})

inLab('the commands of another user say what that user may not read', options, async (t, lab) => {
  const user = stranger(lab)
  t.equal((await lab.script(...TAKE)).status, 0)
  await lab.eventscript('run', 'monitor')
  if ((await user.run('test', '-r', MAIN)).status !== 0) {
    t.comment('our program is in a folder that this user may not enter')
    return
  }
  const commands = [
    'history',
    'status monitor',
    'ip',
    'ifaces',
    'audit',
    'doctor',
    'cleanup --dry-run',
    'check',
    'run monitor',
  ]
  const all = await Promise.all(
    commands.map(async (words) => ({
      words,
      ...(await user.run(process.execPath, MAIN, ...words.split(' '))),
    })),
  )
  for (const { words, out, err } of all) {
    t.notMatch(out + err, /^ +at \S+/m, `${words}: no stack`)
  }
  for (const { words, status, err } of all.slice(0, 2)) {
    t.equal(status, 1, words)
    t.match(err, /history\.jsonl: permission denied: run as root/, words)
  }
})

inLab('another user cannot connect to our sockets, nor signal our processes', options, async (t, lab) => {
  const daemon = await lab.daemon('EVENTSCRIPT_DAD=fast\n')
  const user = stranger(lab)
  t.equal(await daemon.run(...TAKE), 0)
  for (const name of ['eventd.socket', 'eventscript.socket']) {
    const connect = `require('net').connect('${lab.dir}/etc/run/${name}').on('error', (e) => { console.log(e.code); process.exit(1) })`
    const { status, out } = await user.run(process.execPath, '-e', connect)
    t.same([status, out], [1, 'EACCES\n'], name)
  }
  const ours = lab.processes().filter(({ command }) => /ctdb-eventd|libexec|warden|perl/.test(command))
  t.ok(ours.some(({ pid }) => pid === daemon.pid))
  for (const { pid, command } of ours)
    t.not((await user.run('sh', '-c', `kill -KILL ${pid}`)).status, 0, command)
  t.ok(isAlive(daemon.pid))
  t.equal(await daemon.run('monitor'), 0)
})

inLab('cleanup is not fooled by a process that another user calls ctdbd', options, async (t, lab) => {
  const user = stranger(lab)
  const folder = theirFolder(lab)
  t.equal((await lab.script(...TAKE)).status, 0)
  copyFileSync('/bin/sleep', join(folder, 'ctdbd'))
  chmodSync(join(folder, 'ctdbd'), 0o755)
  const process1 = user.start(join(folder, 'ctdbd'), '600')
  const listen = `require('net').createServer().listen('${folder}/ctdbd.socket', () => console.log('up'))`
  const listener = user.listen(process.execPath, '-e', listen)
  await waitFor('both', async () => {
    const comm = await lab.node.run('cat', `/proc/${process1.pid}/comm`)
    return comm.out === 'ctdbd\n' && listener.text().includes('up')
  })
  // the pid of a ctdbd that has crashed, which is theirs by now
  await lab.node.must('sh', '-c', `mkdir -p /run/ctdb && echo ${process1.pid} >/run/ctdb/ctdbd.pid`)
  const { status, err } = await lab.eventscript('cleanup')
  t.equal(status, 0, err)
  t.strictSame(await held(lab), [])
  process1.kill()
  listener.stop()
})

/** What is planted at a path in advance. */
const PLANTS: Record<string, (path: string, lab: Lab) => void> = {
  link: (path, lab) => symlinkSync(join(lab.dir, 'kept'), path),
  'dangling link': (path, lab) => symlinkSync(join(lab.dir, 'none'), path),
  FIFO: (path) => void execFileSync('mkfifo', [path]),
  'file that all may write': (path) => writeFileSync(path, '', { mode: 0o666 }),
}

inLab('plants in a folder of another user: metrics and recordings', options, async (t, lab) => {
  const folder = theirFolder(lab)
  await Promise.all(
    Object.entries(PLANTS).map(async ([what, plant]) => {
      const [metrics, recording] = [`${what}.prom`, `${what}.txt`].map((name) => join(folder, name))
      for (const path of [metrics!, recording!]) {
        plant(path, lab)
        await lab.node.must('chown', '-h', String(STRANGER), path)
      }
      await lab.eventscript('metrics', metrics!)
      t.ok(lstatSync(metrics!).isFile(), what)
      t.same([lstatSync(metrics!).uid, lstatSync(metrics!).mode & 0o7777], [0, 0o644], what)
      const refused = await lab.eventscript('run', '--record', recording!, 'monitor')
      t.equal(refused.status, 2, what)
      t.match(refused.err, /--record .*EEXIST/, what)
    }),
  )
  t.equal(readFileSync(join(lab.dir, 'kept'), 'utf8'), 'kept')
  t.notOk(existsSync(join(lab.dir, 'none')))
})

inLab(
  'a folder of state that others may write to: plants are not followed, doctor says so',
  options,
  async (t, lab) => {
    const user = stranger(lab)
    theirFolder(lab)
    chmodSync(join(lab.dir, 'var'), 0o777)
    for (const name of ['my-public-ip-addresses.lock', 'iptables.flock', 'secondaries.flock'])
      await user.must('ln', '-s', join(lab.dir, 'kept'), join(lab.dir, 'var', name))
    const daemon = await lab.daemon('EVENTSCRIPT_DAD=fast\n')
    t.equal(await daemon.run(...TAKE), 0)
    t.equal(await daemon.run('releaseip', 'eth0', '10.0.0.1', '24'), 0)
    t.strictSame(await held(lab), [], 'the addresses move all the same')
    t.equal(readFileSync(join(lab.dir, 'kept'), 'utf8'), 'kept')
    t.equal(lstatSync(join(lab.dir, 'kept')).mode & 0o777, 0o644)
    t.match((await lab.eventscript('doctor')).out, /ERROR +\S+\/var: everybody may write to it/)
  },
)

inLab('names in the working directory, in /tmp and in TMPDIR mean nothing', options, async (t, lab) => {
  const folder = theirFolder(lab)
  const evil = `#!/bin/sh\ntouch ${lab.dir}/theirs/ran\n`
  for (const name of ['ip', 'sh', 'perl', 'cat', 'flock', 'iptables', 'ctdb', 'logger'])
    writeFileSync(join(folder, name), evil, { mode: 0o755 })
  mkdirSync(join(folder, 'node_modules/execa'), { recursive: true })
  const module = `require('fs').writeFileSync('${folder}/ran', '')\n`
  writeFileSync(join(folder, 'node_modules/execa/index.js'), module)
  for (const name of ['.npmrc', '.env', 'package.json', 'script.options', 'public_addresses', 'nodes'])
    writeFileSync(join(folder, name), `CTDB_X=$(touch ${folder}/ran)\n`)
  const inThere = (...words: string[]) =>
    lab.node.run('sh', '-c', `cd ${folder} && TMPDIR=${folder} exec "$@"`, 'sh', ...words)
  for (const words of [
    ['run', ...TAKE],
    ['doctor'],
    ['audit'],
    ['run', 'releaseip', 'eth0', '10.0.0.1', '24'],
  ])
    await inThere(process.execPath, MAIN, ...words)
  t.notOk(existsSync(join(folder, 'ran')))
  t.strictSame(await held(lab), [])
  t.same(
    readdirSync(folder).filter((name) => name.startsWith('eventscript')),
    [],
    'nothing of ours is left there',
  )
})
