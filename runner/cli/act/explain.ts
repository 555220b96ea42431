import { endsEvent, type Outcome, type Report } from '../../engine/report.ts'
import { run } from '../../engine/run-by-hand.ts'
import { statusLines } from '../../eventd/status-text.ts'
import { concludeHealth, type Health } from '../../inspect/health/conclude.ts'
import { lookAtHealth } from '../../inspect/health/look.ts'
import { recordedScripts, unknownEnd, type Recorded } from '../../inspect/health/recorded.ts'
import { toShell } from '../../machine/argv.ts'
import type { Witness } from '../../machine/recording/record.ts'
import type { Command } from '../command.ts'
import { shellLines } from '../dry-run.ts'
import { indented, outcomeWhy, saidLine } from '../handler-report.ts'
import { factsFor } from '../here.ts'
import { printJson, printText, type Output } from '../output.ts'
import { RUN_OPTIONS, RUN_WORDS, runOptions, type RunArgs } from './run-args.ts'

export default {
  usage: 'explain <event> [words..]',
  describe: 'say what an event would do, and why; change nothing',
  endless: true,
  positionals: RUN_WORDS,
  options: RUN_OPTIONS,
  async handler(args: RunArgs, output) {
    const { report, health } = args.json ? await explainAsJson(args, output) : await explain(args, output)
    return endsEvent(report.outcome) || (health && health.state !== 'healthy') ? 1 : 0
  },
} satisfies Command

interface Explained {
  report: Report
  /** Of `monitor` alone. */
  health?: Health
}

async function explain(args: RunArgs, output: Output): Promise<Explained> {
  const { print, paints } = output
  const title = [args.event, ...args.words].join(' ')
  print(paints.dim(`${title}: what would be done, and why; nothing is changed`))
  const recorded = await recordedFor(args)
  const report = await rehearsed(args, recorded, reasonPrinter(output, recorded))
  const health = await healthAfter(args, report, recorded)
  if (!health) return { report }
  if (args.only === undefined) othersLines(output, report, recorded).forEach((line) => print(line))
  const paint = { healthy: 'good', unhealthy: 'bad', unknown: 'warn' } as const
  printText(output, paints[paint[health.state]](health.text))
  return { report, health }
}

async function explainAsJson(args: RunArgs, output: Output): Promise<Explained> {
  const reasons: { verb: string; text: string }[] = []
  const witness: Witness = {
    begins: () => {},
    ended: () => {},
    notes: (note) => 'text' in note && reasons.push(note),
  }
  const recorded = await recordedFor(args)
  const report = await rehearsed(args, recorded, witness)
  const health = await healthAfter(args, report, recorded)
  printJson(output, { ...report, reasons, health })
  return { report, health }
}

/** What the event daemon has recorded, where that is needed: our own folder has no executables. */
async function recordedFor({ event, events }: RunArgs): Promise<Recorded> {
  return event === 'monitor' || events !== undefined ? await recordedScripts(event) : []
}

async function rehearsed(args: RunArgs, recorded: Recorded, witness: Witness): Promise<Report> {
  const unknown = (name: string) => unknownEnd(recorded, args.event, name)
  return await run({ ...runOptions(args), rehearse: true, unknown, witness })
}

async function healthAfter(
  { event, events }: RunArgs,
  report: Report,
  recorded: Recorded,
): Promise<Health | undefined> {
  if (event !== 'monitor') return undefined
  return concludeHealth(await lookAtHealth(factsFor(events), report, recorded), Date.now())
}

/** The scripts of this node that are not among the handlers: they decide about its health as well. */
function othersLines(output: Output, { handlers }: Report, recorded: Recorded): string[] {
  if (typeof recorded === 'string') return []
  const others = recorded.filter(({ name }) => !handlers.some((each) => each.name === name))
  return others.flatMap(({ name }) => [
    name,
    `  ${outcomeWhy(output.paints, 'not-run', unknownEnd(recorded, 'monitor', name), '    ')}`,
    ...outputLines(recorded, name),
  ])
}

/** What a script printed when it ran last. */
function outputLines(recorded: Recorded, name: string): string[] {
  const script = typeof recorded === 'string' ? undefined : recorded.find((each) => each.name === name)
  return script ? statusLines(script, 'since 4.19', (word) => word).slice(1) : []
}

/** Prints each question, each decision with its reason, and the commands. */
function reasonPrinter({ print, paints }: Output, recorded: Recorded): Witness {
  let handler = ''
  return {
    begins(step) {
      if (step.verb === 'ask') print(paints.dim(`    looks at: ${toShell(step.argv)}`))
    },
    ended(step) {
      for (const line of shellLines(step)) print(`    ${paints.bold(`$ ${line}`)}`)
    },
    notes(note) {
      if (note.verb === 'handler') print((handler = note.name))
      if (note.verb === 'because') print(`  ${indented(note.text, '    ')}`)
      if (note.verb === 'say') print(`  says: ${saidLine(paints, indented(note.text, '    '))}`)
      if (note.verb !== 'end') return
      print(`  ${outcomeWhy(paints, note.outcome as Outcome, note.why, '    ')}`)
      if (note.outcome === 'not-run') outputLines(recorded, handler).forEach((line) => print(line))
    },
  }
}
