/** The demo where this machine forbids namespaces: recordings of real runs, played against the handlers of today. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import chalk from 'chalk'
import { replayFile, type Replayed } from '../../runner/engine/replay-event.ts'
import { findHandlers } from '../../runner/engine/find-handlers.ts'
import { toShell } from '../../runner/machine/argv.ts'
import { readTranscript } from '../../runner/machine/recording/read-transcript.ts'
import { type Transcript } from '../../runner/machine/recording/transcript.ts'
import { DIST } from '../lab/paths.ts'
import { wrapped } from './scene.ts'

const FIXTURES = join(DIST, '../fixtures/10.interface')

/** The live demo's story, as far as it has been recorded: these are shown, of the others it is said how they went. */
const STORY = [
  'takeip.plain',
  'takeip.v6-plain',
  'monitor.all-up',
  'monitor.one-down',
  'releaseip.other-interface-and-mask',
  'takeip.v6-duplicate',
]

type Print = (...lines: string[]) => void

/** Plays every recording and prints what the handlers decided in those of the story. Gives back the failures. */
export async function replayInstead(reason: string, print: Print): Promise<string[]> {
  print(...wrapped(`No live demo: ${reason}. Recorded runs are replayed instead.`, 0))
  const files = existsSync(FIXTURES) ? readdirSync(FIXTURES).filter((file) => file.endsWith('.txt')) : []
  const names = files.map((file) => file.replace(/\.txt$/, ''))
  const failures = STORY.filter((name) => !names.includes(name)).map(
    (name) => `${name} is not in ${FIXTURES}`,
  )
  const others = names.filter((name) => !STORY.includes(name)).toSorted()
  const handlers = findHandlers(join(DIST, 'events.d'))
  for (const name of [...STORY.filter((each) => names.includes(each)), ...others]) {
    const text = readFileSync(join(FIXTURES, `${name}.txt`), 'utf8')
    const played = await replayFile(text, handlers)
    if (STORY.includes(name)) print('', ...shown(name, readTranscript(text), played))
    failures.push(...played.problems.map((problem) => `${name}: ${problem}`))
  }
  print('', `${names.length} recordings replayed, ${failures.length} differences.`)
  return failures
}

/** What the handler decided in this replay, and why: its changes (the replay accepts no others) and its words. */
function shown(name: string, { header, entries }: Transcript, { report, problems }: Replayed): string[] {
  const paint = report.outcome === 'ok' ? chalk.green : chalk.red
  const changes = entries.flatMap((entry) => {
    if (entry.verb === 'change')
      return [`${entry.how === 'start' ? 'start ' : 'change'} ${toShell(entry.argv)}`]
    if (entry.verb === 'because') return [chalk.dim(`       (${entry.text})`)]
    return entry.verb === 'write' ? [`write  ${entry.path}`] : []
  })
  const said = report.handlers.flatMap(({ output, why }) => [...output, ...(why ? [why] : [])])
  return [
    `${chalk.bold(toShell([header.event, ...header.words]))} ${chalk.dim(`(${name})`)}`,
    ...(changes.length === 0 ? ['   nothing is changed'] : changes.flatMap((line) => wrapped(line, 3))),
    ...said.flatMap((line) => wrapped(`says   ${line}`, 3)).map((line) => chalk.yellow(line)),
    `   ${paint(report.outcome)}, ${problems.length === 0 ? 'as recorded' : chalk.red('NOT as recorded')}`,
  ]
}
