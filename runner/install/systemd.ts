/**
 * The files by which systemd cleans up after ctdbd. Our event daemon does so itself; they are for when it was killed
 * too, and for CTDB's own event daemon, which does not.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Facts } from '../config.ts'
import { refuse } from '../refusal.ts'
import type { Plan } from './plan.ts'
import { CLEANUP_UNIT, cleanupUnitFor, MARK, textFor } from './unit-text.ts'

export interface UnitFile {
  place: string
  /** What we would have in it. */
  text: string
  /** What is in it; undefined when there is no such file. */
  here: string | undefined
}

export interface Systemd {
  dropIn: UnitFile
  /** The drop-in names it: it is written before that, and removed after. */
  unit: UnitFile
  /** systemd is running, and has to be told. */
  reload: boolean
}

/** A command, or a file to be written. */
export type Act = { argv: string[] } | { file: string; text: string }

export type SystemdPlan = Omit<Plan, 'acts'> & { place: string; acts: Act[] }

/** Look; undefined where there is no systemd, or CTDB is relocated, and so no service of systemd's. */
export function lookAtSystemd(env: Facts['env'], dist: string): Systemd | undefined {
  const etc = env['CTDB_SYS_ETCDIR'] ?? (env['CTDB_BASE'] === undefined ? '/etc' : undefined)
  if (etc === undefined || !existsSync(join(etc, 'systemd/system'))) return undefined
  const program = join(dist, 'runner/main.js')
  const file = (name: string, text: string): UnitFile => {
    const place = join(etc, 'systemd/system', name)
    return { place, text, here: existsSync(place) ? readFileSync(place, 'utf8') : undefined }
  }
  return {
    dropIn: file('ctdb.service.d/eventscript.conf', textFor(program)),
    unit: file(CLEANUP_UNIT, cleanupUnitFor(program)),
    reload: etc === '/etc' && existsSync('/run/systemd/system'),
  }
}

const isAsWanted = ({ here, text }: UnitFile) => here === text

const isOurs = ({ here }: UnitFile) => here?.startsWith(MARK) === true

export function planSystemd({ dropIn, unit, reload }: Systemd): SystemdPlan {
  const { place } = dropIn
  const changed = [unit, dropIn].filter((file) => !isAsWanted(file))
  if (changed.length === 0) return { place, did: 'already', acts: [], text: place, notes: [] }
  const foreign = changed.find((file) => file.here !== undefined && !isOurs(file))
  if (foreign)
    refuse(`${foreign.place}: not as "eventscript install" writes it: expected it to be ours: move it away`)
  const folder = changed.includes(dropIn) ? [{ argv: ['mkdir', '-p', dirname(place)] }] : []
  const write = changed.map((file) => ({ file: file.place, text: file.text }))
  return {
    place,
    did: 'installed',
    acts: [...folder, ...write, ...reloading(reload)],
    text: `${place}, with ${CLEANUP_UNIT}: systemd runs "eventscript cleanup" when ctdbd is gone`,
    notes: [],
  }
}

/** Undefined when there is neither file. */
export function planNoSystemd({ dropIn, unit, reload }: Systemd): SystemdPlan | undefined {
  const { place } = dropIn
  const there = [dropIn, unit].filter(({ here }) => here !== undefined)
  if (there.length === 0) return undefined
  const [ours, others] = [there.filter(isOurs), there.filter((file) => !isOurs(file))]
  const stays = others.map((file) => `${file.place} is not ours and stays as it is`)
  if (ours.length === 0) return { place, did: 'absent', acts: [], text: stays.join('; '), notes: [] }
  return {
    place,
    did: 'removed',
    acts: [
      ...ours.map((file) => ({ argv: ['rm', '-f', file.place] })),
      ...emptied(ours, dropIn),
      ...reloading(reload),
    ],
    text: `${ours.map((file) => file.place).join(', ')}: removed`,
    notes: stays,
  }
}

/** The folder of drop-ins, which may have others. */
const emptied = (ours: readonly UnitFile[], dropIn: UnitFile): Act[] =>
  ours.includes(dropIn) ? [{ argv: ['rmdir', '--ignore-fail-on-non-empty', dirname(dropIn.place)] }] : []

const reloading = (reload: boolean): Act[] => (reload ? [{ argv: ['systemctl', 'daemon-reload'] }] : [])
