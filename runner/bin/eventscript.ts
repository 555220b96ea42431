import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import chalk from 'chalk'
import yargs, { type Argv } from 'yargs'
import { auditCommands } from '../cli/audit.ts'
import { careCommands } from '../cli/care.ts'
import { cleanupCommands } from '../cli/cleanup.ts'
import { seenCommands } from '../cli/seen.ts'
import { toldCommands } from '../cli/told.ts'
import type { Command, Screen } from '../cli/command.ts'
import { commandFirst } from '../cli/words.ts'
import { historyFile, remember } from '../engine/history.ts'
import { install, uninstall, type InstallOptions, type Placed } from '../install/install.ts'
import { replayFile } from '../engine/replay-event.ts'
import { run, type RunOptions } from '../engine/run-by-hand.ts'
import { factsHere } from '../node/settings.ts'
import { startEventDaemon, wholeNumber } from '../eventd/start.ts'
import { fit } from '../format/wrap.ts'
import { findHandlers } from '../engine/find-handlers.ts'
import { completeEnvironment } from '../node/ctdb-path.ts'
import { outliveOutput } from '../format/output.ts'
import { printer } from '../cli/printer.ts'
import { Refusal, Usage } from '../base/refusal.ts'
import { endsEvent, type Report } from '../engine/report.ts'
import { Interrupted } from '../machine/errors.ts'
import { writing, type Witness } from '../machine/recording/record.ts'
import { readerHere, speakTo } from '../machine/remedy.ts'
import { BadTranscript } from '../machine/recording/transcript.ts'

const DIST = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const OWN_EVENTS = fileURLToPath(new URL('../../events.d', import.meta.url))
const ANNOUNCER = fileURLToPath(new URL('../../announce.cjs', import.meta.url))

if (process.env['NO_COLOR']) chalk.level = 0
const paints = {
  good: chalk.green,
  bad: chalk.red.bold,
  warn: chalk.yellow,
  dim: chalk.gray,
  bold: chalk.bold,
}
const show = printer(paints)
const print = (line: string) => void process.stdout.write(`${line}\n`)
/** A report, which may have long lines; commands to be pasted are printed as they are. */
const tell = (text: string) =>
  text.split('\n').forEach((line) => fit(line, screen.width).forEach((each) => print(each)))
const printJson = (value: unknown) => print(JSON.stringify(value, undefined, 2))

/** The options that every command has. */
interface Common {
  events?: string
  json?: boolean
}

const screen: Screen = {
  print,
  paints,
  show,
  // a terminal that does not tell its width has 0
  width: process.stdout.isTTY ? process.stdout.columns || 80 : Infinity,
  facts: (events) => factsHere(ANNOUNCER, events),
  own: OWN_EVENTS,
  events: (args) => folderOf(args),
  interruptible,
}

const folderOf = ({ events }: Common) => events ?? OWN_EVENTS

/** The options of the commands that run an event, and what they mean. */
function eventOptions<T extends Common>(args: Argv<T>) {
  return args
    .positional('event', { type: 'string', demandOption: true, describe: 'takeip, releaseip, monitor …' })
    .positional('words', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: "the event's words: eth0 10.0.0.1 24",
    })
    .option('only', { type: 'string', requiresArg: true, describe: 'just this handler' })
    .option('timeout', {
      type: 'string',
      requiresArg: true,
      default: '30',
      describe: 'seconds for each handler',
    })
}

function runOptions(
  args: Common & { event: string; words: string[]; only?: string; timeout: string },
): RunOptions {
  const { event, words, only } = args
  return {
    event,
    words,
    only,
    events: folderOf(args),
    optionsFolder: args.events,
    announcer: ANNOUNCER,
    timeout: seconds(args.timeout),
    interrupt: interruptible(),
  }
}

/** Ctrl-C and TERM end what runs, and the event with it, instead of leaving it behind. */
function interruptible(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => controller.abort(new Error(`interrupted by ${signal}`)))
  return controller.signal
}

function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > 86_400)
    throw new Usage(`--timeout ${text}: expected seconds, such as 30`)
  return value
}

function exitWith({ outcome }: Report): void {
  if (endsEvent(outcome)) process.exitCode = 1
}

/** `run`: for real, or as a dry run. */
async function runCommand(
  args: Parameters<typeof runOptions>[0] & {
    dryRun?: boolean
    trace?: boolean
    record?: string
    redact?: boolean
  },
): Promise<void> {
  const { dryRun, trace, record, redact } = args
  if (redact && record === undefined) throw new Usage('--redact goes with --record FILE')
  const tracing: Witness = writing((text) => process.stderr.write(text))
  if (dryRun) {
    const witness = args.json ? undefined : show.commands(print)
    const report = await run({
      ...runOptions(args),
      rehearse: true,
      record,
      redact,
      witness: trace ? tracing : witness,
    })
    if (args.json) printJson(report)
    return exitWith(report)
  }
  const ended = args.json ? undefined : (handler: Report['handlers'][number]) => tell(show.handler(handler))
  const report = await run({
    ...runOptions(args),
    record,
    redact,
    witness: trace ? tracing : undefined,
    ended,
  })
  if (args.json) printJson(report)
  const notKept = await remember(historyFile(factsHere(ANNOUNCER).env), report)
  if (notKept) process.stderr.write(`eventscript: ${notKept}\n`)
  exitWith(report)
}

/** `explain`: what is found, each decision with its reason, and the commands. */
async function explainCommand(args: Parameters<typeof runOptions>[0]): Promise<void> {
  const reasons: { verb: string; text: string }[] = []
  const telling: Witness = {
    begins: () => {},
    ended: () => {},
    notes: (note) => 'text' in note && reasons.push(note),
  }
  if (!args.json)
    print(
      chalk.gray(`${[args.event, ...args.words].join(' ')}: what would be done, and why; nothing is changed`),
    )
  const report = await run({
    ...runOptions(args),
    rehearse: true,
    witness: args.json ? telling : show.reasons(print),
  })
  if (args.json) printJson({ ...report, reasons })
  else if (args.event === 'monitor')
    print(
      endsEvent(report.outcome)
        ? chalk.red('This node is UNHEALTHY, or becomes so at the next monitor event.')
        : 'This node is healthy, as far as these handlers see.',
    )
  exitWith(report)
}

/** `replay`: one recording with its report, or many with a verdict each. */
async function replayCommand(args: Common & { files: string[]; against?: boolean }): Promise<void> {
  if (args.files.length === 0) throw new Usage('replay what? name a recording')
  const entries = findHandlers(folderOf(args))
  const all = []
  for (const file of args.files) {
    const replayed = await replayFile(readRecording(file), entries).catch((error: unknown) => {
      if (error instanceof BadTranscript || error instanceof Usage)
        throw new Refusal(`${file}: ${error.message}`)
      throw error
    })
    all.push({ file, ...replayed })
    if (replayed.problems.length > 0) process.exitCode = 1
    if (args.json) continue
    if (!args.against) replayed.report.handlers.forEach((handler) => tell(show.handler(handler)))
    tell(show.replayed(file, replayed))
  }
  if (args.json) printJson(all)
}

function readRecording(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Refusal(`${file}: cannot read the recording: ${(error as NodeJS.ErrnoException).code}`)
  }
}

/** `install` and `uninstall`: the commands of a dry run, or a line for each place. */
async function placeCommand(
  args: Common & { dryRun?: boolean },
  command: (options: InstallOptions) => Promise<Placed[]>,
): Promise<void> {
  const { json, dryRun } = args
  const witness = dryRun && !json ? show.commands(print) : undefined
  const env = factsHere(ANNOUNCER).env
  const placed = await command({ dist: DIST, env, rehearse: dryRun, witness })
  if (json) printJson(placed)
  else if (placed.length === 0) print('nothing of ours is installed')
  else if (!dryRun) for (const each of placed) tell(show.placed(each))
}

/** What a file of runner/cli describes, for yargs. */
function declare(
  cli: Argv<Common>,
  { command, describe, positionals = {}, options, handler }: Command,
): void {
  const build = (args: Argv<Common>) => {
    for (const [name, positional] of Object.entries(positionals)) void args.positional(name, positional)
    return args.options(options)
  }
  void cli.command(command, describe, build, handler as (args: object) => Promise<void>)
}

async function main(): Promise<void> {
  const cli = yargs(commandFirst(process.argv.slice(2)))
    .scriptName('eventscript')
    .parserConfiguration({ 'parse-positional-numbers': false, 'unknown-options-as-args': true })
    .usage('$0 COMMAND\n\nRun the event handlers of a CTDB node: public addresses taken, watched, released.')
    .option('events', {
      type: 'string',
      requiresArg: true,
      describe: 'folder of handlers (default: our own)',
    })
    .option('json', { type: 'boolean', describe: 'print JSON' })
    .option('color', { type: 'boolean', describe: 'colours; --no-color for none (default: on a terminal)' })
    .command(
      'run <event> [words..]',
      'run the handlers for one event, in order, until one fails',
      (args) =>
        eventOptions(args)
          .option('dry-run', { type: 'boolean', describe: 'look, change nothing, print the commands' })
          .option('record', {
            type: 'string',
            requiresArg: true,
            describe: 'write all that is asked and changed to a file',
          })
          .option('redact', { type: 'boolean', describe: 'hide addresses, MACs and the host name in it' })
          .option('trace', { type: 'boolean', describe: 'print all that is asked and changed' }),
      (args) => runCommand(args),
    )
    .command(
      'explain <event> [words..]',
      'say what an event would do, and why; change nothing',
      (args) => eventOptions(args),
      (args) => explainCommand(args),
    )
    .command(
      'replay [files..]',
      'play recordings again, on any machine, and compare',
      (args) =>
        args
          .positional('files', {
            type: 'string',
            array: true,
            default: [] as string[],
            describe: 'recordings',
          })
          .option('against', { type: 'boolean', describe: 'a verdict for each file, no report' }),
      (args) => replayCommand(args),
    )
    .command(
      'eventd',
      "be CTDB's event daemon, in place of ctdb-eventd",
      (args) =>
        args
          .option('pid', {
            alias: 'P',
            type: 'string',
            requiresArg: true,
            describe: 'go when this process has gone',
          })
          .option('startup-fd', {
            alias: 'S',
            type: 'string',
            requiresArg: true,
            describe: 'the descriptor to say on that we are up',
          }),
      async (args) => {
        await startEventDaemon({
          pid: wholeNumber('pid', args.pid),
          startupFd: wholeNumber('startup-fd', args.startupFd),
          announcer: ANNOUNCER,
          own: OWN_EVENTS,
        })
      },
    )
    .command(
      'install [handlers..]',
      "put our handlers in place of CTDB's, where one is enabled; 10.interface always",
      (args) =>
        args
          .positional('handlers', {
            type: 'string',
            array: true,
            default: [] as string[],
            describe: 'these as well: 11.natgw',
          })
          .option('eventd', { type: 'boolean', describe: 'our daemon in place of ctdb-eventd, too' })
          .option('dry-run', { type: 'boolean', describe: 'look, change nothing, print the commands' }),
      (args) =>
        placeCommand(args, (options) => install({ ...options, names: args.handlers, eventd: args.eventd })),
    )
    .command(
      'uninstall',
      'put back all that install has replaced',
      (args) =>
        args.option('dry-run', { type: 'boolean', describe: 'look, change nothing, print the commands' }),
      (args) => placeCommand(args, uninstall),
    )

  const more = [toldCommands, seenCommands, auditCommands, careCommands, cleanupCommands]
  for (const each of more.flatMap((commands) => commands(screen))) declare(cli, each)
  await cli
    .middleware(() => completeEnvironment())
    .demandCommand(1, 'which command? "eventscript --help" lists them')
    .strict()
    .help()
    .alias('help', 'h')
    .fail((message, error: Error | null) => {
      // yargs throws its own for an option without its value
      throw error && error.name !== 'YError' ? error : new Usage(message || error?.message)
    })
    .parseAsync()
}

outliveOutput((code) => {
  process.stderr.write(`eventscript: cannot print: ${code}: the event itself is in "eventscript history"\n`)
  process.exitCode = 1
})
speakTo(readerHere())
try {
  await main()
} catch (error) {
  const known = error instanceof Refusal || error instanceof Interrupted
  const text = known ? error.message : ((error as Error).stack ?? String(error))
  // a plugin's caller reads standard output, and would take our usual statuses for WARNING and CRITICAL
  const isPlugin = process.argv.slice(2).find((word) => !word.startsWith('-')) === 'check'
  if (isPlugin) print(`CTDB UNKNOWN - ${text.replaceAll('|', '!').replaceAll(/\s*\n\s*/g, ' ')}`)
  else process.stderr.write(`eventscript: ${text}\n`)
  process.exitCode = isPlugin ? 3 : error instanceof Usage ? 2 : 1
}
