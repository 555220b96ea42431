/** The memory of a component: the ends of its events, and the reasons that are logged already. */
import t from '../tap.ts'
import type { EventStatus } from '../../runner/eventd/protocol/messages.ts'
import { ScriptLog } from '../../runner/eventd/run/script-log.ts'
import { Statuses } from '../../runner/eventd/run/statuses.ts'
import type { HandlerReport } from '../../runner/engine/report.ts'

const moment = { seconds: 1, microseconds: 2 }
const status = (summary = 0, output?: string): EventStatus => ({
  summary,
  scripts: [{ name: '10.ok', begin: moment, end: moment, result: summary, output }],
})

t.test('the last event is the event that ended last, with its last result', (t) => {
  const statuses = new Statuses()
  t.equal(statuses.last(), undefined)
  statuses.keep('shutdown', status())
  statuses.keep('monitor', status(1))
  t.same(statuses.last(), { event: 'monitor', good: false })
  statuses.keep('shutdown', status())
  t.same(statuses.last(), { event: 'shutdown', good: true })
  t.same(statuses.of('monitor'), status(1))
  t.end()
})

t.test('of 300 events the 256 that ended last are kept', (t) => {
  const statuses = new Statuses()
  for (let i = 0; i < 300; i += 1) statuses.keep(`event-${i}`, status(i))
  t.equal(statuses.of('event-43'), undefined)
  t.equal(statuses.of('event-44')?.summary, 44)
  t.equal(statuses.of('event-299')?.summary, 299)
  t.end()
})

t.test('the output of a hung script is kept with its event, and no other output', (t) => {
  const statuses = new Statuses()
  statuses.keepOutput('monitor', 'lost')
  t.equal(statuses.of('monitor'), undefined)
  statuses.keep('monitor', status(-110, 'before\n'))
  statuses.keepOutput('monitor', '')
  t.equal(statuses.of('monitor')?.scripts[0]?.output, 'before\n')
  statuses.keepOutput('monitor', 'so far\n')
  t.equal(statuses.of('monitor')?.scripts[0]?.output, 'so far\n')
  t.end()
})

t.test('output is always logged; an unchanged reason is loud once', (t) => {
  const lines: string[] = []
  const log = new ScriptLog({ write: (level, text) => lines.push(`${level} ${text}`) })
  const report = (outcome: HandlerReport['outcome'], why?: string, output: string[] = []): HandlerReport => ({
    name: '10.x',
    began: '2026-11-27T12:00:00.000Z',
    ms: 1,
    outcome,
    why,
    output,
  })
  log.write(report('ok', undefined, ['one', 'two']))
  log.write(report('cannot-run', 'no interpreter'))
  log.write(report('cannot-run', 'no interpreter'))
  log.write(report('disabled', 'not executable'))
  log.write(report('cannot-run', 'no interpreter'))
  t.same(lines, [
    'ERROR 10.x: one',
    'ERROR 10.x: two',
    'ERROR 10.x: no interpreter',
    'DEBUG 10.x: no interpreter',
    'DEBUG 10.x: not executable',
    'ERROR 10.x: no interpreter',
  ])
  t.end()
})
