/** ctdb.service as systemd reads it, and the PATH of the programs that systemd starts. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Facts } from '../node/facts.ts'
import type { Door } from '../machine/machine.ts'
import { parseUnit, pathIn, type Unit } from './unit.ts'

const NAME = 'ctdb.service'

/** In systemd's order of search: a file hides files of the same name in later folders. */
const FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]

/** systemd's default PATH (systemd.exec(5)). */
const COMPILED = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The folder of systemd's configuration; undefined without systemd, or where CTDB is relocated and is no service. */
export function systemdFolder(env: Facts['env']): string | undefined {
  const etc = env['CTDB_SYS_ETCDIR'] ?? (env['CTDB_BASE'] === undefined ? '/etc' : undefined)
  const folder = etc === undefined ? undefined : join(etc, 'systemd')
  return folder !== undefined && existsSync(join(folder, 'system')) ? folder : undefined
}

/** systemd is running, with that configuration. */
export function isRunning(folder: string): boolean {
  return folder === '/etc/systemd' && existsSync('/run/systemd/system')
}

/** False in a container, and in the chroot of an image. */
export function isBooted(folder: string): boolean {
  return folder !== '/etc/systemd' || isRunning(folder)
}

/** The text of ctdb.service with its drop-ins; undefined when there is no such service. */
export async function serviceHere(door: Door, env: Facts['env']): Promise<Unit | undefined> {
  const folder = systemdFolder(env)
  if (folder === undefined) return undefined
  if (isRunning(folder)) {
    const { status, out } = await door.ask`systemctl cat ${NAME}`
    if (status === 0) return parseUnit(out)
  }
  return await fromFiles(door, folder === '/etc/systemd' ? FOLDERS : [join(folder, 'system')])
}

async function fromFiles(door: Door, folders: readonly string[]): Promise<Unit | undefined> {
  const file = folders.map((folder) => join(folder, NAME)).find((path) => existsSync(path))
  if (file === undefined) return undefined
  const dropIns = new Map<string, string>()
  for (const path of folders.flatMap((folder) => confIn(join(folder, `${NAME}.d`))))
    if (!dropIns.has(basename(path))) dropIns.set(basename(path), path)
  const sorted = [...dropIns].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  const texts = []
  for (const path of [file, ...sorted]) texts.push((await door.read(path)) ?? '')
  return parseUnit(texts.join('\n'))
}

function confIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith('.conf'))
  return names.map((name) => join(folder, name))
}

/** A PATH, and its owner in words. */
export interface SearchPath {
  path: string
  whose: string
  /** Nobody knows the real one: this is the PATH of this shell. */
  isGuessed?: boolean
}

export const pathHere = (): SearchPath => ({
  path: process.env['PATH'] ?? '',
  whose: 'this shell',
  isGuessed: true,
})

/** In the order of search; a relative one has no meaning in a daemon. */
export function foldersOf({ path }: SearchPath): string[] {
  return path.split(':').filter((folder) => folder.startsWith('/'))
}

/** The PATH of ctdbd. Where no service starts ctdbd, its starter is expected to have the PATH of this shell. */
export async function pathOfCtdbd(door: Door, env: Facts['env']): Promise<SearchPath> {
  const service = await serviceHere(door, env)
  if (!service) return pathHere()
  const texts = []
  for (const file of service.get('Service/EnvironmentFile') ?? [])
    texts.push(...((await door.read(file.replace(/^-/, ''))) ?? '').split('\n'))
  const own = pathIn([...(service.get('Service/Environment') ?? []), ...texts])
  const path = own ?? service.get('Service/ExecSearchPath')?.at(-1)
  return path === undefined ? await pathOfUnits(door, env) : { path, whose: NAME }
}

/** The PATH of a unit that sets none. */
export async function pathOfUnits(door: Door, env: Facts['env']): Promise<SearchPath> {
  const folder = systemdFolder(env) ?? '/etc/systemd'
  const whose = 'systemd'
  if (isRunning(folder)) {
    const { status, out } = await door.ask`systemctl show-environment`
    const path = status === 0 ? pathIn(out.split('\n')) : undefined
    if (path !== undefined) return { path, whose }
  }
  const manager = parseUnit((await door.read(join(folder, 'system.conf'))) ?? '')
  return { path: pathIn(manager.get('Manager/DefaultEnvironment') ?? []) ?? COMPILED, whose }
}
