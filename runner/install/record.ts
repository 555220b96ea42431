import { dirname, join } from 'node:path'
import type { Facts } from '../node/facts.ts'
import { historyFile } from '../engine/history/run.ts'
import { refuse } from '../base/refusal.ts'
import type { Door } from '../machine/machine.ts'

/** What install has replaced, by the path where CTDB looks. */
export type Places = Record<string, { ours: string; was: string }>

/** The record lies beside the history. Plans work without it: the files kept beside each place decide. */
export function recordFile(env: Facts['env']): string {
  return join(dirname(historyFile(env)), 'installed.json')
}

export async function readRecord(door: Door, file: string): Promise<Places> {
  const text = await door.read(file)
  if (text === undefined) return {}
  const places = parsed(text)
  if (!places)
    refuse(
      `${file}: not as "eventscript install" has written it: expected {"version": 1, "places": {…}}: remove it; uninstall finds our files without it`,
    )
  return places
}

function parsed(text: string): Places | undefined {
  try {
    const { version, places } = JSON.parse(text) as { version?: unknown; places?: unknown }
    if (version !== 1 || typeof places !== 'object' || places === null) return undefined
    const good = Object.values(places).every(
      (each: unknown) =>
        typeof each === 'object' &&
        each !== null &&
        'ours' in each &&
        typeof each.ours === 'string' &&
        'was' in each &&
        typeof each.was === 'string',
    )
    return good ? (places as Places) : undefined
  } catch {
    return undefined
  }
}

export function writeRecord(places: Places): string {
  return `${JSON.stringify({ version: 1, places }, undefined, 2)}\n`
}
