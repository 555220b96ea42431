import { Refusal, Usage } from '../../base/refusal.ts'
import { findHandlers, type Entry } from '../../engine/find-handlers.ts'
import { replayFile, type Replayed } from '../../engine/replay-event.ts'
import type { Paints } from '../../format/colours.ts'
import { live } from '../../machine/live/live.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import { BadTranscript } from '../../machine/recording/transcript.ts'
import type { Command, CommonArgs } from '../command.ts'
import { handlerReport } from '../handler-report.ts'
import { folderOf } from '../here.ts'
import { EVENTS } from '../options.ts'
import { printJson, printText } from '../output.ts'

interface Args extends CommonArgs {
  files: string[]
  against?: boolean
}

export default {
  usage: 'replay [files..]',
  describe: 'play recordings again, on any machine, and compare',
  positionals: { files: { type: 'string', array: true, default: [], describe: 'recordings' } },
  options: { events: EVENTS, against: { type: 'boolean', describe: 'a verdict for each file, no report' } },
  async handler(args: Args, output) {
    if (args.files.length === 0) throw new Usage('replay what? name a recording')
    await mustAnswer(folderOf(args))
    const entries = findHandlers(folderOf(args))
    const all = []
    for (const file of args.files) {
      const replayed = await replayNamed(file, entries)
      all.push({ file, ...replayed })
      if (args.json) continue
      if (!args.against)
        for (const each of replayed.report.handlers) printText(output, handlerReport(output.paints, each))
      printText(output, verdict(output.paints, file, replayed))
    }
    if (args.json) printJson(output, all)
    return all.some(({ problems }) => problems.length > 0) ? 1 : 0
  },
} satisfies Command

async function replayNamed(file: string, entries: readonly Entry[]): Promise<Replayed> {
  try {
    return await replayFile(await readRecording(file), entries)
  } catch (error) {
    const isBad = error instanceof BadTranscript || error instanceof Usage
    throw isBad ? new Refusal(`${file}: ${error.message}`) : error
  }
}

/** Milliseconds for a recording whose file system does not answer. */
const FILE_MS = 2000

async function readRecording(file: string): Promise<string> {
  const text = await live({ within: FILE_MS }).read(file)
  if (text === undefined) throw new Refusal(`${file}: cannot read the recording: ENOENT`)
  return text
}

function verdict(paints: Paints, file: string, { report, problems }: Replayed): string {
  const word = problems.length === 0 ? paints.good('as recorded') : paints.bad('NOT AS RECORDED')
  const { event, words, outcome } = report
  return [`${file}: ${[event, ...words].join(' ')}: ${outcome}: ${word}`, ...problems.map(indented)].join(
    '\n',
  )
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}
