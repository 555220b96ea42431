import { chmodSync, lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'

const NOT_FOUND = 2
const INVALID = 22

/**
 * Enable or disable a script by its execute bits, as the SCRIPT request asks for; gives back the result for the client.
 * No client of CTDB's uses it: `ctdb event script` works on the files itself. Links are refused (contract, 4.4).
 */
export function setEnabled(folder: string, script: string, enable: boolean): number {
  const file = script.endsWith('.script') ? script : `${script}.script`
  if (script.includes('/')) return NOT_FOUND
  const path = join(folder, file)
  try {
    statSync(path)
    const { mode } = lstatSync(path)
    if (!/^\d\d\./.test(file) || !lstatSync(path).isFile()) return INVALID
    chmodSync(path, enable ? mode | 0o111 : mode & ~0o111)
    return 0
  } catch {
    return NOT_FOUND
  }
}
