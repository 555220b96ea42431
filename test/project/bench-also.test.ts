/** `npm run bench -- --also FOLDER`: the options, the compared builds, and the report. */
import { join } from 'node:path'
import chalk from 'chalk'
import { execa } from 'execa'
import t from '../tap.ts'
import { besideBulk, besideEvents, besideTable, besideUpkeep, type Figure } from '../bench/beside.ts'
import { builds } from '../bench/builds.ts'
import type { BulkRow } from '../bench/bulk/table.ts'
import { inTurn } from '../bench/measure.ts'
import { benchOptions } from '../bench/options.ts'
import type { Row } from '../bench/table.ts'
import { DIST } from '../lab/paths.ts'

chalk.level = 0
const BUILD = { dist: { 'ctdb-eventd': '', 'events.d': { '10.interface.script': '' } } }

t.test('the options are read, and bad options are refused', (t) => {
  const defaults = { runs: 9, json: undefined, also: undefined, long: false, svg: 'docs/bench-bulk.svg' }
  t.same(benchOptions([]), { ...defaults, parts: ['events', 'resident', 'bulk'] })
  t.same(benchOptions(['--only', 'cluster,events', '--runs', '12']), {
    ...defaults,
    parts: ['cluster', 'events'],
    runs: 12,
  })
  const refused = {
    '--only event': '--only event: no such part: expected some of events,resident,bulk,cluster',
    '--runs 0': '--runs 0: expected a whole number from 1',
    '--runs 1.5': '--runs 1.5: expected a whole number from 1',
    '--fast': "Unknown option '--fast'",
  }
  for (const [words, message] of Object.entries(refused))
    t.throws(() => benchOptions(words.split(' ')), { name: 'Refusal', message })
  t.end()
})

t.test('another build is a folder with a build, named by its full path, and not plotted', (t) => {
  const folder = t.testdir(BUILD)
  const { also, svg } = benchOptions(['--also', `${folder}/../${folder.split('/').at(-1)}/`])
  t.equal(also, folder)
  t.equal(svg, undefined)
  t.equal(benchOptions(['--also', folder, '--svg', 'x.svg']).svg, 'x.svg')
  t.same(builds(folder), [
    { who: 'ours', script: join(DIST, 'events.d/10.interface.script'), daemon: join(DIST, 'ctdb-eventd') },
    {
      who: 'other',
      script: `${folder}/dist/events.d/10.interface.script`,
      daemon: `${folder}/dist/ctdb-eventd`,
    },
  ])
  t.end()
})

t.test('a folder without a build is reported in a single line, and no bench runs', async (t) => {
  const folder = t.testdir({ dist: { 'ctdb-eventd': '' } })
  const argv = ['-u', 'NODE_OPTIONS', process.execPath, join(DIST, 'test/bench/bench.js'), '--also', folder]
  const { exitCode, stdout, stderr } = await execa('env', argv, { reject: false })
  const missing = `${folder}/dist/events.d/10.interface.script`
  t.equal(stderr, `--also ${folder}: ${missing} does not exist: expected a build: run npm install there`)
  t.same([exitCode, stdout], [1, ''])
})

t.test('the order of the contestants is reversed, so that no contestant always follows the same', (t) => {
  const order = [0, 1, 2].map((round) => inTurn(['a', 'b', 'c'], round))
  const forth = [
    [0, 'a'],
    [1, 'b'],
    [2, 'c'],
  ]
  t.same(order, [forth, forth.toReversed(), forth])
  t.end()
})

const row = (task: string, contestant: string, wall: number, late?: number): Row => ({
  task,
  contestant,
  wall,
  late,
  runs: 9,
  targets: [],
})

t.test('for single events the time counts, and after a random wait of the kernel the rest only', (t) => {
  const rows = [
    row('takeip IPv4', 'node -e 0', 50),
    row('takeip IPv4', 'ours', 100),
    row('takeip IPv4', 'other', 90),
    row('takeip IPv4', "CTDB's script", 20),
    row('takeip IPv6', 'ours', 2000, 30),
    row('takeip IPv6', 'other', 1000, 40),
  ]
  t.same(besideEvents('events', rows), [
    { part: 'events', what: 'takeip IPv4', unit: 'ms', ours: 100, other: 90 },
    { part: 'events', what: 'takeip IPv6, late', unit: 'ms', ours: 30, other: 40 },
  ])
  t.same(besideEvents('events', rows.slice(0, 2)), [], 'without another build')
  t.end()
})

t.test('for a daemon, events a second and memory count, each as a median', (t) => {
  const upkeep = (contestant: string, perSecond: number[]) => {
    return { contestant, started: 1, flooded: [1], perSecond, idleTicks: 0, long: [] }
  }
  const memory = (contestant: string, started: number[]) => ({ contestant, started, flooded: [70, 80] })
  t.same(
    besideUpkeep(
      'resident',
      [upkeep('ours, resident', [100, 300, 200]), upkeep('other, resident', [150])],
      [memory('ours, resident', [61, 60, 90]), memory('other, resident', [62])],
    ),
    [
      { part: 'resident', what: 'setup events', unit: 'a second', ours: 200, other: 150 },
      { part: 'resident', what: 'memory, started', unit: 'MB', ours: 61, other: 62 },
      { part: 'resident', what: 'memory, 200 events later', unit: 'MB', ours: 75, other: 75 },
    ],
  )
  t.end()
})

t.test('for many addresses each number from 60 counts, and a failed burst has no end', (t) => {
  const bulk = (contestant: string, factor: number, whole: boolean): BulkRow => {
    const cells = [1, 60, 250].map((size) => ({
      size,
      seconds: size * factor,
      whole: whole || size < 250,
      runs: 3,
    }))
    return { task: 'takeip IPv4', contestant, cells, growth: [] }
  }
  const rows = [bulk('ours, DAD off', 2, false), bulk('other, DAD off', 1, true), bulk('ip -batch', 1, true)]
  t.same(besideBulk('bulk', rows), [
    { part: 'bulk', what: 'takeip IPv4, DAD off, 60', unit: 's', ours: 120, other: 60 },
    { part: 'bulk', what: 'takeip IPv4, DAD off, 250', unit: 's', ours: Infinity, other: 250 },
  ])
  t.end()
})

t.test('the table names each result that is slower by more than 5 %, or larger by more than 1 %', (t) => {
  const figures: Figure[] = [
    { part: 'events', what: 'monitor', unit: 'ms', ours: 105, other: 100 },
    { part: 'events', what: 'takeip IPv4', unit: 'ms', ours: 106, other: 100 },
    { part: 'resident', what: 'setup events', unit: 'a second', ours: 96, other: 100 },
    { part: 'resident', what: 'setup events, too', unit: 'a second', ours: 90, other: 100 },
    { part: 'resident', what: 'memory, started', unit: 'MB', ours: 62.6, other: 62 },
    { part: 'resident', what: 'memory, later', unit: 'MB', ours: 62.7, other: 62 },
    { part: 'bulk', what: 'takeip IPv4, resident, 60', unit: 's', ours: Infinity, other: 0.04 },
    { part: 'bulk', what: 'takeip IPv6, DAD off, 60', unit: 's', ours: 0.04, other: Infinity },
  ]
  t.equal(
    `\n${besideTable(figures)}`,
    `
                                                  ours     other           ours/other
events    monitor                                105.0     100.0 ms             1.050 ✓
          takeip IPv4                            106.0     100.0 ms             1.060 ✗ slower by 6.0 %
resident  setup events                           96.00     100.0 a second       0.960 ✓
          setup events, too                      90.00     100.0 a second       0.900 ✗ slower by 11.1 %
          memory, started                        62.60     62.00 MB             1.010 ✓
          memory, later                          62.70     62.00 MB             1.011 ✗ larger by 1.1 %
bulk      takeip IPv4, resident, 60                  ✗     0.040 s                  – ✗ not all succeeded
          takeip IPv6, DAD off, 60               0.040         ✗ s                  – ✓
4 of 8 are worse: slower by more than 5 %, or memory larger by more than 1 %`,
  )
  t.end()
})
