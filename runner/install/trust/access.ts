import { lstatSync } from 'node:fs'
import { toShell } from '../../machine/argv.ts'
import { isPersons } from './homes.ts'

export interface Access {
  path: string
  kind: 'folder' | 'link' | 'file'
  uid: number
  gid: number
  mode: number
}

/** What was seen, and the command that repairs it. None for what a person owns: to take it from them repairs nothing. */
export interface Open {
  seen: string
  repair?: string
}

export function accessOf(path: string): Access {
  const status = lstatSync(path)
  const kind = status.isDirectory() ? 'folder' : status.isSymbolicLink() ? 'link' : 'file'
  return { path, kind, uid: status.uid, gid: status.gid, mode: status.mode }
}

/**
 * Who besides root may write to this path; undefined: nobody. In a sticky folder such as /tmp others can only add names, which
 * is harmless unless root looks there for names (`isSearched`).
 */
export function writableBy(access: Access, { isSearched = false } = {}): Open | undefined {
  const { path, kind, uid, gid, mode } = access
  const repair = (...command: string[]) => toShell([...command, path])
  if (uid !== 0) {
    const seen = `owned by user ${uid}, expected root`
    return isPersons(path, uid)
      ? { seen }
      : { seen, repair: repair('chown', ...(kind === 'link' ? ['-h'] : []), 'root') }
  }
  // only the owner of a link matters: its mode is always 777
  if (kind === 'link' || (kind === 'folder' && (mode & 0o1000) !== 0 && !isSearched)) return undefined
  if ((mode & 0o002) !== 0) return { seen: 'everybody may write to it', repair: repair('chmod', 'o-w') }
  if ((mode & 0o020) !== 0 && gid !== 0)
    return { seen: `group ${gid} may write to it`, repair: repair('chmod', 'g-w') }
  return undefined
}
