/** The report of `replayFile` on a recording that differs from the present behaviour. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from '../tap.ts'
import { replayFile } from '../../runner/engine/replay-event.ts'
import { findHandlers, type Entry } from '../../runner/engine/find-handlers.ts'

const DIST = fileURLToPath(new URL('../..', import.meta.url))
const FIXTURE = readFileSync(join(DIST, '../fixtures/10.interface/releaseip.other-mask.txt'), 'utf8')
const entries = findHandlers(join(DIST, 'events.d'))

async function problems(recording: string, handlers: readonly Entry[] = entries): Promise<string> {
  return (await replayFile(recording, handlers)).problems.join('\n\n')
}

void t.test('the recording itself replays as recorded, and gives a report', async (test) => {
  const { report, problems: found } = await replayFile(FIXTURE, entries)
  test.same(found, [])
  test.match(report, {
    event: 'releaseip',
    outcome: 'ok',
    handlers: [{ name: '10.interface', outcome: 'ok' }],
  })
})

void t.test('comments and times do not matter', async (test) => {
  const edited = FIXTURE.replace('\n', '\n# by hand\n\n').replaceAll(/^ {2}took .*\n/gm, '')
  test.equal(await problems(edited), '')
})

void t.test('a different line is shown with its neighbours', async (test) => {
  const told = await problems(FIXTURE.replace('has 25 bit netmask', 'has 26 bit netmask'))
  test.match(
    told,
    /otherwise than recorded \(-\), namely \(\+\):\n(?: {2}.*\n)+- say .* 26 bit.*\n\+ say .* 25 bit/,
  )
})

void t.test('a different question is shown from both sides', async (test) => {
  const told = await problems(FIXTURE.replace('addr del 10.0.0.1/25', 'addr del 10.0.0.1/24'))
  test.match(told, /^line \d+: .*differ\n +asked now: .*\/25 dev eth0\n +recorded: .*\/24 dev eth0$/)
})

void t.test('an extra step in the recording is shown', async (test) => {
  const told = await problems(FIXTURE.replace('end ok', 'read /etc/motd\n  absent\nend ok'))
  test.match(told, /asked now: nothing more\n +recorded: +read \/etc\/motd/)
})

void t.test('a different end is shown', async (test) => {
  test.match(
    await problems(FIXTURE.replace('end ok', 'end failed\n  why= "no"')),
    /- end failed\n- {3}why= "no"\n\+ end ok/,
  )
})

void t.test('a recording that is cut short after any line goes as recorded up to there', async (test) => {
  const lines = FIXTURE.split('\n')
  const first = lines.findIndex((line) => line.startsWith('handler'))
  for (let count = first + 1; count < lines.length - 1; count += 1) {
    const told = await problems(`${lines.slice(0, count).join('\n')}\n`)
    test.match(told, /^the recording is cut short after line \d+: [^\n]*$/, `${count} lines`)
  }
})

void t.test('a recording that does not fit is no defect of the handler, and has no stack', async (test) => {
  const cut = FIXTURE.slice(0, FIXTURE.indexOf('change '))
  const differs = FIXTURE.replace('addr del 10.0.0.1/25', 'addr del 10.0.0.1/24')
  const whyOf = async (text: string) => (await replayFile(text, entries)).report.handlers[0]?.why
  test.equal(await whyOf(cut), 'the recording ends, cut short, before the event does')
  test.match(await whyOf(differs), /^line \d+: the event and the recording differ$/)
})

void t.test('an impossible event is named with its line', async (test) => {
  for (const event of ['takeip eth0 10.0.0.1 99', 'takeip', 'x/y'])
    await test.rejects(replayFile(FIXTURE.replace(/^event .*/m, `event ${event}`), entries), {
      message: /^line 2: /,
    })
})

void t.test('a handler that is absent from this node is named', async (test) => {
  test.match(await problems(FIXTURE, []), /^no handler 10\.interface here/)
})

void t.test('an executable and a disabled handler replay as recorded', async (test) => {
  const recording = [
    'eventscript recording 1',
    'event monitor',
    'handler 20.off',
    'end disabled',
    '  why= "/e/20.off.script is not executable"',
    'handler 50.samba',
    'script /etc/ctdb/events/legacy/50.samba.script monitor',
    '  exit 1',
    '  out no smbd',
    'say no smbd',
    'end failed',
    '  why= "/etc/ctdb/events/legacy/50.samba.script ended with exit status 1"',
    'result failed',
    '',
  ].join('\n')
  test.equal(await problems(recording), '')
})
