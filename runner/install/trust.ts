import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toShell } from '../machine/argv.ts'

export interface Access {
  path: string
  kind: 'folder' | 'link' | 'file'
  uid: number
  gid: number
  mode: number
}

/**
 * CTDB runs our links as root: whoever may write to the target, or to a folder above it, is root at the next event.
 * Gives the first path that another user may write to, with the command that repairs it; undefined when there is none.
 */
export function whyUnsafe(file: string, dist: string): string | undefined {
  const below = readdirSync(dist, { recursive: true, encoding: 'utf8' }).map((name) => join(dist, name))
  const all = [...new Set([...pathsAbove(realpathSync(file)), ...pathsAbove(realpathSync(dist)), ...below])]
  return all
    .toSorted((a, b) => a.length - b.length)
    .map((path) => weakness(accessOf(path)))
    .find((why) => why !== undefined)
}

/** A path and every folder above it. */
export function pathsAbove(path: string): string[] {
  return dirname(path) === path ? [path] : [...pathsAbove(dirname(path)), path]
}

export function accessOf(path: string): Access {
  const status = lstatSync(path)
  const kind = status.isDirectory() ? 'folder' : status.isSymbolicLink() ? 'link' : 'file'
  return { path, kind, uid: status.uid, gid: status.gid, mode: status.mode }
}

/** Who besides root may write to this path, as a sentence with a remedy. */
export function weakness(status: Access): string | undefined {
  const found = writableBy(status)
  if (!found) return undefined
  return `${status.path}: ${found.seen}: CTDB would run it as root: ${found.repair}, or install the package where only root writes`
}

/** The same in parts: what was seen, and the command that repairs it. A sticky folder such as /tmp only lets others add files. */
export function writableBy({
  path,
  kind,
  uid,
  gid,
  mode,
}: Access): { seen: string; repair: string } | undefined {
  const repair = (...command: string[]) => toShell([...command, path])
  if (uid !== 0)
    return {
      seen: `owned by user ${uid}, expected root`,
      repair: repair('chown', ...(kind === 'link' ? ['-h'] : []), 'root'),
    }
  // only the owner of a link matters: its mode is always 777
  if (kind === 'link' || (kind === 'folder' && (mode & 0o1000) !== 0)) return undefined
  if ((mode & 0o002) !== 0) return { seen: 'everybody may write to it', repair: repair('chmod', 'o-w') }
  if ((mode & 0o020) !== 0 && gid !== 0)
    return { seen: `group ${gid} may write to it`, repair: repair('chmod', 'g-w') }
  return undefined
}
