/** What systemd-networkd leaves alone, by its files: systemd.network(5), networkd.conf(5). */
import { basename, join } from 'node:path'
import { parseUnit } from '../../../install/unit.ts'
import type { Door } from '../../../machine/machine.ts'

/** What systemd-networkd says about an interface in /run/systemd/netif/links, of 252 to 262. */
export interface Managed {
  /** The .network file that it applies. */
  file: string
  dropIns: readonly string[]
}

/** The interface of that text; undefined when systemd-networkd leaves the interface alone. */
export function managedIn(text: string): Managed | undefined {
  const value = (name: string) => new RegExp(`^${name}="?(.*?)"?$`, 'm').exec(text)?.[1] ?? ''
  const file = value('NETWORK_FILE')
  if (file === '' || value('ADMIN_STATE') === 'unmanaged') return undefined
  return { file, dropIns: value('NETWORK_FILE_DROPINS').split(/\s+/).filter(Boolean) }
}

const isYes = (value: string) => /^(?:1|yes|y|true|t|on)$/i.test(value)
const isNo = (value: string) => /^(?:0|no|n|false|f|off)$/i.test(value)

export const KEEP = 'KeepConfiguration=static'

/** The settings that are missing in the .network file of an interface. */
export function missingInNetwork(text: string): string[] {
  const value = parseUnit(text).get('Network/KeepConfiguration')?.at(-1) ?? ''
  return value === 'static' || isYes(value) ? [] : [KEEP]
}

/** The settings that are missing in networkd.conf: they are for all interfaces. */
export function missingInConf(text: string): string[] {
  const conf = parseUnit(text)
  const names = ['ManageForeignRoutes', 'ManageForeignRoutingPolicyRules']
  return names.filter((name) => !isNo(conf.get(`Network/${name}`)?.at(-1) ?? '')).map((name) => `${name}=no`)
}

/** In the order of search: a file hides files of its name in later folders. */
const FOLDERS = ['/etc', '/run', '/usr/local/lib', '/usr/lib'].map((each) => `${each}/systemd`)

/** networkd.conf with its drop-ins, as networkd reads them at its start. */
export async function confText(door: Door): Promise<string> {
  const main = await firstOf(
    door,
    FOLDERS.map((folder) => join(folder, 'networkd.conf')),
  )
  const dropIns = new Map<string, string>()
  for (const folder of FOLDERS.map((each) => join(each, 'networkd.conf.d/'))) {
    const names = ((await door.read(folder)) ?? '').split('\n').filter((name) => name.endsWith('.conf'))
    for (const name of names) if (!dropIns.has(name)) dropIns.set(name, folder + name)
  }
  const sorted = [...dropIns].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  return [main, ...(await textsOf(door, sorted))].join('\n')
}

async function firstOf(door: Door, paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = await door.read(path)
    if (text !== undefined) return text
  }
  return ''
}

/** The .network file of an interface with the drop-ins that networkd has read. */
export async function networkFileText(door: Door, { file, dropIns }: Managed): Promise<string> {
  return (await textsOf(door, [file, ...dropIns])).join('\n')
}

async function textsOf(door: Door, paths: readonly string[]): Promise<string[]> {
  const texts = []
  for (const path of paths) texts.push((await door.read(path)) ?? '')
  return texts
}

/** A drop-in of ours for that .network file: it counts also for a file of netplan, which is written anew below /run. */
export function networkDropIn(file: string): string {
  return `/etc/systemd/network/${basename(file)}.d/eventscript.conf`
}

export const CONF_DROP_IN = '/etc/systemd/networkd.conf.d/eventscript.conf'
