/** Where the built product and this repository are, and reading what may not be there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const DIST = fileURLToPath(new URL('../..', import.meta.url))
export const REPOSITORY = join(DIST, '..')
export const MAIN = join(DIST, 'runner/main.js')
export const SCRIPT = join(DIST, 'events.d/10.interface.script')

/** The text of a file; '' where there is none, or its process has ended. */
export function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) return ''
    throw error
  }
}
