/** Which node runs our programs for CTDB and systemd: the one in their PATH, or else the one that runs here, by its full path. */
import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { refuse } from '../base/refusal.ts'
import type { Door } from '../machine/machine.ts'
import { isOlder } from '../base/version.ts'
import type { SearchPath } from './service.ts'
import { pathsAbove, writableBy, accessOf } from './trust.ts'

/** The oldest version that yargs 18 supports. */
const OLDEST_NODE = [20, 19] as const

export const OLDEST = OLDEST_NODE.join('.')

/** Takes `20.19.5`, with or without a leading `v`. */
export function isNewEnough(version: string): boolean {
  const [, major = 0, minor = 0] = /^v?(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  return !isOlder([major, minor], OLDEST_NODE)
}

/** The path of the program that `env node` starts with that PATH, or undefined. */
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

/** Why that node cannot be used; undefined when it can. */
export async function whyNotNode(door: Door, node: string): Promise<string | undefined> {
  if (!isExecutable(node)) return existsSync(node) ? 'cannot be executed' : 'no such file'
  const { status, out, err } = await door.ask`${node} --version`
  if (status !== 0) return `cannot say its version: ${err.trim() || `exit status ${status}`}`
  return isNewEnough(out) ? undefined : `${out.trim()}: too old`
}

/** Why the node in that PATH cannot be used; undefined when it can. */
export async function whyNotFound(door: Door, search: SearchPath): Promise<string | undefined> {
  const node = nodeIn(search)
  const seen = `the PATH of ${search.whose} (${search.path})`
  if (node === undefined) return `no node in ${seen}`
  const why = await whyNotNode(door, node)
  return why === undefined ? undefined : `${node} in ${seen}: ${why}`
}

/** Who besides root may write to that node or to a folder above it. */
export function whyOpen(node: string): string | undefined {
  for (const path of pathsAbove(realpathSync(node))) {
    const open = writableBy(accessOf(path))
    if (open) return `${path}: ${open.seen}`
  }
  return undefined
}

/** Undefined where that PATH has a usable node. Otherwise the full path of `ours`, and a note for the admin. */
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
