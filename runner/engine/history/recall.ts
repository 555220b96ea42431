import { existsSync, readFileSync } from 'node:fs'
import { FileError } from '../../machine/errors.ts'
import { worthKeeping } from './bound.ts'
import { filesOf, parseRuns, type KeptRun } from './run.ts'

/** Milliseconds after which a script of ours has ended, or was ended: its own limit is 120 s. */
const LONGEST_MS = 130_000

/** The kept runs, the oldest first. Throws a FileError for a file that is there and cannot be read. */
export function recall(file: string): KeptRun[] {
  const { newest, moving, older } = filesOf(file)
  // in the order in which a run moves: it may be seen twice, never not at all
  const [new_, move, old] = [runsIn(newest), runsIn(moving), runsIn(older)]
  return worthKeeping(settled([...old, ...move, ...new_]), Date.now())
}

/** The runs in one file of a history; none when the file is not there. */
export function runsIn(file: string): KeptRun[] {
  try {
    return parseRuns(readFileSync(file, 'utf8'))
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new FileError('read', file, code)
  }
}

/** Scripts that had not ended: the end counts where it came. Those that are still running are left out. */
function settled(runs: readonly KeptRun[]): KeptRun[] {
  const ended = new Set(runs.filter(({ unended }) => unended === undefined).map(idOf))
  return runs.filter((run) => run.unended === undefined || !(ended.has(idOf(run)) || isRunning(run)))
}

function idOf({ event, words, began, handlers: [handler] }: KeptRun): string {
  return JSON.stringify([event, words, began, handler?.name])
}

function isRunning({ unended, began }: KeptRun): boolean {
  return Date.now() - Date.parse(began) < LONGEST_MS && existsSync(`/proc/${unended}`)
}
