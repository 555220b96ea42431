import { dirname } from 'node:path'
import { codeOf } from '../../machine/errors.ts'
import { appendLines, AT_ONCE, IN_THREADS } from '../../machine/files/append.ts'
import { isFar } from '../../machine/files/may-hang.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import { keepStatePrivate } from '../../machine/files/readers.ts'
import { compact } from './compact.ts'
import { asLines, asRun, type KeptRun } from './run.ts'
import type { Report } from '../report.ts'

/** Bytes of the newest runs after which they are bounded: some thousand runs. */
const MOST_BYTES = 512 * 1024

/**
 * Add runs to the history, in one write. Gives a sentence when they could not be kept. A user without the right to write
 * there keeps no history, without a complaint. In a folder on a file system that may hang nothing is kept: no event waits for that.
 */
export async function keepRuns(
  file: string,
  runs: readonly KeptRun[],
  calls = AT_ONCE,
): Promise<string | undefined> {
  try {
    if (!isFar(dirname(file))) await append(file, runs, calls)
    return undefined
  } catch (error) {
    return whyNotKept(error)
  }
}

/** The same in other threads, while this one goes on. */
export async function keepRunsInThreads(file: string, runs: readonly KeptRun[]): Promise<string | undefined> {
  return await keepRuns(file, runs, IN_THREADS)
}

/** The same for a run by hand, which waits for the file system to answer. */
export async function keepRunByHand(file: string, report: Report): Promise<string | undefined> {
  try {
    await mustAnswer(dirname(file))
    await append(file, [asRun(report, 'hand')])
    return undefined
  } catch (error) {
    return whyNotKept(error)
  }
}

async function append(file: string, runs: readonly KeptRun[], calls = AT_ONCE): Promise<void> {
  keepStatePrivate(dirname(file))
  const size = await appendLines(file, asLines(runs), calls)
  if (size > MOST_BYTES) await compact(file)
}

function whyNotKept(error: unknown): string | undefined {
  return ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))
    ? undefined
    : `the run is not kept in the history: ${(error as Error).message}`
}
