import { dirname } from 'node:path'
import { recall } from '../../engine/history/recall.ts'
import { FileError } from '../../machine/errors.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'

/**
 * When the first of the monitor events began that have all failed since, by our history; undefined when the last one went well, and
 * where no history can be read.
 */
export async function failingSince(file: string): Promise<string | undefined> {
  try {
    await mustAnswer(dirname(file))
    const runs = recall(file).filter(({ event, via }) => event === 'monitor' && via === 'daemon')
    const failed = runs.slice(runs.findLastIndex(({ outcome }) => outcome === 'ok') + 1)
    return failed[0]?.first ?? failed[0]?.began
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return undefined
  }
}
