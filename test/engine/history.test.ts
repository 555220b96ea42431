/** The history: which runs are remembered, and that none is lost or torn while several processes write. */
import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from '../tap.ts'
import { worthKeeping } from '../../runner/engine/history/bound.ts'
import { keepRuns } from '../../runner/engine/history/keep.ts'
import { lastRun } from '../../runner/engine/history/last-run.ts'
import { recall } from '../../runner/engine/history/recall.ts'
import { filesOf, type KeptRun } from '../../runner/engine/history/run.ts'
import { RunHistory } from '../../runner/eventd/run/run-history.ts'
import { whyMissing } from '../lab/needs.ts'
import { DIST } from '../lab/paths.ts'

const NOW = Date.parse('2026-11-27T12:00:00Z')
const HOUR = 3600 * 1000

/** A run so many milliseconds before NOW, of 10.interface. */
function run(
  ago: number,
  { name = '10.interface', why, ...own }: Partial<KeptRun> & { name?: string; why?: string } = {},
): KeptRun {
  const began = new Date(NOW - ago).toISOString()
  const outcome: KeptRun['outcome'] = why === undefined ? 'ok' : 'failed'
  const handler = {
    name,
    began,
    ms: 1,
    output: [] as string[],
    outcome,
    ...(why === undefined ? {} : { why }),
  }
  return { event: 'monitor', words: [], outcome, began, ms: 1, handlers: [handler], via: 'daemon', ...own }
}

const times = <T>(count: number, each: (i: number) => T) => Array.from({ length: count }, (_, i) => each(i))

t.test('the last 20 of each event are kept, by each way to run it; and every failure of 7 days', (t) => {
  const takeip = times(30, (i) => run(HOUR - i, { event: 'takeip', words: [`${i}`] }))
  const byHand = times(30, (i) => run(HOUR / 2 - i, { event: 'takeip', words: [`${i}`], via: 'hand' }))
  const failed = times(30, (i) =>
    run(2 * HOUR - i, { event: 'takeip', words: [`${i}`], why: `no link ${i}` }),
  )
  const old = run(7 * 24 * HOUR + 1, { event: 'takeip', why: 'long ago' })
  const young = run(7 * 24 * HOUR - 1, { event: 'takeip', why: 'not so long ago' })
  const kept = worthKeeping([old, young, ...failed, ...takeip, ...byHand], NOW)
  t.same(kept, [young, ...failed, ...takeip.slice(-20), ...byHand.slice(-20)])
  t.same(worthKeeping(kept, NOW), kept, 'a second time changes nothing')
  t.end()
})

t.test('equal successes of monitor are one line with a count; a failure between them stands alone', (t) => {
  const good = times(1000, (i) => run(HOUR - i * 10))
  const bad = [run(40, { why: 'no link' }), run(30, { why: 'no link' })]
  const again = [run(20), run(10)]
  const kept = worthKeeping([...good, ...bad, ...again], NOW)
  t.same(kept, [
    { ...good.at(-1), count: 1000, first: good[0]?.began },
    ...bad,
    { ...again[1], count: 2, first: again[0]?.began },
  ])
  const next = [...times(5, (i) => run(5 - i))]
  t.match(worthKeeping([...kept, ...next], NOW).at(-1), { count: 7, first: again[0]?.began ?? '' })
  t.same(
    worthKeeping([...kept, ...good, ...again], NOW).at(-1),
    kept.at(-1),
    'runs that are there twice count once',
  )
  t.end()
})

t.test('a failure that goes on for days is each of its last 20, and a count of those before', (t) => {
  const failed = times(100, (i) => run(HOUR - i * 10, { why: 'no link' }))
  const kept = worthKeeping(failed, NOW)
  t.match(kept[0], { count: 80, first: failed[0]?.began ?? '', began: failed[79]?.began ?? '' })
  t.same(kept.slice(1), failed.slice(-20))
  t.end()
})

t.test('status puts the scripts of one event together again', (t) => {
  const via = 'script'
  const before = run(50, { via, name: '91.lvs' })
  const event = [
    run(40, { via }),
    run(30, { via, name: '11.routing' }),
    run(20, { via, name: '91.lvs', why: 'no ipvsadm' }),
  ]
  const last = lastRun([before, ...event], 'monitor')
  t.match(last, { via, outcome: 'failed' })
  t.same(
    last?.handlers.map(({ name }) => name),
    ['10.interface', '11.routing', '91.lvs'],
  )
  t.equal(lastRun(event, 'takeip'), undefined)
  t.end()
})

t.test('a thousand events at once in the event daemon are one write', async (t) => {
  const writes: number[] = []
  const complaints: string[] = []
  const history = new RunHistory(
    (runs) => (writes.push(runs.length), Promise.resolve('the run is not kept')),
    (line) => complaints.push(line),
  )
  for (let i = 0; i < 1000; i += 1) history.add(run(i, { event: 'takeip' }))
  t.same(writes, [], 'no event waits for a write')
  await history.write()
  t.same(writes, [1000])
  history.add(run(1))
  await history.write()
  t.same(writes, [1000, 1])
  t.same(complaints, ['the run is not kept'], 'said once')
})

const WRITERS = 4
const RUNS = 150

t.test(
  'processes that write at once, while the history is bounded, lose and tear no line',
  { skip: whyMissing(['flock']) ?? false },
  async (t) => {
    const file = join(t.testdir({}), 'eventscript/history.jsonl')
    const module = (name: string) =>
      JSON.stringify(new URL(`runner/engine/history/${name}.js`, `file://${DIST}/`).href)
    const code = `
    const { keepRuns } = await import(${module('keep')})
    for (let i = 0; i < ${RUNS}; i += 1) {
      const began = new Date().toISOString()
      const handler = { name: process.argv[2] + '-' + i, began, ms: 1, outcome: 'failed', output: ['x'.repeat(1800), 'y'.repeat(1800)] }
      const why = await keepRuns(process.argv[1], [
        { event: 'takeip', words: [process.argv[2], String(i)], outcome: 'failed', began, ms: 1, handlers: [handler], via: 'script' },
      ])
      if (why !== undefined) throw new Error(why)
    }`
    const writer = (i: number) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', code, file, `w${i}`])
    await Promise.all(times(WRITERS, writer))
    const { older, newest } = filesOf(file)
    const whole = (path: string) =>
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown)
    t.ok(whole(older).length > 0, 'the history was bounded meanwhile')
    whole(newest)
    const found = recall(file).map(({ words }) => words.join(' '))
    const all = times(WRITERS, (i) => times(RUNS, (n) => `w${i} ${n}`)).flat()
    t.same(found.toSorted(), all.toSorted())
    t.match((statSync(older).mode & 0o777).toString(8), '600')
  },
)

t.test(
  'what a killed process left while it bounded the history is not lost',
  { skip: whyMissing(['flock']) ?? false },
  async (t) => {
    const file = join(t.testdir({}), 'history.jsonl')
    const { moving, older } = filesOf(file)
    const failure = (i: number) => run(0, { event: 'takeip', words: [`${i}`], why: 'x'.repeat(1500) })
    await keepRuns(file, [failure(1)])
    renameSync(file, moving)
    await keepRuns(file, [failure(2)])
    t.same(
      recall(file).map(({ words }) => words[0]),
      ['1', '2'],
    )
    await keepRuns(
      file,
      times(400, (i) => failure(i + 3)),
    )
    t.match(readFileSync(older, 'utf8'), '"words":["1"]')
    t.equal(recall(file).length, 402)
    appendFileSync(file, '{"event":"cut by a full di')
    await keepRuns(file, [failure(500)])
    t.equal(recall(file).at(-1)?.words[0], '500', 'a line that was cut costs no other')
  },
)

t.test('the history of an older version is one by hand', (t) => {
  const file = join(t.testdir({}), 'history.jsonl')
  writeFileSync(file, `${JSON.stringify({ ...run(0), via: undefined })}\n`)
  t.match(recall(file)[0], { via: 'hand' })
  t.end()
})
