/** Which node runs what CTDB and systemd start of ours: the one of their PATH, or by its full path the one that runs here. */
import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { refuse } from '../base/refusal.ts'
import type { Door } from '../machine/machine.ts'
import { isOlder } from '../base/version.ts'
import type { SearchPath } from './service.ts'
import { above, openTo, statusOf } from './trust.ts'

/** yargs 18 asks for it. */
const OLDEST_NODE = [20, 19] as const

export const OLDEST = OLDEST_NODE.join('.')

/** Of `20.19.5`, with or without a `v` before it. */
export function isNewEnough(version: string): boolean {
  const [, major = 0, minor = 0] = /^v?(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  return !isOlder([major, minor], OLDEST_NODE)
}

/** What `env node` starts there: its path, or undefined. */
export function nodeIn({ path }: SearchPath): string | undefined {
  const folders = path.split(':').filter((folder) => folder.startsWith('/'))
  return folders.map((folder) => join(folder, 'node')).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Why that node does not do; undefined when it does. */
export async function whyNotNode(door: Door, node: string): Promise<string | undefined> {
  if (!isExecutable(node)) return existsSync(node) ? 'cannot be executed' : 'no such file'
  const { status, out, err } = await door.ask`${node} --version`
  if (status !== 0) return `cannot say its version: ${err.trim() || `exit status ${status}`}`
  return isNewEnough(out) ? undefined : `${out.trim()}: too old`
}

/** Why what is found in that PATH does not do. */
export async function whyNotFound(door: Door, search: SearchPath): Promise<string | undefined> {
  const node = nodeIn(search)
  const seen = `the PATH of ${search.whose} (${search.path})`
  if (node === undefined) return `no node in ${seen}`
  const why = await whyNotNode(door, node)
  return why === undefined ? undefined : `${node} in ${seen}: ${why}`
}

/** Who but root may write to that node or to a folder above it. */
export function whyOpen(node: string): string | undefined {
  for (const path of above(realpathSync(node))) {
    const open = openTo(statusOf(path))
    if (open) return `${path}: ${open.seen}`
  }
  return undefined
}

/** Undefined: it is found in that PATH. Otherwise the full path of `ours`, with what there is to be said. */
export async function interpreterFor(
  door: Door,
  search: SearchPath,
  ours: string,
): Promise<{ node: string; note: string } | undefined> {
  const why = await whyNotFound(door, search)
  if (why === undefined) return undefined
  const open = whyOpen(ours)
  const seen = `${why}, and ${ours} cannot stand in for it: ${open}: CTDB would run it as root`
  const remedy = `install node ${OLDEST} or newer where only root writes, as below /usr/local`
  if (open !== undefined && process.geteuid?.() === 0) refuse(`${seen}: ${remedy}`)
  const note =
    open === undefined ? `${why}: started by ${ours}, which has to stay` : `WARNING: ${seen}: ${remedy}`
  return { node: ours, note }
}
