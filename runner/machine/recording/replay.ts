import type { Answer, System } from '../machine.ts'
import { CannotRun, FileError, LockBusy, Mismatch } from '../errors.ts'
import { toShell } from '../argv.ts'
import { isNote, writeHead, type Note, type Step, type Transcript } from './transcript.ts'

export interface Replay {
  system: System
  /** Throws a Mismatch that shows the first step that nobody asked for. */
  finished: () => void
}

/** How a handler ended that was not left to its end. */
export type Ended = Extract<Note, { verb: 'end' }>

/** A program without an answer, in a recording that goes on: the deadline, or the admin, has ended it and the handler. */
function endAfter({ entries }: Transcript, step: Step): Ended | undefined {
  return entries.slice(entries.indexOf(step)).find((entry): entry is Ended => entry.verb === 'end')
}

/**
 * The machine as a recording has it; `unended` is asked what a handler gets to see of a program that was ended. Answers each step only in its turn, with its verb and its words; anything
 * else is a Mismatch that shows both sides. Once there was one, everything after it fails with the same.
 */
export function replay(transcript: Transcript, unended?: (end: Ended) => Error): Replay {
  const steps = transcript.entries.filter((entry): entry is Step => !isNote(entry))
  let next = 0
  let failed: Mismatch | undefined

  function take(asked: Step): Step {
    if (failed) throw failed
    const recorded = steps[next]
    if (recorded && writeHead(recorded) === writeHead(asked)) {
      next += 1
      if (recorded.trouble) throw thrown(recorded)
      return recorded
    }
    failed = new Mismatch(difference(asked, recorded, transcript.cut))
    throw failed
  }
  // async, so that a mismatch is a rejection like every other answer of the door
  // oxlint-disable-next-line require-await -- see above
  const answer = async (asked: Step): Promise<Step> => take(asked)

  return {
    system: {
      async run(verb, argv, options) {
        const how = options.background ? 'start' : options.combined ? 'script' : 'run'
        const step = await answer({ verb, argv, how, input: options.input })
        const recorded = (step as { answer?: Answer }).answer
        if (recorded) return recorded
        const end = transcript.cut ? undefined : endAfter(transcript, step)
        if (end && unended) throw Object.assign(unended(end), { running: toShell(argv) })
        failed = new Mismatch(
          `line ${step.line}: the recording does not say how this ended:\n  ${head(step)}`,
        )
        throw failed
      },
      async read(path) {
        const step = (await answer({ verb: 'read', path })) as { text?: string; absent?: boolean }
        return step.absent ? undefined : (step.text ?? '')
      },
      async write(path, text) {
        await answer({ verb: 'write', path, text })
      },
      async hold(lock, seconds, how) {
        await answer({ verb: 'lock', path: lock, seconds, ...(how?.shared ? { shared: true } : {}) })
        return async () => {
          await answer({ verb: 'unlock', path: lock })
        }
      },
      async find(program) {
        return ((await answer({ verb: 'find', program })) as { path?: string }).path
      },
    },
    finished() {
      if (failed) throw failed
      const left = steps[next]
      if (left) throw new Mismatch(difference(undefined, left, transcript.cut))
    },
  }
}

function thrown(step: Step): Error {
  const { kind, code } = step.trouble ?? { kind: 'file', code: 'EIO' }
  if (kind === 'busy') return new LockBusy(code)
  if (kind === 'program') return new CannotRun('argv' in step ? (step.argv[0] ?? '') : '', code)
  const doing = step.verb === 'lock' ? 'open the lock' : step.verb
  return new FileError(doing, 'path' in step ? (step.path ?? '') : '', code)
}

function difference(asked: Step | undefined, recorded: Step | undefined, cut: boolean): string {
  const end = cut ? 'nothing: the recording is cut short here' : 'nothing more'
  return [
    recorded
      ? `line ${recorded.line}: the event and the recording differ`
      : `the recording ends${cut ? ', cut short,' : ''} before the event does`,
    `  asked now: ${asked ? head(asked) : 'nothing more'}`,
    `  recorded:  ${recorded ? head(recorded) : end}`,
  ].join('\n')
}

function head(step: Step): string {
  return writeHead(step).trimEnd().replaceAll('\n', '\n           ')
}
