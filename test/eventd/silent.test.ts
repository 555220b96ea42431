/** An event daemon takes connections and never answers, as one that is stopped does: our commands end with a line. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t from '../tap.ts'
import { MAIN } from '../lab/paths.ts'

// The path is short, because the path of a socket has 107 bytes at most.
const base = mkdtempSync(join(tmpdir(), 'ess-'))
t.teardown(() => rmSync(base, { recursive: true, force: true }))
mkdirSync(join(base, 'run'))

const env = { CTDB_TEST_MODE: 'yes', CTDB_BASE: base, CTDB_SCRIPT_VARDIR: join(base, 'var') }

for (const [words, name] of [
  [['status', '--socket'], 'eventd.socket'],
  [['top'], 'eventscript.socket'],
] as const)
  t.test(`eventscript ${words.join(' ')}`, async (t) => {
    const daemon = createServer((client) => client.on('error', () => {}))
    t.teardown(() => daemon.close())
    daemon.listen(join(base, 'run', name))
    await once(daemon, 'listening')
    const { exitCode, stdout, stderr } = await execa(process.execPath, [MAIN, ...words], {
      reject: false,
      env,
      timeout: 60_000,
    })
    t.match({ exitCode, stdout }, { exitCode: 1, stdout: '' })
    t.match(
      stderr,
      /^eventscript: \S+\.socket: no answer within 5\.0 s: the event daemon hangs: see its log.*$/,
      'one line',
    )
  })
