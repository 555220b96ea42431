/** The processes of this machine, as /proc shows them. */
import { readdirSync, readFileSync } from 'node:fs'

/** The numbers of all processes. */
export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** A file of /proc; `instead` where it cannot be read, as the process may have ended. */
export function procTextOr<Instead>(path: string, instead: Instead): string | Instead {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return instead
  }
}

/** The same, empty where it cannot be read. */
export function procText(path: string): string {
  return procTextOr(path, '')
}
