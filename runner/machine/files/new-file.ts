import { constants, fchmodSync, lstatSync, openSync, rmSync } from 'node:fs'

const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants

/**
 * Opens a file that nobody else has made, with this mode whatever the umask; gives its descriptor. A link that another user has
 * put there is not followed. With `instead` an ordinary file that is there goes first; a link or a device stays. Throws what the
 * system says: EEXIST where something is there.
 */
export function newFile(path: string, mode: number, instead = false): number {
  if (instead && lstatSync(path, { throwIfNoEntry: false })?.isFile()) rmSync(path)
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  fchmodSync(fd, mode)
  return fd
}
