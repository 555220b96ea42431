/**
 * The builds of eventscript that are measured: this build and, with `--also`, another. Only paths that all builds
 * have are used.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { refuse } from '../../runner/base/refusal.ts'
import { DIST } from '../lab/paths.ts'

/** The beginning of the names of this build's contestants, and of the other build's. */
export const OURS = 'ours'
export const OTHER = 'other'

export interface Build {
  who: string
  /** The handler for 10.interface, and the event daemon. */
  script: string
  daemon: string
}

export function builds(also?: string): Build[] {
  const ours = buildIn(OURS, DIST)
  return also === undefined ? [ours] : [ours, buildIn(OTHER, join(also, 'dist'))]
}

function buildIn(who: string, dist: string): Build {
  return { who, script: join(dist, 'events.d/10.interface.script'), daemon: join(dist, 'ctdb-eventd') }
}

/** The contestant of the other build that does the same as this contestant of ours. */
export function otherOf(ours: string): string {
  return ours.replace(OURS, OTHER)
}

/** The full path of a folder in which `npm run build` was run. Any other folder is refused. */
export function folderWithBuild(folder: string): string {
  const { script, daemon } = buildIn(OTHER, join(resolve(folder), 'dist'))
  const missing = [script, daemon].find((path) => !existsSync(path))
  if (missing !== undefined)
    refuse(`--also ${folder}: ${missing} does not exist: expected a build: run npm install there`)
  return resolve(folder)
}
