import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The folders of a PATH, and beside each `bin` its `sbin`: cron and an ordinary user's shell have no /usr/sbin, where iptables is.
 */
export function withSbin(path: string): string {
  const folders = path.split(delimiter)
  const beside = folders.filter((folder) => folder.endsWith('/bin')).map((folder) => join(folder, '../sbin'))
  return [...new Set([...folders, ...beside])].join(delimiter)
}

/** The full path of a program, or undefined when no folder of PATH has one of that name. */
export function findProgram(program: string): string | undefined {
  if (program.includes('/')) return executable(program) ? program : undefined
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder || '.', program)).find(executable)
}

function executable(path: string): boolean {
  try {
    // most folders of PATH have no such program: an exception for each would be expensive
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
