/**
 * The files that make systemd clean up after ctdbd. Our event daemon cleans up by itself; the files serve when that was
 * killed as well, and CTDB's own event daemon, which does not clean up.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Facts } from '../node/facts.ts'
import { refuse } from '../base/refusal.ts'
import type { Act } from './acts.ts'
import type { Plan } from './plan.ts'
import { isRunning, systemdFolder } from './service.ts'
import { CLEANUP_UNIT, cleanupUnitFor, MARK, dropInFor } from './unit-text.ts'

export interface UnitFile {
  place: string
  /** The text that the file should have. */
  text: string
  /** The text that the file has; undefined when there is no such file. */
  here: string | undefined
}

export interface Systemd {
  dropIn: UnitFile
  /** The drop-in names this unit: the unit is written first, and removed last. */
  unit: UnitFile
  /** systemd is running, and has to reload. */
  reload: boolean
}

export type SystemdPlan = Plan & { place: string }

/** The node that each file names, given its present text; undefined where PATH has a node. */
export type NodeFor = (file: 'dropIn' | 'unit', here: string | undefined) => string | undefined

/** Undefined where CTDB is no service of systemd. */
export function lookAtSystemd(env: Facts['env'], dist: string, nodeFor: NodeFor): Systemd | undefined {
  const folder = systemdFolder(env)
  if (folder === undefined) return undefined
  const program = join(dist, 'runner/main.js')
  const file = (name: string, kind: 'dropIn' | 'unit', write: typeof dropInFor): UnitFile => {
    const place = join(folder, 'system', name)
    const here = existsSync(place) ? readFileSync(place, 'utf8') : undefined
    return { place, here, text: write(program, nodeFor(kind, here)) }
  }
  return {
    dropIn: file('ctdb.service.d/eventscript.conf', 'dropIn', dropInFor),
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

/** Undefined when neither file exists. */
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

/** Remove the folder of drop-ins, unless it holds others. */
const emptied = (ours: readonly UnitFile[], dropIn: UnitFile): Act[] =>
  ours.includes(dropIn) ? [['rmdir', '--ignore-fail-on-non-empty', dirname(dropIn.place)]] : []

const reloading = (reload: boolean): Act[] => (reload ? [['systemctl', 'daemon-reload']] : [])
