import { existsSync, renameSync, rmSync } from 'node:fs'
import { LockBusy } from '../../machine/errors.ts'
import { replaceFile } from '../../machine/files/new-file.ts'
import { PRIVATE } from '../../machine/files/readers.ts'
import { live } from '../../machine/live/live.ts'
import { doorTo } from '../../machine/machine.ts'
import { worthKeeping } from './bound.ts'
import { runsIn } from './recall.ts'
import { asLines, filesOf, type KeptRun } from './run.ts'

/** Bytes of the older runs: beyond, the oldest go, failures too. */
const MOST_BYTES = 4 * 1024 * 1024

/**
 * Move the newest runs to the older ones, and keep of these what is to be kept. Others append meanwhile. Nothing is done while
 * another process does this; what a killed one has begun is completed.
 */
export async function compact(file: string): Promise<void> {
  const work = () => Promise.resolve(move(file))
  try {
    await doorTo(live()).hold(`${file}.lock`, 0, work)
  } catch (error) {
    if (!(error instanceof LockBusy)) throw error
  }
}

function move(file: string): void {
  const { newest, moving, older } = filesOf(file)
  if (!existsSync(moving)) renameSync(newest, moving)
  const runs = worthKeeping([...runsIn(older), ...runsIn(moving)], Date.now())
  replaceFile(older, withinBytes(runs), PRIVATE)
  rmSync(moving)
}

function withinBytes(runs: readonly KeptRun[]): string {
  const lines = runs.map((run) => asLines([run]))
  let bytes = 0
  const first = lines.findLastIndex((line) => (bytes += Buffer.byteLength(line)) > MOST_BYTES)
  return lines.slice(first + 1).join('')
}
