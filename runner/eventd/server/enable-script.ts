import { chmodSync, lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ERRNO } from '../protocol/messages.ts'

/**
 * Enable or disable a script by its execute bits, as the request "script" wants; gives back the result for the client.
 * No client of CTDB sends that request: `ctdb event script` works on the files itself. Links are refused
 * (run_event_script_enable in common/run_event.c of CTDB 4.17).
 */
export function setEnabled(folder: string, script: string, enable: boolean): number {
  const file = script.endsWith('.script') ? script : `${script}.script`
  if (script.includes('/')) return ERRNO.ENOENT
  const path = join(folder, file)
  try {
    statSync(path)
    const { mode } = lstatSync(path)
    if (!/^\d\d\./.test(file) || !lstatSync(path).isFile()) return ERRNO.EINVAL
    chmodSync(path, enable ? mode | 0o111 : mode & ~0o111)
    return 0
  } catch {
    return ERRNO.ENOENT
  }
}
