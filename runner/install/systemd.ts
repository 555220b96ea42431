/**
 * The files by which systemd cleans up after ctdbd. Our event daemon does so itself; they are for when it was killed
 * too, and for CTDB's own event daemon, which does not.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Facts } from '../node/settings.ts'
import { refuse } from '../base/refusal.ts'
import type { Act } from './acts.ts'
import type { Plan } from './plan.ts'
import { isRunning, systemdFolder } from './service.ts'
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

export type SystemdPlan = Plan & { place: string }

/** Which node each of them names, given what is in it; undefined: none, as it is found in PATH. */
export type NodeFor = (file: 'dropIn' | 'unit', here: string | undefined) => string | undefined

/** Undefined where no service of systemd's is CTDB. */
export function lookAtSystemd(env: Facts['env'], dist: string, nodeFor: NodeFor): Systemd | undefined {
  const folder = systemdFolder(env)
  if (folder === undefined) return undefined
  const program = join(dist, 'runner/main.js')
  const file = (name: string, kind: 'dropIn' | 'unit', write: typeof textFor): UnitFile => {
    const place = join(folder, 'system', name)
    const here = existsSync(place) ? readFileSync(place, 'utf8') : undefined
    return { place, here, text: write(program, nodeFor(kind, here)) }
  }
  return {
    dropIn: file('ctdb.service.d/eventscript.conf', 'dropIn', textFor),
    unit: file(CLEANUP_UNIT, 'unit', cleanupUnitFor),
    reload: isRunning(folder),
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
  const folder = changed.includes(dropIn) ? [['mkdir', '-p', dirname(place)]] : []
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
    acts: [...ours.map((file) => ['rm', '-f', file.place]), ...emptied(ours, dropIn), ...reloading(reload)],
    text: `${ours.map((file) => file.place).join(', ')}: removed`,
    notes: stays,
  }
}

/** The folder of drop-ins, which may have others. */
const emptied = (ours: readonly UnitFile[], dropIn: UnitFile): Act[] =>
  ours.includes(dropIn) ? [['rmdir', '--ignore-fail-on-non-empty', dirname(dropIn.place)]] : []

const reloading = (reload: boolean): Act[] => (reload ? [['systemctl', 'daemon-reload']] : [])
