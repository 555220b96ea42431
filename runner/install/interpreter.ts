/** Which node runs our programs for CTDB and systemd: the one in their PATH, or else the one that runs here, by its full path. */
import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Door } from '../machine/machine.ts'
import { isOlder } from '../base/version.ts'
import { foldersOf, type SearchPath } from './service.ts'

/** The oldest version that yargs 18 supports. */
const OLDEST_NODE = [20, 19] as const

export const OLDEST = OLDEST_NODE.join('.')

/** Takes `20.19.5`, with or without a leading `v`. */
export function isNewEnough(version: string): boolean {
  const [, major = 0, minor = 0] = /^v?(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  return !isOlder([major, minor], OLDEST_NODE)
}

/** The path of the program that `env node` starts with that PATH, or undefined. */
export function nodeIn(search: SearchPath): string | undefined {
  return foldersOf(search)
    .map((folder) => join(folder, 'node'))
    .find(isExecutable)
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

/**
 * Undefined where that PATH has a usable node. Otherwise the full path of `ours`, which stands in for it, and the reason. Nobody but
 * root may write to the node in that PATH: it is run here to learn its version.
 */
export async function interpreterFor(
  door: Door,
  search: SearchPath,
  ours: string,
): Promise<{ node: string; why: string } | undefined> {
  const why = await whyNotFound(door, search)
  return why === undefined ? undefined : { node: ours, why }
}
