import { basename, dirname } from 'node:path'
import { realpathSync } from 'node:fs'
import { announcer } from './announce.ts'
import { factsHere } from '../node/facts.ts'
import { actOf } from '../engine/find-handlers.ts'
import { historyFile } from '../engine/history/run.ts'
import { ScriptHistory } from '../engine/history/script-history.ts'
import { runHandler } from '../engine/run-handler.ts'
import { keepdirOf, vardirOf } from '../node/ctdb-path.ts'
import { parseEvent } from '../node/events.ts'
import type { Handler } from '../node/node.ts'
import { surviveClosedOutput } from '../format/closed-output.ts'
import { endsEvent } from '../engine/report.ts'
import { Refusal, Usage, withStack } from '../base/refusal.ts'
import { visible } from '../base/visible.ts'
import { keepStatePrivate } from '../machine/files/readers.ts'
import { ANNOUNCE } from '../machine/announcement.ts'
import { live } from '../machine/live/live.ts'
import { speakTo } from '../machine/remedy/remedy.ts'
import type { Stop } from '../machine/stop.ts'

/** ctdb-eventd has a deadline of its own, by default 30 s for the whole event; this one ends a handler that it forgot. */
const LIMIT_MS = 120_000

/**
 * `NN.name.script EVENT [ARG…]`: one handler, one event, as CTDB's daemon calls the file. Prints what the handler says, and
 * nothing when all is well; exit status 0 or 1. `file` is the path of this program, from its bundle. The program that goes on
 * in the background, `--announce …`, is in the same file: a copy is whole, and never meets the program of another version.
 */
export async function oneShot(handler: Handler, file: string): Promise<void> {
  const called = process.argv[1] ?? file
  surviveClosedOutput()
  // by the path of node, which may be missing in PATH
  const self = [process.execPath, file, ANNOUNCE]
  if (process.argv[2] === ANNOUNCE)
    return await announcer(`${basename(file)} ${ANNOUNCE}`, self, process.argv.slice(3))
  const name = basename(called).replace(/\.script$/, '')
  const [event, ...words] = process.argv.slice(2)
  // options lie beside the link that was called; in our own folder nobody keeps options
  const folder = dirname(called)
  const own = dirname(realpathSync(file))
  try {
    keepStatePrivate(keepdirOf(vardirOf(process.env)))
    const facts = factsHere(self, realpathSync(folder) === own ? undefined : folder)
    speakTo(facts.reader)
    if (event === undefined)
      throw new Usage(
        `usage: ${basename(called)} EVENT [ARG…], as in: ${basename(called)} takeip eth0 10.0.0.1 24`,
      )
    const world = {
      facts,
      // eventd ends the script's process group: the programs that we start must belong to that group
      system: (signal: Stop) => live({ signal, ownGroups: false, complain: say }),
      note: (note: { verb: string; text?: string }) => {
        if (note.verb === 'say') say(note.text ?? '')
      },
    }
    const entry = { name, path: called, kind: 'module' as const, load: () => Promise.resolve(handler) }
    const time = { ms: LIMIT_MS, why: `timed out after ${LIMIT_MS / 1000} s` }
    const parsed = parseEvent(event, words)
    const history = actOf(handler, event) && new ScriptHistory(historyFile(facts.env), name, parsed)
    const report = await runHandler(entry, parsed, world, time)
    if (report.why !== undefined) process.stderr.write(`${visible(report.why)}\n`)
    process.exitCode = endsEvent(report.outcome) ? 1 : 0
    await history?.end(report)
  } catch (error) {
    const isKnown = error instanceof Refusal
    process.stderr.write(`${visible(isKnown ? error.message : withStack(error))}\n`)
    process.exitCode = 1
  }
}

function say(line: string): void {
  process.stdout.write(`${visible(line)}\n`)
}
