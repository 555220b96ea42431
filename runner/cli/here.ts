/** This program's own files, and the facts of the machine that it runs on. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { factsHere, type Facts } from '../node/facts.ts'
import type { CommonArgs } from './command.ts'

const built = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The folder of our built files. */
export const DIST = built('.').replace(/\/$/, '')
export const OWN_EVENTS = built('events.d')
export const ANNOUNCER = built('announce.cjs')

/** Our version, as package.json has it. */
export function ourVersion(): string {
  const { version } = JSON.parse(readFileSync(built('../package.json'), 'utf8')) as { version: string }
  return version
}

/** How this program is started again: here, and by a shell on another node, where it may be elsewhere. */
export const SELF = {
  here: [process.execPath, built('runner/main.js')],
  there: `$(command -v eventscript || echo ${built('runner/main.js')})`,
}

/** The folder of handlers that `--events` names, or our own. */
export const folderOf = ({ events }: CommonArgs): string => events ?? OWN_EVENTS

/** `events` is the folder of handlers where the admin has named one: the handlers' options lie there, too. */
export const factsFor = (events?: string): Facts => factsHere(ANNOUNCER, events)
