import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parkedFile, parseParked, type Parked } from '../../net/dad/parked.ts'

/** The parked addresses of this node, whose file is in the folder of the history; none where it cannot be read. */
export function parkedBeside(history: string): Parked[] {
  try {
    return parseParked(readFileSync(parkedFile(dirname(history)), 'utf8'))
  } catch {
    return []
  }
}
