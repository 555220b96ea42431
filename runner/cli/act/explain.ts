import { endsEvent, type Outcome } from '../../engine/report.ts'
import { run } from '../../engine/run-by-hand.ts'
import { toShell } from '../../machine/argv.ts'
import type { Witness } from '../../machine/recording/record.ts'
import type { Command } from '../command.ts'
import { shellLines } from '../dry-run.ts'
import { outcomeWord, saidLine } from '../handler-report.ts'
import { printJson, type Output } from '../output.ts'
import { RUN_OPTIONS, RUN_WORDS, runOptions, type RunArgs } from './run-args.ts'

export default {
  usage: 'explain <event> [words..]',
  describe: 'say what an event would do, and why; change nothing',
  endless: true,
  positionals: RUN_WORDS,
  options: RUN_OPTIONS,
  async handler(args: RunArgs, output) {
    const report = args.json ? await explainAsJson(args, output) : await explain(args, output)
    return endsEvent(report.outcome) ? 1 : 0
  },
} satisfies Command

async function explain(args: RunArgs, output: Output) {
  const { print, paints } = output
  const title = [args.event, ...args.words].join(' ')
  print(paints.dim(`${title}: what would be done, and why; nothing is changed`))
  const report = await run({ ...runOptions(args), rehearse: true, witness: reasonPrinter(output) })
  if (args.event !== 'monitor') return report
  print(
    endsEvent(report.outcome)
      ? paints.bad('This node is UNHEALTHY, or becomes so at the next monitor event.')
      : 'This node is healthy, as far as these handlers see.',
  )
  return report
}

async function explainAsJson(args: RunArgs, output: Output) {
  const reasons: { verb: string; text: string }[] = []
  const witness: Witness = {
    begins: () => {},
    ended: () => {},
    notes: (note) => 'text' in note && reasons.push(note),
  }
  const report = await run({ ...runOptions(args), rehearse: true, witness })
  printJson(output, { ...report, reasons })
  return report
}

/** Prints each question, each decision with its reason, and the commands. */
function reasonPrinter({ print, paints }: Output): Witness {
  return {
    begins(step) {
      if (step.verb === 'ask') print(paints.dim(`    looks at: ${toShell(step.argv)}`))
    },
    ended(step) {
      for (const line of shellLines(step)) print(`    ${paints.bold(`$ ${line}`)}`)
    },
    notes(note) {
      if (note.verb === 'handler') print(note.name)
      if (note.verb === 'because') print(`  ${note.text}`)
      if (note.verb === 'say') print(`  says: ${saidLine(paints, note.text)}`)
      if (note.verb !== 'end') return
      const why = note.why === undefined ? '' : `: ${note.why}`
      print(`  ${outcomeWord(paints, note.outcome as Outcome).trimEnd()}${why}`)
    },
  }
}
