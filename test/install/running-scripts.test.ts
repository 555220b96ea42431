/** Who is waited for after `uninstall`: also an announcer that an event started just before its end. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { announcersSettled, scriptsEnded } from '../../runner/install/running-scripts.ts'
import { announcerInbox } from '../../runner/machine/announcement.ts'
import { inboxLock } from '../../runner/machine/live/inbox.ts'
import { keepdirOf, vardirOf } from '../../runner/node/ctdb-path.ts'
import { waitFor } from '../lab/wait-for.ts'
import t from '../tap.ts'

/** A script of ours in the background, and its node; it ends when `begun` has gone. */
async function running(folder: string, ...words: string[]) {
  const [program, begun] = [join(folder, '10.interface.cjs'), join(folder, 'begun')]
  writeFileSync(
    program,
    `const { existsSync, writeFileSync } = require('node:fs'); writeFileSync('${begun}', '');
     setInterval(() => existsSync('${begun}') || process.exit(), 10)`,
  )
  const env = { CTDB_SCRIPT_VARDIR: join(folder, 'scripts') }
  const child = execa(process.execPath, [program, ...words], { env, reject: false })
  await waitFor('the script', () => existsSync(begun))
  return {
    child,
    programs: new Set([program]),
    inbox: announcerInbox(keepdirOf(vardirOf(env))),
    end: () => rmSync(begun),
  }
}

t.test('an announcer that has no lock yet is waited for', async (t) => {
  const { child, programs, inbox, end } = await running(t.testdir({}), '--announce', '10.0.0.1', 'eth0')
  t.same(await announcersSettled(programs, inbox, 0), [child.pid])
  t.same(await scriptsEnded(programs, 0), [], 'it is no event')
  const settled = announcersSettled(programs, inbox, 60)
  end()
  t.same(await settled, [])
})

t.test("the one at work, and another node's, are not", async (t) => {
  const folder = t.testdir({ eventscript: {} })
  const { child, programs, inbox, end } = await running(folder, '--announce', '10.0.0.1', 'eth0')
  t.same(await announcersSettled(programs, '/another/eventscript/announcer.socket', 0), [])
  writeFileSync(inboxLock(inbox), `${child.pid}\n`)
  t.same(await announcersSettled(programs, inbox, 0), [])
  end()
  await child
})

t.test('an event is waited for, by any of its programs', async (t) => {
  const { child, programs, inbox, end } = await running(t.testdir({}), 'monitor')
  t.same(await scriptsEnded(programs, 0), [child.pid])
  t.same(await scriptsEnded(new Set(['/another.script']), 0), [])
  t.same(await announcersSettled(programs, inbox, 0), [])
  const ended = scriptsEnded(programs, 60)
  end()
  t.same(await ended, [])
})
