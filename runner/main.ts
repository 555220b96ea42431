#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import chalk from 'chalk'
import yargs from 'yargs'
import { list, type Listed } from './commands/list.ts'
import { run } from './commands/run.ts'
import { endsEvent, type HandlerReport, type Outcome } from './report.ts'
import { Refusal, Usage } from './refusal.ts'

const OWN_EVENTS = fileURLToPath(new URL('../events.d', import.meta.url))
const ANNOUNCER = fileURLToPath(new URL('../announce.cjs', import.meta.url))

const WORDS: Record<Outcome, [string, (text: string) => string]> = {
  ok: ['OK', chalk.green],
  failed: ['FAILED', chalk.red.bold],
  timedout: ['TIMEDOUT', chalk.red.bold],
  disabled: ['DISABLED', chalk.gray],
  'cannot-run': ['CANNOT RUN', chalk.red],
}

function printHandler({ name, outcome, ms, output, why }: HandlerReport): void {
  const [word, paint] = WORDS[outcome]
  const reason = why === undefined ? '' : `  ${why.replaceAll('\n', '\n    ')}`
  const lines = output.map((line) => `  ${line.startsWith('WARNING') ? chalk.yellow(line) : line}\n`)
  process.stdout.write(
    `${name.padEnd(20)} ${paint(word.padEnd(10))} ${(ms / 1000).toFixed(3)} s${reason}\n${lines.join('')}`,
  )
}

function printListed({ name, kind, about, events }: Listed): void {
  const paint = { handler: chalk.green, script: chalk.green, disabled: chalk.gray, broken: chalk.red }[kind]
  const known = events.length > 0 ? chalk.gray(` (${events.join(' ')})`) : ''
  process.stdout.write(`${name.padEnd(20)} ${paint(kind.padEnd(10))} ${about}${known}\n`)
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** Ctrl-C and TERM end what runs, and the event with it, instead of leaving it behind. */
function interruptible(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => controller.abort(new Error(`interrupted by ${signal}`)))
  return controller.signal
}

interface Common {
  events?: string
  json?: boolean
}

const folderOf = ({ events }: Common) => events ?? OWN_EVENTS

async function main(): Promise<void> {
  await yargs(process.argv.slice(2))
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
        args
          .positional('event', {
            type: 'string',
            demandOption: true,
            describe: 'takeip, releaseip, monitor …',
          })
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
          .option('record', {
            type: 'string',
            requiresArg: true,
            describe: 'write all that is asked and changed to a file',
          }),
      async (args) => {
        const ended = args.json ? () => {} : printHandler
        const report = await run({
          event: args.event,
          words: args.words,
          events: folderOf(args),
          optionsFolder: args.events,
          announcer: ANNOUNCER,
          timeout: seconds(args.timeout),
          only: args.only,
          record: args.record,
          interrupt: interruptible(),
          ended,
        })
        if (args.json) printJson(report)
        if (endsEvent(report.outcome)) process.exitCode = 1
      },
    )
    .command(
      'list',
      'the handlers in the order in which they run',
      (args) => args,
      async (args) => {
        const listed = await list(folderOf(args))
        if (args.json) printJson(listed)
        else listed.forEach(printListed)
      },
    )
    .demandCommand(1, 'which command? "eventscript --help" lists them')
    .strict()
    .help()
    .alias('help', 'h')
    .fail((message, error) => {
      throw error ?? new Usage(message)
    })
    .parseAsync()
}

function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > 86_400)
    throw new Usage(`--timeout ${text}: expected seconds, such as 30`)
  return value
}

if (process.env['NO_COLOR']) chalk.level = 0
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
try {
  await main()
} catch (error) {
  const known = error instanceof Refusal
  process.stderr.write(`eventscript: ${known ? error.message : ((error as Error).stack ?? String(error))}\n`)
  process.exitCode = error instanceof Usage ? 2 : 1
}
