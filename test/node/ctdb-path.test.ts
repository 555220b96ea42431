/**
 * The places of CTDB's files: from ctdb-path, or those of 4.17 without ctdb-path. Also the command line, read as the
 * ctdb tool reads its own.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from '../tap.ts'
import { commandFirst } from '../../runner/cli/option-order.ts'
import { listenersIn } from '../../runner/eventd/process/ctdbd-life.ts'
import { MAIN } from '../lab/paths.ts'

/** A folder of helpers with a ctdb-path of these lines of shell. */
function helpers(t: Test, shell?: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'es-path-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  if (shell !== undefined) {
    writeFileSync(join(dir, 'ctdb-path'), `#!/bin/sh\n${shell}\n`)
    chmodSync(join(dir, 'ctdb-path'), 0o755)
  }
  return dir
}

async function eventscript(env: Record<string, string>, ...words: string[]) {
  const clean = { PATH: process.env['PATH'], ...env }
  const { exitCode, stdout, stderr } = await execa(MAIN, words, {
    env: clean,
    extendEnv: false,
    reject: false,
  })
  return { exitCode, stdout, stderr }
}

const ELSEWHERE = `case "$*" in config) echo /none/etc/ctdb.conf ;; vardir) echo /none/var ;; socket*) echo "/none/$2.s" ;; *) echo "/none/$2.p" ;; esac`

t.test('each command asks ctdb-path, which is searched in CTDB_HELPER_BINDIR', async (t) => {
  const env = { CTDB_HELPER_BINDIR: helpers(t, ELSEWHERE) }
  const socket = { exitCode: 1, stderr: /^eventscript: \/none\/eventd\.s: no such socket/ }
  t.match(await eventscript(env, 'status', '--socket'), socket)
  t.match(await eventscript(env, 'top'), {
    exitCode: 1,
    stderr: /^eventscript: \/none\/eventscript\.socket: ENOENT/,
  })
  t.match(await eventscript(env, 'nodes'), {
    exitCode: 1,
    stderr: /^eventscript: cannot read \/none\/etc\/nodes/,
  })
  t.match(await eventscript(env, 'status'), {
    exitCode: 1,
    stderr: /: \/none\/var\/eventscript\/history\.jsonl has no run/,
  })
  t.match(await eventscript({ ...env, CTDB_BASE: '/mine' }, 'nodes'), { stderr: /cannot read \/mine\/nodes/ })
})

t.test(
  'the variables that ctdbd sets in the environment of an event are completed, and no variable is replaced',
  async (t) => {
    const module = new URL('../../runner/node/ctdb-path.js', import.meta.url).href
    const names = ['CTDB_BASE', 'CTDB_SCRIPT_VARDIR', 'CTDB_HELPER_BINDIR', 'CTDB_SYS_ETCDIR']
    const code = `import(${JSON.stringify(module)}).then((all) => all.completeEnvironment()).then(() => console.log(${JSON.stringify(names)}.map((name) => process.env[name])))`
    const completed = async (env: Record<string, string>) =>
      (await execa(process.execPath, ['-e', code], { env, extendEnv: false })).stdout.replaceAll(/\s+/g, ' ')
    const helperFolder = helpers(t, ELSEWHERE)
    const env = { CTDB_HELPER_BINDIR: helperFolder }
    t.equal(await completed(env), `[ '/none/etc', '/none/var/scripts', '${helperFolder}', '/etc' ]`)
    t.equal(
      await completed({ ...env, CTDB_BASE: '/mine', CTDB_SCRIPT_VARDIR: '/v' }),
      `[ '/mine', '/v', '${helperFolder}', undefined ]`,
    )
    const bare = helpers(t)
    t.equal(
      await completed({ CTDB_HELPER_BINDIR: bare }),
      `[ undefined, undefined, '${bare}', undefined ]`,
      'a file in its usual place stays unset',
    )
  },
)

t.test('without a ctdb-path the places of 4.17 are used', async (t) => {
  const env = { CTDB_HELPER_BINDIR: helpers(t) }
  t.match(await eventscript({ ...env, CTDB_TEST_MODE: '1', CTDB_BASE: '/t' }, 'status', '--socket'), {
    exitCode: 1,
    stderr: /^eventscript: \/t\/run\/eventd\.socket: no such socket/,
  })
  t.match(await eventscript({ ...env, CTDB_SCRIPT_VARDIR: '/v/scripts' }, 'status'), {
    stderr: /: \/v\/eventscript\/history\.jsonl has no run/,
  })
})

t.test('a ctdb-path that gives no answer is reported in a single line', async (t) => {
  const dir = helpers(t, 'echo no such thing >&2; exit 3')
  t.same(await eventscript({ CTDB_HELPER_BINDIR: dir }, 'nodes'), {
    exitCode: 1,
    stdout: '',
    stderr: `eventscript: "${dir}/ctdb-path config" failed: no such thing: expected a full path: reinstall ctdb, or set CTDB_HELPER_BINDIR`,
  })
  writeFileSync(join(dir, 'ctdb-path'), '#!/bin/sh\n')
  t.match(
    (await eventscript({ CTDB_HELPER_BINDIR: dir }, 'nodes')).stderr,
    /ctdb-path config" printed "": expected/,
  )
})

t.test('options before the command belong to the command, as in the ctdb tool', (t) => {
  const same = (words: string, expected: string) => t.same(commandFirst(words.split(' ')).join(' '), expected)
  same('-X ip', 'ip -X')
  same('-x : -t 3 ip -v', 'ip -x : -t 3 -v')
  same('-x; ifaces', 'ifaces -x ;')
  same('--json status takeip', 'status --json takeip')
  same('--events /e list', 'list --events /e')
  same('run takeip eth0 10.0.0.1 24', 'run takeip eth0 10.0.0.1 24')
  same('--help', '--help')
  t.same(commandFirst([]), [])
  t.end()
})

t.test('the listening sockets of the kernel are found, and no others', (t) => {
  // Recorded on kernel 6.18, with a listener, a connection to the listener, and a socket for datagrams.
  const text = `Num       RefCount Protocol Flags    Type St Inode Path
0000000011d994b9: 00000002 00000000 00000000 0002 01 166410 /run/host/notify
000000007cbca355: 00000003 00000000 00000000 0001 03 219535
00000000a4bd2d52: 00000002 00000000 00010000 0001 01 219702 /run/ctdb/ctdbd.socket
000000003a3a1f5d: 00000003 00000000 00000000 0001 03 219710 /run/ctdb/ctdbd.socket
00000000b1b0cbbd: 00000002 00000000 00010000 0001 01  14612 /run/with blank/s
00000000c1b0cbbd: 00000002 00000000 00010000 0001 01  14613 @abstract
`
  t.same(
    listenersIn(text).map(({ path }) => path),
    ['/run/ctdb/ctdbd.socket', '/run/with blank/s'],
  )
  t.end()
})
