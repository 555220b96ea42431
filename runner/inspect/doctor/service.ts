/** Whether systemd can start ctdb.service at all, by CTDB's own paths; and what systemd does after ctdbd is gone. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { confValues } from '../../eventd/conf/conf.ts'
import { isBooted, serviceHere, systemdFolder } from '../../install/service.ts'
import { lookAtSystemd, type UnitFile } from '../../install/systemd.ts'
import { nodeNamedIn } from '../../install/unit-text.ts'
import type { Unit } from '../../install/unit.ts'
import { ctdbPath } from '../../node/ctdb-path.ts'
import { isFar } from '../../machine/files/may-hang.ts'
import { toPrinting, toShell } from '../../machine/argv.ts'
import type { Door } from '../../machine/machine.ts'
import { about, type Examination, type Finding } from '../finding.ts'
import { ourScripts } from './folder.ts'

const NAME = 'ctdb.service'

const service: Examination = async ({ door, facts }) => {
  const folder = systemdFolder(facts.env)
  // in a container or a chroot no unit starts anything
  const unit = folder !== undefined && isBooted(folder) ? await serviceHere(door, facts.env) : undefined
  if (folder === undefined || !unit) return []
  const pidFile = await ctdbPath('pidfile ctdbd')
  const found = [
    ...missingFolders(unit, [await ctdbPath('socket ctdbd'), pidFile], await madeAtBoot(door, folder)),
    ...otherPidFile(unit, pidFile),
    ...unmet(unit, (await confValues(await ctdbPath('config'))).get('cluster/nodes list')),
  ]
  const { ok, error } = about('systemd')
  const drop = (lines: string[]) => remedyIn(join(folder, 'system', `${NAME}.d`), lines)
  if (found.length === 0) return ok(NAME, 'systemd can start it')
  return found.flatMap(({ text, lines }) => error(NAME, text, drop(lines))) satisfies Finding[]
}

interface Fault {
  text: string
  /** The lines of a drop-in that repairs it. */
  lines: string[]
}

const inRun = (path: string) => path.replace(/^\/var\/run\//, '/run/')

/** /run is empty after a boot, and ctdbd makes no folder there. */
function missingFolders(unit: Unit, files: readonly string[], made: readonly string[]): Fault[] {
  const own = (unit.get('Service/RuntimeDirectory') ?? []).flatMap((line) => line.split(/\s+/))
  const all = [...made, ...own.map((name) => `/run/${name.replace(/:.*/, '')}`)]
  const isMade = (folder: string) => all.some((each) => each === folder || each.startsWith(`${folder}/`))
  const missing = files.filter((file) => inRun(file).startsWith('/run/') && !isMade(dirname(inRun(file))))
  if (missing.length === 0) return []
  const folders = [...new Set(missing.map((file) => dirname(inRun(file))))]
  return [
    {
      text: `RuntimeDirectory=${own.join(' ')} does not make ${folders.join(', ')}, where ctdbd has ${missing.join(', ')}: after a boot it does not start`,
      lines: [
        '[Service]',
        `RuntimeDirectory=${[...folders.map((each) => each.slice('/run/'.length)), ...own].join(' ')}`,
      ],
    },
  ]
}

/** Folders that tmpfiles.d(5) has made. */
async function madeAtBoot(door: Door, systemd: string): Promise<string[]> {
  const more = systemd === '/etc/systemd' ? ['/run/tmpfiles.d', '/usr/lib/tmpfiles.d'] : []
  const folders = [join(systemd, '../tmpfiles.d'), ...more].filter((each) => existsSync(each))
  const lines = []
  for (const folder of folders)
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.conf')))
      lines.push(...((await door.read(join(folder, name))) ?? '').split('\n'))
  return lines.flatMap((line) => /^[dD]\S*\s+(\/\S+)/.exec(line)?.[1] ?? []).map(inRun)
}

function otherPidFile(unit: Unit, file: string): Fault[] {
  const named = unit.get('Service/PIDFile')?.at(-1)
  if (named === undefined || inRun(named) === inRun(file)) return []
  const text = `PIDFile=${named}: ctdbd writes ${file}: systemd waits for the other, then ends it`
  return [{ text, lines: ['[Service]', `PIDFile=${file}`] }]
}

/** A condition on a nodes file that ctdb.conf does not use. A nodes file in use has an examination of its own. */
function unmet(unit: Unit, nodesList: string | undefined): Fault[] {
  const files = (unit.get('Unit/ConditionFileNotEmpty') ?? []).filter((file) => file.startsWith('/'))
  const empty = files.find(
    (file) => !isFar(file) && (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0,
  )
  if (nodesList === undefined || empty === undefined || nodesList === empty) return []
  const text = `ConditionFileNotEmpty=${empty}: that is missing or empty, as ctdb.conf has "nodes list = ${nodesList}": systemd passes over the start`
  return [{ text, lines: ['[Unit]', 'ConditionFileNotEmpty='] }]
}

function remedyIn(folder: string, lines: readonly string[]): string {
  const file = join(folder, `${lines[1]!.replace(/=.*/, '')}.conf`)
  const write = `${toPrinting(`${lines.join('\n')}\n`)} >${toShell([file])}`
  return `${toShell(['mkdir', '-p', folder])} && ${write} && systemctl daemon-reload`
}

/** The files that clean up after ctdbd and its event daemon were killed. */
const cleanup: Examination = (patient) => {
  const { facts, own, uses } = patient
  const { ok, warn } = about('systemd')
  const found = lookAtSystemd(facts.env, dirname(own), (_which, here) => nodeNamedIn(here))
  if (!found || !(uses.inet || uses.inet6)) return []
  const { dropIn, unit } = found
  // where nothing is of ours, the admin goes by CTDB's own scripts
  if (dropIn.here === undefined && unit.here === undefined && ourScripts(patient).length === 0) return []
  const how = (file: UnitFile) => (file.here === undefined ? 'no such file' : different(file))
  if (dropIn.here !== dropIn.text)
    return warn(
      dropIn.place,
      `${how(dropIn)}: when ctdbd and its event daemon are killed, the addresses stay on this node`,
      'eventscript install',
    )
  if (unit.here !== unit.text)
    return warn(
      unit.place,
      `${how(unit)}: after "systemctl kill -s KILL ctdb" the addresses stay on this node`,
      'eventscript install',
    )
  return ok(dropIn.place, 'cleans up when ctdbd was killed')
}

/** The command counts most: where it is another program's, only that is reported. */
function different({ here, text }: UnitFile): string {
  const calls = (whole: string) =>
    whole
      .split('\n')
      .filter((line) => line.startsWith('Exec'))
      .join()
  return calls(here ?? '') === calls(text)
    ? 'not as this version writes it'
    : 'it does not call this eventscript'
}

export const SERVICE = { service, cleanup }
