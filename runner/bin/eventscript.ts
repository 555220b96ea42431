/** `eventscript COMMAND`: options by yargs, colours by chalk, the exit status. The commands are in runner/cli. */
import { oneLine } from '../base/blanks.ts'
import chalk from 'chalk'
import { onExit } from 'signal-exit'
import yargs, { type Argv } from 'yargs'
import { Refusal, Usage, withStack } from '../base/refusal.ts'
import type { Command, CommonArgs } from '../cli/command.ts'
import { commandsFor } from './commands.ts'
import { commandFirst } from '../cli/option-order.ts'
import { endProcessAfter, UNTIMED_SECONDS } from '../cli/last-resort.ts'
import { complain, type Output } from '../cli/output.ts'
import { unknownOptionIn, wrongUsage } from '../cli/wrong-usage.ts'
import { surviveClosedOutput } from '../format/closed-output.ts'
import { keyed, NO_COLOURS, printed } from '../format/colours.ts'
import { Interrupted, isTimeUp, TIME_UP } from '../machine/errors.ts'
import { withSbin } from '../machine/live/find-program.ts'
import { readerHere, speakTo } from '../machine/remedy/remedy.ts'
import { completeEnvironment } from '../node/ctdb-path.ts'

const COLOURS = {
  good: keyed(chalk.green),
  bad: keyed(chalk.red.bold),
  warn: keyed(chalk.yellow),
  dim: keyed(chalk.gray),
  bold: keyed(chalk.bold),
}

const output: Output = {
  print: (line) => void process.stdout.write(`${printed(line)}\n`),
  paints: process.env['NO_COLOR'] ? NO_COLOURS : COLOURS,
  // a terminal that does not tell its width has 0
  width: process.stdout.isTTY ? process.stdout.columns || 80 : Infinity,
}

/** The status of the plugin protocol for "could not look". */
const UNKNOWN = 3

async function main(argv: readonly string[]): Promise<void> {
  if (process.env['PATH'] !== undefined) process.env['PATH'] = withSbin(process.env['PATH'])
  const words = commandFirst(argv)
  const commands = await commandsFor(words[0])
  const names = commands.map(nameOf)
  const command = commands.find((each) => nameOf(each) === words[0])
  const cli = frame(words, (message) => wrongUsage(message, { command, names }))
  for (const each of commands) declare(cli, each)
  const wrong = unknownOptionIn(words, command)
  if (wrong !== undefined) throw new Usage(wrong)
  await cli.parseAsync()
}

const nameOf = ({ usage }: Command) => usage.split(' ', 1)[0] ?? ''

function frame(words: readonly string[], inWords: (message: string) => string): Argv<CommonArgs> {
  return yargs(words)
    .scriptName('eventscript')
    .parserConfiguration({ 'parse-positional-numbers': false, 'unknown-options-as-args': true })
    .usage('$0 COMMAND\n\nRun the event handlers of a CTDB node: public addresses taken, watched, released.')
    .option('json', { type: 'boolean', describe: 'print JSON' })
    .option('color', { type: 'boolean', describe: 'colours; --no-color for none (default: on a terminal)' })
    .middleware(() => completeEnvironment())
    .demandCommand(1, 'which command? "eventscript --help" lists them')
    .strict()
    .help()
    .alias('help', 'h')
    .fail((message, error: Error | null) => {
      // yargs throws an error of its own for an option without its value
      throw error && error.name !== 'YError' ? error : new Usage(inWords(message || error?.message || ''))
    })
}

function declare(cli: Argv<CommonArgs>, command: Command): void {
  const { usage, describe, positionals = {}, options, endless } = command
  const build = (args: Argv<CommonArgs>) => {
    for (const [name, positional] of Object.entries(positionals)) void args.positional(name, positional)
    return args.options(options)
  }
  const handler = command.handler as (args: object, output: Output) => Promise<number | void>
  void cli.command(usage, describe, build, async (args) => {
    const { timeout } = args as { timeout?: string }
    if (!endless) endProcessAfter(nameOf(command), Number(timeout) || UNTIMED_SECONDS)
    const status = await handler(args, output)
    if (status) process.exitCode = status
  })
}

function reportFailure(error: unknown, argv: readonly string[]): void {
  const isKnown = error instanceof Refusal || error instanceof Interrupted
  const text = isTimeUp(error) ? TIME_UP : isKnown ? error.message : withStack(error)
  // a plugin's caller reads standard output, and would take our usual statuses for WARNING and CRITICAL
  if (argv.find((word) => !word.startsWith('-')) === 'check') {
    output.print(`CTDB UNKNOWN - ${oneLine(text).replaceAll('|', '!')}`)
    process.exitCode = UNKNOWN
    return
  }
  complain(text)
  process.exitCode = error instanceof Usage ? 2 : 1
}

surviveClosedOutput((code) => {
  complain(`cannot print: ${code}: the event itself is in "eventscript history"`)
  process.exitCode = 1
})
speakTo(readerHere())
// From here on a signal is heard when this thread is idle. Node itself would end at once, and leave a program behind that has just
// been started and that execa does not know of yet.
onExit(() => undefined)
const argv = process.argv.slice(2)
await main(argv).catch((error: unknown) => reportFailure(error, argv))
