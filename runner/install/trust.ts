import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toShell } from '../machine/argv.ts'

export interface Status {
  path: string
  kind: 'folder' | 'link' | 'file'
  uid: number
  gid: number
  mode: number
}

/**
 * CTDB runs what we link as root: whoever may write to it, or to a folder above it, is root with the next event.
 * Gives back the first element that somebody else may write to, with the command that mends it.
 */
export function whyUnsafe(file: string, dist: string): string | undefined {
  const below = readdirSync(dist, { recursive: true, encoding: 'utf8' }).map((name) => join(dist, name))
  const all = [...new Set([...above(realpathSync(file)), ...above(realpathSync(dist)), ...below])]
  return all
    .toSorted((a, b) => a.length - b.length)
    .map((path) => weakness(statusOf(path)))
    .find((why) => why !== undefined)
}

/** A path and every folder above it. */
export function above(path: string): string[] {
  return dirname(path) === path ? [path] : [...above(dirname(path)), path]
}

export function statusOf(path: string): Status {
  const status = lstatSync(path)
  const kind = status.isDirectory() ? 'folder' : status.isSymbolicLink() ? 'link' : 'file'
  return { path, kind, uid: status.uid, gid: status.gid, mode: status.mode }
}

/** Who but root may write to this, in a sentence with what to do. */
export function weakness(status: Status): string | undefined {
  const found = openTo(status)
  if (!found) return undefined
  return `${status.path}: ${found.seen}: CTDB would run it as root: ${found.mend}, or install the package where only root writes`
}

/** The same in parts: what is seen, and the command that mends it. A sticky folder, as /tmp, lets others only add to it. */
export function openTo({ path, kind, uid, gid, mode }: Status): { seen: string; mend: string } | undefined {
  const mend = (...command: string[]) => toShell([...command, path])
  if (uid !== 0)
    return {
      seen: `owned by user ${uid}, expected root`,
      mend: mend('chown', ...(kind === 'link' ? ['-h'] : []), 'root'),
    }
  // of a link only the owner matters: its mode is always 777
  if (kind === 'link' || (kind === 'folder' && (mode & 0o1000) !== 0)) return undefined
  if ((mode & 0o002) !== 0) return { seen: 'everybody may write to it', mend: mend('chmod', 'o-w') }
  if ((mode & 0o020) !== 0 && gid !== 0)
    return { seen: `group ${gid} may write to it`, mend: mend('chmod', 'g-w') }
  return undefined
}
