/** The demo where this machine forbids namespaces: recordings of real runs, played against the handlers of today. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import chalk from 'chalk'
import { replayFile, type Replayed } from '../../runner/commands/replay.ts'
import { findHandlers } from '../../runner/handlers.ts'
import { toShell } from '../../runner/system/argv.ts'
import { readTranscript, type Transcript } from '../../runner/system/transcript.ts'
import { DIST } from './lab.ts'
import { wrapped } from './scene.ts'

const FIXTURES = join(DIST, '../fixtures/10.interface')

type Print = (...lines: string[]) => void

/** Plays every recording; the first of each event is shown with all that was decided. Gives back the failures. */
export async function replayInstead(reason: string, print: Print): Promise<string[]> {
  print(`No live demo: ${reason}. Recorded runs are replayed instead.`)
  const files = existsSync(FIXTURES) ? readdirSync(FIXTURES).filter((file) => file.endsWith('.txt')) : []
  if (files.length === 0) return [`there are no recordings in ${FIXTURES}`]
  const handlers = findHandlers(join(DIST, 'events.d'))
  const failures: string[] = []
  const shown = new Set<string>()
  for (const file of files.toSorted()) {
    const text = readFileSync(join(FIXTURES, file), 'utf8')
    const played = await replayFile(text, handlers)
    const transcript = readTranscript(text)
    print('', ...summary(file, transcript, played))
    if (!shown.has(transcript.header.event)) print(...decisions(transcript, played))
    shown.add(transcript.header.event)
    failures.push(...played.problems.map((problem) => `${file}: ${problem}`))
  }
  print('', `${files.length} recordings replayed, ${failures.length} differences.`)
  return failures
}

function summary(file: string, { header }: Transcript, { report, problems }: Replayed): string[] {
  const paint = report.outcome === 'ok' ? chalk.green : chalk.red
  const same = problems.length === 0 ? chalk.green('as recorded') : chalk.red('NOT as recorded')
  return [
    chalk.bold(basename(file, '.txt')),
    `   ${[header.event, ...header.words].join(' ')}: ${paint(report.outcome)}, ${same}`,
  ]
}

/** What the handler decided in this replay: its changes (the replay accepts no others) and its words. */
function decisions({ entries }: Transcript, { report }: Replayed): string[] {
  const changes = entries.flatMap((entry) => {
    if (entry.verb === 'change')
      return [`${entry.how === 'start' ? 'start' : 'change'} ${toShell(entry.argv)}`]
    return entry.verb === 'write' ? [`write ${entry.path}`] : []
  })
  const said = report.handlers.flatMap(({ output, why }) => [...output, ...(why ? [why] : [])])
  return [
    ...(changes.length === 0 ? ['     nothing to change'] : changes.flatMap((line) => wrapped(line, 5))),
    ...said.flatMap((line) => wrapped(`says: ${line}`, 5)).map((line) => chalk.yellow(line)),
  ]
}
