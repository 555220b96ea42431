/** This program's own files, and the facts of the machine that it runs on. */
import { fileURLToPath } from 'node:url'
import { factsHere, type Facts } from '../node/facts.ts'
import type { CommonArgs } from './command.ts'

const built = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The folder of our built files. */
export const DIST = built('.').replace(/\/$/, '')
export const OWN_EVENTS = built('events.d')
export const ANNOUNCER = built('announce.cjs')

/** The folder of handlers that `--events` names, or our own. */
export const folderOf = ({ events }: CommonArgs): string => events ?? OWN_EVENTS

/** `events` is the folder of handlers where the admin has named one: the handlers' options lie there, too. */
export const factsFor = (events?: string): Facts => factsHere(ANNOUNCER, events)
