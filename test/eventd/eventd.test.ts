/** Our event daemon against CTDB's own client, relocated by CTDB's test mode. No root needed. */
import { spawn, type ChildProcess } from 'node:child_process'
import {
  createReadStream,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from '../tap.ts'
import type { Activities } from '../../runner/eventd/ask.ts'
import { readConf } from '../../runner/eventd/conf/conf.ts'
import { EventQueue } from '../../runner/eventd/run/queue.ts'
import { Refusal } from '../../runner/base/refusal.ts'
import type { Request } from '../../runner/eventd/protocol/messages.ts'
import { decodeReply } from '../../runner/eventd/protocol/decode.ts'
import { encodeRequest } from '../../runner/eventd/protocol/encode.ts'
import { Frames } from '../../runner/eventd/protocol/frames.ts'
import { DIST, MAIN, SCRIPT } from '../lab/paths.ts'

const CLIENT = '/usr/libexec/ctdb/ctdb-event'
const skip = existsSync(CLIENT) ? false : "CTDB's client is not here: apt-get install ctdb"

type RunRequest = Extract<Request, { kind: 'run' }>

interface Place {
  base: string
  folder: string
  env: Record<string, string>
  script: (name: string, text: string, mode?: number) => void
  log: () => string
}

/** Folders as in CTDB's test mode. The path is short, because the path of a socket has 107 bytes at most. */
function place(t: Test, conf = ''): Place {
  const base = mkdtempSync(join(tmpdir(), 'esd-'))
  const folder = join(base, 'events/legacy')
  for (const each of [folder, join(base, 'run'), join(base, 'share/events/legacy')])
    mkdirSync(each, { recursive: true })
  writeFileSync(
    join(base, 'ctdb.conf'),
    `[logging]\n\tlocation = file:${base}/log\n\tlog level = DEBUG\n${conf}`,
  )
  t.teardown(() => rmSync(base, { recursive: true, force: true }))
  return {
    base,
    folder,
    env: { CTDB_TEST_MODE: 'yes', CTDB_BASE: base },
    script(name, text, mode = 0o755) {
      writeFileSync(join(folder, `${name}.script`), text)
      chmodSync(join(folder, `${name}.script`), mode)
    },
    log: () => (existsSync(join(base, 'log')) ? readFileSync(join(base, 'log'), 'utf8') : ''),
  }
}

interface Daemon {
  child: ChildProcess
  ended: Promise<number | null>
  /** The bytes on the start-up descriptor, and whether the descriptor was closed. */
  startup: { bytes: Buffer; closed: boolean }
}

async function start(t: Test, { env }: Place, ...more: string[]): Promise<Daemon> {
  // The descriptor is a real pipe, as with ctdbd. The environment is without tap's loaders.
  const pipe = join(env['CTDB_BASE'] ?? '', `up.${Math.random()}`)
  await execa('mkfifo', [pipe])
  const shell = 'exec 3>"$0"; exec env -u NODE_OPTIONS "$@"'
  const argv = ['-c', shell, pipe, join(DIST, 'ctdb-eventd'), '-P', String(process.pid), '-S', '3', ...more]
  const child = spawn('/bin/sh', argv, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const startup = { bytes: Buffer.alloc(0), closed: false }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const up = new Promise<void>((resolve) => {
    const reader = createReadStream(pipe)
    reader.on('data', (chunk) => {
      startup.bytes = Buffer.concat([startup.bytes, Buffer.from(chunk)])
      resolve()
    })
    reader.on('close', () => {
      startup.closed = true
      resolve()
    })
  })
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  await up
  return { child, ended, startup }
}

const client = (at: Place, ...words: string[]) => execa(CLIENT, words, { env: at.env, reject: false })
const run = (at: Place, event: string, ...words: string[]) =>
  client(at, 'run', '30', 'legacy', event, ...words)
const status = async (at: Place, event: string) => (await client(at, 'status', 'legacy', event)).stdout

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i += 1) {
    if (await holds()) return
    await sleep(50)
  }
  throw new Error(`waited 30 s for ${what}`)
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

t.test("CTDB's client gets the same answers as from ctdb-eventd", { skip }, async (t) => {
  const at = place(t)
  at.script('10.one', '#!/bin/sh\necho "one $*"\n')
  at.script('20.off', '#!/bin/sh\n', 0o644)
  at.script(
    '30.two',
    '#!/bin/sh\n[ "$1" = bad ] && { echo going down; exit 7; }\n[ "$1" = hang ] && { echo hanging; exec sleep 600; }\nexit 0\n',
  )
  const { startup } = await start(t, at)
  t.same([...startup.bytes], [0, 0, 0, 0], 'four zero bytes arrive when clients can connect')

  t.match(await run(at, 'ok', 'a', 'b'), { exitCode: 0, stdout: '' })
  t.match(await status(at, 'ok'), /^10\.one +OK +\d+\.\d{3} .*\n20\.off +DISABLED +\n30\.two +OK /)
  t.match(await run(at, 'bad'), { exitCode: 8, stdout: 'Event bad in legacy failed' })
  t.match(await client(at, 'status', 'legacy', 'bad'), {
    exitCode: 7,
    stdout: /30\.two +ERROR .*\n {2}OUTPUT: going down/,
  })
  t.match(await client(at, 'run', '1', 'legacy', 'hang'), {
    exitCode: 110,
    stdout: 'Event hang in legacy timed out',
  })
  t.match(await client(at, 'status', 'legacy', 'hang'), {
    exitCode: 110,
    stdout: /30\.two +TIMEDOUT .*\n {2}OUTPUT: hanging/,
  })
  t.match(await client(at, 'status', 'legacy', 'never'), {
    exitCode: 22,
    stdout: 'Event never has never run in legacy',
  })
  t.match(await client(at, 'run', '3', 'nosuch', 'ok'), {
    exitCode: 2,
    stdout: 'Event dir for nosuch does not exist',
  })
  t.match(await client(at, 'run', 'abc', 'legacy', 'ok'), { exitCode: 110 }, 'a limit of 0 is over at once')
  await client(at, 'script', 'disable', 'legacy', '30.two')
  t.match((await client(at, 'script', 'list', 'legacy')).stdout, /\* 10\.one\n {2}20\.off\n {2}30\.two/)
  t.match(await run(at, 'bad'), { exitCode: 0 }, 'the folder is read afresh for each event')
  for (const line of [
    /ctdb-eventd\[\d+\]: 10\.one: one ok a b\n/,
    /: bad event failed\n/,
    /: hang event timed out\n/,
  ])
    await until(`${line} in the log`, () => line.test(at.log()))
  t.same([...startup.bytes], [0, 0, 0, 0], 'no more bytes arrive there, ever')
  t.notOk(startup.closed)
})

t.test('our own script, linked there, runs inside the daemon', { skip }, async (t) => {
  const at = place(t)
  symlinkSync(SCRIPT, join(at.folder, '10.interface.script'))
  writeFileSync(join(at.base, 'public_addresses'), '10.0.0.1/24 nosuchiface\n')
  const { child } = await start(t, at)
  const { exitCode } = await run(at, 'takeip', 'nosuchiface', '10.0.0.1')
  t.equal(exitCode, 8)
  t.match(
    await status(at, 'takeip'),
    /10\.interface +ERROR .*\n {2}OUTPUT: ERROR: must supply interface, IP and maskbits/,
  )
  t.match(await run(at, 'setup'), { exitCode: 0 })
  t.ok(isAlive(child.pid ?? 0))
})

t.test('events wait their turn, each with its full time, and monitor gives way', { skip }, async (t) => {
  const at = place(t)
  at.script(
    '10.slow',
    '#!/bin/sh\ncase $1 in slow|monitor) sleep 1.2 ;; esac\necho "$1 $2" >>"$CTDB_BASE/order"\n',
  )
  await start(t, at)
  const three = ['1', '2', '3'].map((n) => client(at, 'run', '2', 'legacy', 'slow', n))
  await sleep(400)
  const status = client(at, 'status', 'legacy', 'nothing')
  t.match(
    await client(at, 'run', '30', 'legacy', 'monitor'),
    { exitCode: 125, stdout: /got cancelled/ },
    'monitor is refused',
  )
  t.match(await status, { exitCode: 22 }, 'status is answered meanwhile')
  for (const each of await Promise.all(three)) t.match(each, { exitCode: 0 }, 'queueing takes no time')
  const order = readFileSync(join(at.base, 'order'), 'utf8').trim().split('\n')
  t.equal(order.length, 3)

  await run(at, 'monitor')
  const before = await client(at, 'status', 'legacy', 'monitor')
  const monitor = run(at, 'monitor')
  await sleep(400)
  const other = run(at, 'quick')
  t.match(await monitor, { exitCode: 125 }, 'a running monitor is cancelled')
  t.match(await other, { exitCode: 0 })
  t.equal(
    (await client(at, 'status', 'legacy', 'monitor')).stdout,
    before.stdout,
    'the status of the cancelled monitor is the status of the previous run',
  )
})

t.test('a hung script is explained, the debug script runs, and the whole group ends', { skip }, async (t) => {
  const at = place(t, '[event]\n\tdebug script = debug.sh\n')
  writeFileSync(join(at.base, 'debug.sh'), '#!/bin/sh\necho "debugging $1 $2"\n', { mode: 0o755 })
  at.script(
    '10.hangs',
    '#!/bin/sh\n[ "$1" = x ] || exit 0\ntrap "" TERM\n(trap "" TERM; echo "$$" >"$CTDB_BASE/group"; while :; do sleep 1; done) &\nwait\n',
  )
  await start(t, at)
  t.match(await client(at, 'run', '1', 'legacy', 'x'), { exitCode: 110 })
  const pid = () => Number(readFileSync(join(at.base, 'group'), 'utf8'))
  await until('the end of the group', () => !isAlive(-pid()) && !isAlive(pid()))
  await run(at, 'status-of-next')
  const debugged = new RegExp(`event_debug: debugging ${pid()} x\\n`)
  await until('the debug script in the log', () => debugged.test(at.log()))
  await until('the verdict in the log', () => /10\.hangs: timed out after 1 s while running/.test(at.log()))
})

t.test(
  'a hung script ends without a debug script, and also with a debug script that hangs',
  { skip },
  async (t) => {
    for (const conf of ['', '[event]\n\tdebug script = debug.sh\n']) {
      const at = place(t)
      writeFileSync(join(at.base, 'debug.sh'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 })
      writeFileSync(join(at.base, 'ctdb.conf'), readFileSync(join(at.base, 'ctdb.conf'), 'utf8') + conf)
      at.script('10.hangs', '#!/bin/sh\n[ "$1" = x ] || exit 0\necho $$ >"$CTDB_BASE/pid"\nexec sleep 600\n')
      await start(t, at)
      t.match(await client(at, 'run', '1', 'legacy', 'x'), { exitCode: 110 })
      await until('its end', () => !isAlive(Number(readFileSync(join(at.base, 'pid'), 'utf8'))))
      t.match(await run(at, 'next'), { exitCode: 0 })
    }
  },
)

t.test('a lost client leaves nothing stuck, and a grandchild delays nothing', { skip }, async (t) => {
  const at = place(t)
  at.script(
    '10.slow',
    '#!/bin/sh\ncase $1 in\nslow|monitor) [ "$2" ] || exec sleep 600 ;;\ndaemon) sleep 600 & echo $! >"$CTDB_BASE/daemon" ;;\nesac\n',
  )
  await start(t, at)
  for (const event of ['slow', 'monitor']) {
    const lost = spawn(CLIENT, ['run', '30', 'legacy', event], {
      env: { ...process.env, ...at.env },
      stdio: 'ignore',
    })
    await sleep(500)
    lost.kill('SIGKILL')
    t.match(await run(at, 'slow', 'quick'), { exitCode: 0 }, `${event} was lost, and the next event runs`)
    t.match(await run(at, 'monitor', 'quick'), { exitCode: 0 }, 'monitor runs too')
  }
  t.match(await run(at, 'daemon'), { exitCode: 0 })
  const daemon = Number(readFileSync(join(at.base, 'daemon'), 'utf8'))
  t.ok(isAlive(daemon))
  process.kill(daemon, 'SIGKILL')
})

t.test('an unrunnable script is named once with a reason; a lost script is harmless', { skip }, async (t) => {
  const at = place(t)
  at.script('10.no-bang', 'echo x\n')
  at.script('20.no-interpreter', '#!/no/such/thing\n')
  symlinkSync('/no/such/file', join(at.folder, '30.dangling.script'))
  at.script('40.removes', `#!/bin/sh\nrm -f ${at.folder}/50.gone.script\n`)
  at.script('50.gone', '#!/bin/sh\nexit 1\n')
  await start(t, at)
  t.match(await run(at, 'x'), { exitCode: 0 })
  t.match(await run(at, 'x'), { exitCode: 0 })
  await until('the second in the log', () =>
    /20\.no-interpreter: .*interpreter \/no\/such\/thing does not exist/.test(at.log()),
  )
  const times = () => at.log().match(/10\.no-bang: .*first line is no "#!"/g)?.length
  await until('level ERROR once, then for who debugs', () => times() === 2)
})

t.test('no bytes on the socket end the daemon', { skip }, async (t) => {
  const at = place(t)
  at.script('10.ok', '#!/bin/sh\n')
  const { child } = await start(t, at)
  const socket = join(at.base, 'run/eventd.socket')
  const good = encodeRequest({
    kind: 'run',
    reqid: 1,
    component: 'legacy',
    event: 'x',
    args: undefined,
    timeout: 5,
    flags: 0,
  })
  const bad = [
    Buffer.alloc(12),
    Buffer.from('GET / HTTP/1.0\r\n\r\n'),
    Buffer.alloc(4096, 0xff),
    good.subarray(0, 20),
    Buffer.concat([good.subarray(0, 12), Buffer.from([9, 0, 0, 0])]),
  ]
  for (let i = 0; i < 300; i += 1)
    bad.push(Buffer.from(Array.from({ length: 1 + (i % 97) }, (_, k) => (i * 131 + k * 37) % 256)))
  await Promise.all(
    bad.map(
      (bytes) =>
        new Promise<void>((resolve) => {
          const one = createConnection(socket, () => one.end(bytes))
          one.on('error', () => resolve())
          one.on('close', () => resolve())
          one.resume()
        }),
    ),
  )
  const idle = Array.from({ length: 300 }, () => createConnection(socket).on('error', () => {}))
  await sleep(300)
  for (const each of idle) each.destroy()
  await until('an answer', () => isAlive(child.pid ?? 0))
  t.match(await run(at, 'x'), { exitCode: 0 })
})

t.test('the daemon ends when told, orphaned, started twice, or misconfigured', { skip }, async (t) => {
  const at = place(t)
  at.script(
    '10.slow',
    '#!/bin/sh\n[ "$1" = slow ] && { echo $$ >"$CTDB_BASE/pid"; exec sleep 600; }\nexit 0\n',
  )
  const first = await start(t, at)
  const second = await start(t, at)
  t.equal(await second.ended, 17, 'a node has a single event daemon')
  t.same([...second.startup.bytes], [])
  t.match(await run(at, 'x'), { exitCode: 0 }, 'the first daemon goes on')
  const running = run(at, 'slow')
  await until('the script', () => existsSync(join(at.base, 'pid')))
  first.child.kill('SIGTERM')
  t.equal(await first.ended, 0)
  t.ok(
    first.startup.closed || (await sleep(200).then(() => first.startup.closed)),
    'ctdbd sees the end of the daemon at once',
  )
  t.notOk(isAlive(Number(readFileSync(join(at.base, 'pid'), 'utf8'))), 'the running script is ended')
  await running
  t.notOk(existsSync(join(at.base, 'run/eventd.socket')))
  t.match(at.log(), /Received signal 15\n.*Shutting down\n/)

  const gone = spawn('/bin/true', { stdio: 'ignore' })
  await new Promise((resolve) => gone.once('exit', resolve))
  const orphan = await start(t, at, '-P', String(gone.pid))
  t.equal(await orphan.ended, 3)
  t.match(at.log(), new RegExp(`PID ${gone.pid} gone away, exiting`))

  t.equal(await (await start(t, at, '--nonsense')).ended, 1)
  writeFileSync(join(at.base, 'ctdb.conf'), '[event]\n\tdebug script = nosuch.sh\n')
  t.equal(await (await start(t, at)).ended, 22)
})

t.test('no child holds our sockets or the descriptor that ctdbd watches', { skip }, async (t) => {
  const at = place(t)
  at.script('10.fds', '#!/bin/sh\nls -l /proc/self/fd >"$CTDB_BASE/fds"\n')
  const extra = openSync('/dev/null', 'r')
  await start(t, at)
  closeSync(extra)
  await run(at, 'x')
  const open = readFileSync(join(at.base, 'fds'), 'utf8')
    .split('\n')
    .filter((line) => /->/.test(line))
  t.notMatch(open.join('\n'), /socket:|pipe:/)
})

t.test('the daemon survives a full disk, an unwritable log, and thousands of events', { skip }, async (t) => {
  const at = place(t)
  writeFileSync(join(at.base, 'ctdb.conf'), '[logging]\n\tlocation = file:/dev/full\n\tlog level = DEBUG\n')
  symlinkSync(SCRIPT, join(at.folder, '10.interface.script'))
  const { child } = await start(t, at)
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1])
  t.match(await run(at, 'setup'), { exitCode: 0 })
  await flood(at, 3000)
  const early = memory()
  await flood(at, 12_000)
  t.ok(memory() < early + 30_000, `${early} kB after 3,000 events, ${memory()} kB after 15,000`)
  t.match(await run(at, 'setup'), { exitCode: 0 })
})

/** Sends this number of events, pipelined on a single connection as ctdbd does. */
async function flood(at: Place, events: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = createConnection(join(at.base, 'run/eventd.socket'))
    let sent = 0
    let bytes = 0
    const more = () => {
      for (let i = 0; i < 50 && sent < events; i += 1, sent += 1)
        socket.write(
          encodeRequest({
            kind: 'run',
            reqid: sent,
            component: 'legacy',
            event: 'setup',
            args: '',
            timeout: 30,
            flags: 0,
          }),
        )
    }
    socket.on('data', (chunk) => {
      const before = Math.floor(bytes / 1000)
      bytes += chunk.length
      if (bytes === events * 20) {
        socket.destroy()
        resolve()
      } else if (Math.floor(bytes / 1000) > before)
        for (let k = before; k < Math.floor(bytes / 1000); k += 1) more()
    })
    socket.on('error', reject)
    more()
  })
}

/** The replies to requests that are sent in a single write: reqid and result of each reply. */
async function pipelined(at: Place, requests: Partial<RunRequest>[]): Promise<[number, number][]> {
  const frames = new Frames()
  const replies: [number, number][] = []
  const socket = createConnection(join(at.base, 'run/eventd.socket'))
  socket.write(
    Buffer.concat(
      requests.map((request, reqid) =>
        encodeRequest({
          kind: 'run',
          reqid,
          component: 'legacy',
          event: 'x',
          args: '',
          timeout: 30,
          flags: 0,
          ...request,
        }),
      ),
    ),
  )
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      for (const packet of frames.push(chunk)) {
        const { reqid, result } = decodeReply(packet)
        replies.push([reqid, result])
      }
      if (replies.length === requests.length) socket.destroy()
    })
  })
  return replies
}

t.test(
  'a monitor that is cancelled before its start, or under RUN_ALL, is over at once',
  { skip },
  async (t) => {
    const at = place(t)
    for (const name of ['10.slow', '20.slow'])
      at.script(name, '#!/bin/sh\n[ "$1" = monitor ] || exit 0\nsleep 5\necho "$0" >>"$CTDB_BASE/done"\n')
    await start(t, at)
    for (const flags of [0, 1]) {
      const replies = await pipelined(at, [{ event: 'monitor', flags }, {}])
      t.same(replies, [
        [0, 125],
        [1, 0],
      ])
      t.notOk(existsSync(join(at.base, 'done')), 'the next event did not wait for the monitor')
    }
  },
)

t.test('a limit of years is accepted', { skip }, async (t) => {
  const at = place(t)
  at.script('10.ok', '#!/bin/sh\nsleep 0.1\n')
  await start(t, at)
  t.same(await pipelined(at, [{ timeout: 2_147_484 }, { timeout: 0xffff_ffff }]), [
    [0, 0],
    [1, 0],
  ])
})

t.test('a path that is no file is no script, and blocks nothing', { skip }, async (t) => {
  const at = place(t)
  await execa('mkfifo', ['-m', '755', join(at.folder, '10.pipe.script')])
  mkdirSync(join(at.folder, '20.folder.script'))
  await start(t, at)
  t.match(await run(at, 'x'), { exitCode: 0 })
  await until('both in the log', () =>
    /10\.pipe: .* it is no file\n[^]*20\.folder: .* it is no file/.test(at.log()),
  )
})

t.test('eventscript top and status --socket ask the daemon, or report its absence', { skip }, async (t) => {
  const at = place(t)
  at.script('10.slow', '#!/bin/sh\n[ "$1" != slow ] || exec sleep 600\necho "said $1"\n')
  at.script('20.bad', '#!/bin/sh\n[ "$1" != bad ] || { echo one; echo two; exit 3; }\n')
  const pick = ({ exitCode, stdout }: { exitCode?: number; stdout: string }) => ({ exitCode, stdout })
  const eventscript = (...words: string[]) =>
    execa(process.execPath, [MAIN, ...words], { env: { ...at.env, NO_COLOR: '1' }, reject: false })
  t.match(await eventscript('top'), {
    exitCode: 1,
    stderr: /eventscript.socket: ENOENT: is eventscript's event daemon running/,
  })
  t.match(await eventscript('status', '--socket'), { exitCode: 1, stderr: /eventd.socket: no such socket/ })
  await start(t, at)
  t.match(await eventscript('top'), { exitCode: 0, stdout: 'no event yet' })
  await run(at, 'quick', 'a')
  await run(at, 'bad')
  for (const [event, exitCode] of [
    ['quick', 0],
    ['bad', 1],
  ] as const) {
    const stdout = await status(at, event)
    t.match(stdout, /^10\.slow +OK +0\.\d{3} /)
    t.same(
      pick(await eventscript('status', '--socket', event)),
      { exitCode, stdout },
      'in the layout of the ctdb tool of this machine',
    )
  }
  t.match(await status(at, 'bad'), /^20\.bad +ERROR .*\n {2}OUTPUT:\s+one\n\s*two/m)
  t.match(await eventscript('status', '--socket', 'never'), {
    exitCode: 1,
    stderr: /Event never has never run/,
  })
  const client = spawn(CLIENT, ['run', '30', 'legacy', 'slow'], {
    env: { ...process.env, ...at.env },
    stdio: 'ignore',
  })
  // Each client is a process. Without the wait, the second client may arrive before the first.
  await until('slow runs', async () => /slow.script slow/.test((await eventscript('top')).stdout))
  const second = run(at, 'quick', 'b')
  let top = ''
  for (let i = 0; i < 100 && !/waiting/.test(top); i += 1) top = (await eventscript('top')).stdout
  t.match(
    top,
    /legacy:\n {2}running +\d+\.\d s {2}slow {2}in 10\.slow\n +\d+\.\d s {2}.*10\.slow\.script slow\n {2}waiting +\d+\.\d s {2}quick b/,
  )
  const activities = JSON.parse((await eventscript('top', '--json')).stdout) as Activities
  t.same(
    activities.map(({ running, waiting }) => [running.length, waiting.length]),
    [[1, 1]],
  )
  t.match(activities, [
    {
      component: 'legacy',
      running: [{ event: 'slow', handler: '10.slow' }],
      waiting: [{ event: 'quick', words: ['b'] }],
    },
  ])
  client.kill('SIGKILL')
  t.match(await second, { exitCode: 0 })
})

t.test('ctdb.conf has the same meaning as for ctdb-eventd', { skip }, async (t) => {
  const at = place(t)
  writeFileSync(join(at.base, 'dbg'), '#!/bin/sh\n', { mode: 0o755 })
  const conf = (text: string) => {
    writeFileSync(join(at.base, 'ctdb.conf'), text)
    return readConf(join(at.base, 'ctdb.conf'), {})
  }
  for (const [text, level] of Object.entries({
    '3': 'NOTICE',
    '10': 'DEBUG',
    ERR: 'ERROR',
    warn: 'WARNING',
    'info ': 'INFO',
  }))
    t.equal((await conf(`[logging]\nlog  level = ${text}\n`)).level, level)
  for (const text of ['', '11', '-1', 'ERRORS', 'NOTICE # hi', 'CRIT'])
    await t.rejects(conf(`[logging]\nlog level = ${text}\n`), Refusal, text)
  t.same((await conf('[logging]\nlocation = file:log\n')).location, { kind: 'file', path: 'log' })
  await t.rejects(conf('[logging]\nlocation = syslogx\n'), Refusal)
  t.equal((await conf('[event]\ndebug script = dbg\n')).debugScript, join(at.base, 'dbg'))
  t.equal(
    (await conf('[event]\ndebug script = sub/dbg\n')).debugScript,
    undefined,
    'accepted, but never found',
  )
  await t.rejects(conf('[event]\ndebug script = "dbg"\n'), Refusal)
})

t.test('a log that could not be written is written again as soon as possible', { skip }, async (t) => {
  const at = place(t)
  writeFileSync(join(at.base, 'ctdb.conf'), `[logging]\n\tlocation = file:${at.base}/logs/log\n`)
  at.script('10.talks', '#!/bin/sh\necho "$1"\n')
  await start(t, at)
  t.match(await run(at, 'lost'), { exitCode: 0 })
  mkdirSync(join(at.base, 'logs'))
  await sleep(1100)
  t.match(await run(at, 'kept'), { exitCode: 0 })
  const log = () => {
    const file = join(at.base, 'logs/log')
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }
  await until('the log', () => /10\.talks: kept\n/.test(log()))
})

t.test('a script that cannot be started now does not count as disabled', { skip }, async (t) => {
  const at = place(t)
  at.script('10.ok', '#!/bin/sh\n')
  await start(t, at)
  t.same(await pipelined(at, [{ args: 'x'.repeat(200_000) }, {}]), [
    [0, 8],
    [1, 0],
  ])
  await until('the reason', () => /10\.ok: .*cannot be executed: E2BIG/.test(at.log()))
})

t.test('script output goes to no foreseeable file, and never ends the daemon', { skip }, async (t) => {
  const at = place(t)
  at.script(
    '10.much',
    '#!/bin/sh\nls -l /proc/self/fd/1 >&2\nhead -c 40000000 /dev/zero | tr "\\\\0" x\n[ "$1" = x ] && exec sleep 600\nexit 189\n',
  )
  await start(t, at)
  t.match(await client(at, 'run', '2', 'legacy', 'x'), { exitCode: 110 })
  t.match(await status(at, 'x'), /\(deleted\)/)
  t.match(await run(at, 'y'), { exitCode: 125 }, '64 + ECANCELED must not count as cancelled')
  t.match(await client(at, 'status', 'legacy', 'y'), { exitCode: 22 })
})

t.test('a script that prints for ever does not fill the log', { skip }, async (t) => {
  const at = place(t)
  at.script('10.yes', '#!/bin/sh\n[ "$1" = x ] && exec yes\necho well\n')
  await start(t, at)
  t.match(await client(at, 'run', '1', 'legacy', 'x'), { exitCode: 110 })
  await until('the reason', () => /10\.yes: timed out after 1 s/.test(at.log()))
  t.match(at.log(), /10\.yes: … and \d+ characters more, which are not logged\n/)
  t.ok(at.log().length < 1024 * 1024, `${at.log().length} characters`)
  t.match(await run(at, 'y'), { exitCode: 0 })
})

t.test('a debug script that hangs is ended in time, and its output is kept', { skip }, async (t) => {
  const at = place(t, '[event]\n\tdebug script = debug.sh\n')
  writeFileSync(
    join(at.base, 'debug.sh'),
    '#!/bin/sh\ntrap "" TERM\necho so far\nwhile :; do sleep 1; done\n',
    {
      mode: 0o755,
    },
  )
  at.script(
    '10.hangs',
    '#!/bin/sh\n[ "$1" = x ] || { kill -0 "$(cat "$CTDB_BASE/pid")"; exit; }\necho $$ >"$CTDB_BASE/pid"\ntrap "" TERM\nwhile :; do sleep 1; done\n',
  )
  await start(t, at)
  t.match(await client(at, 'run', '1', 'legacy', 'x'), { exitCode: 110 })
  t.match(await run(at, 'next'), { exitCode: 0 }, 'the next event does not wait for the debug script')
  await until('its words', () => /event_debug: so far\n/.test(at.log()))
})

t.test('all waiting events of a client go with the client, however many', (t) => {
  const queue = new EventQueue(() => new Promise(() => {}))
  const owner = {}
  const job = { event: 'x', words: [], limit: 1000, all: false, owner, asked: 0, answer: () => {} }
  for (let i = 0; i < 200_000; i += 1) queue.submit(job)
  queue.submit({ ...job, owner: {} })
  queue.drop(owner)
  t.equal(queue.waiting().length, 1)
  t.end()
})

t.test('the daemon works without its start folder, and without its parent', { skip }, async (t) => {
  const at = place(t)
  at.script('10.fails', '#!/bin/sh\nexit 7\n')
  const eventd = join(DIST, 'ctdb-eventd')
  const env = { ...at.env, NODE_OPTIONS: '' }
  const reader = 'mkfifo "$0"; true <"$0" & exec 3>"$0"; wait; exec "$@"'
  const orphan = ['-c', reader, join(at.base, 'up'), eventd, '-P', '999999999', '-S', '3']
  t.match(await execa('/bin/sh', orphan, { env, reject: false, timeout: 20_000 }), { exitCode: 3 })

  const cwd = join(at.base, 'here')
  mkdirSync(cwd)
  const child = spawn(eventd, [], { cwd, env: { ...process.env, ...env }, stdio: 'ignore' })
  t.teardown(() => child.kill())
  await until('the socket', () => existsSync(join(at.base, 'run/eventd.socket')))
  rmSync(cwd, { recursive: true })
  t.match(await run(at, 'x'), { exitCode: 8 }, 'the script is run, and fails')
})
