import { Refusal } from '../base/refusal.ts'
import { doorTo, type Door } from '../machine/machine.ts'
import { live } from '../machine/live/live.ts'
import type { Version } from '../base/version.ts'

/** Milliseconds. The tool knows its version without asking the daemon. */
const LIMIT_MS = 3000

/** The ctdb tool as words of a command. */
export function toolOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return (env['CTDB'] || 'ctdb').split(' ').filter(Boolean)
}

/** The version of this node's ctdb tool; undefined where there is none, or no version is printed in time. */
export function ctdbVersion(): Promise<Version | undefined> {
  return versionOf(doorTo(live()), toolOf(process.env))
}

/** The same, through a given door. */
export async function versionOf(door: Door, tool: readonly string[]): Promise<Version | undefined> {
  try {
    return parseVersion((await door.ask({ within: LIMIT_MS })`${tool} version`).out)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Reads `4.17.12-Debian`. */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)\b/m.exec(text) ?? []
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)]
}
