/**
 * The drop-in by which systemd cleans up behind ctdbd. Our event daemon does so itself; this is for when it was killed
 * too, and for CTDB's own event daemon, which does not.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Facts } from '../config.ts'
import { refuse } from '../refusal.ts'
import type { Plan } from './plan.ts'

export interface DropIn {
  place: string
  /** What we would have in it. */
  text: string
  /** What is in it; undefined when there is no such file. */
  here: string | undefined
  /** systemd is running, and has to be told. */
  reload: boolean
}

/** A command, or a file to be written. */
export type Act = { argv: string[] } | { file: string; text: string }

export type DropInPlan = Omit<Plan, 'acts'> & { place: string; acts: Act[] }

const MARK = '# Written by "eventscript install"; "eventscript uninstall" removes it.'

/** Look; undefined where there is no systemd, or CTDB is relocated, and so no service of systemd's. */
export function lookAtDropIn(env: Facts['env'], dist: string): DropIn | undefined {
  const etc = env['CTDB_SYS_ETCDIR'] ?? (env['CTDB_BASE'] === undefined ? '/etc' : undefined)
  if (etc === undefined || !existsSync(join(etc, 'systemd/system'))) return undefined
  const place = join(etc, 'systemd/system/ctdb.service.d/eventscript.conf')
  return {
    place,
    text: textFor(join(dist, 'runner/main.js')),
    here: existsSync(place) ? readFileSync(place, 'utf8') : undefined,
    reload: etc === '/etc' && existsSync('/run/systemd/system'),
  }
}

/** With `-` a cleanup that fails does not turn an orderly stop into a failed unit: what it says is in the journal. */
export function textFor(program: string): string {
  return `${MARK}
[Service]
# When ctdbd and its event daemon are gone, in whatever way, no public address may stay on this node.
ExecStopPost=-${asWord(program)} cleanup
`
}

/** As systemd.service(5) takes the path of a program: `%` stands for something there, `$` does not in the first word. */
function asWord(path: string): string {
  const literal = path.replaceAll('%', '%%')
  return /\s/.test(literal) ? `"${literal}"` : literal
}

export function planDropIn({ place, text, here, reload }: DropIn): DropInPlan {
  if (here === text) return { place, did: 'already', acts: [], text: place, notes: [] }
  if (here !== undefined && !here.startsWith(MARK))
    refuse(`${place}: not as "eventscript install" writes it: expected it to be ours: move it away`)
  const write = [{ argv: ['mkdir', '-p', dirname(place)] }, { file: place, text }]
  return {
    place,
    did: 'installed',
    acts: [...write, ...reloading(reload)],
    text: `${place}: systemd runs "eventscript cleanup" when ctdbd is gone`,
    notes: [],
  }
}

/** Undefined when nothing of ours is there. */
export function planNoDropIn({ place, here, reload }: DropIn): DropInPlan | undefined {
  if (here === undefined) return undefined
  if (!here.startsWith(MARK))
    return { place, did: 'absent', acts: [], text: `${place} is not ours and stays as it is`, notes: [] }
  const folder = dirname(place)
  const remove = [
    ['rm', '-f', place],
    ['rmdir', '--ignore-fail-on-non-empty', folder],
  ]
  return {
    place,
    did: 'removed',
    acts: [...remove.map((argv) => ({ argv })), ...reloading(reload)],
    text: `${place}: removed`,
    notes: [],
  }
}

const reloading = (reload: boolean): Act[] => (reload ? [{ argv: ['systemctl', 'daemon-reload'] }] : [])
