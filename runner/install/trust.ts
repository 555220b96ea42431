import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toShell } from '../system/argv.ts'

interface Status {
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
function above(path: string): string[] {
  return dirname(path) === path ? [path] : [...above(dirname(path)), path]
}

function statusOf(path: string): Status {
  const status = lstatSync(path)
  const kind = status.isDirectory() ? 'folder' : status.isSymbolicLink() ? 'link' : 'file'
  return { path, kind, uid: status.uid, gid: status.gid, mode: status.mode }
}

/** Who but root may write to this; a sticky folder, as /tmp, lets others only add to it. */
export function weakness({ path, kind, uid, gid, mode }: Status): string | undefined {
  const mend = (command: string) =>
    `CTDB would run it as root: ${toShell([...command.split(' '), path])}, or install the package where only root writes`
  if (uid !== 0) return `${path}: owned by user ${uid}, expected root: ${mend('chown root')}`
  // of a link only the owner matters: its mode is always 777
  if (kind === 'link' || (kind === 'folder' && (mode & 0o1000) !== 0)) return undefined
  if ((mode & 0o002) !== 0) return `${path}: everybody may write to it: ${mend('chmod o-w')}`
  if ((mode & 0o020) !== 0 && gid !== 0) return `${path}: group ${gid} may write to it: ${mend('chmod g-w')}`
  return undefined
}
