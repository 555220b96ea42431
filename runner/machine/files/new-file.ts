import { constants, fchmodSync, openSync, rmSync } from 'node:fs'

const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants

/**
 * Opens a file that nobody else has made, with this mode whatever the umask; gives its descriptor. A link that another user has
 * put there is not followed. With `instead` what is there goes first. Throws what the system says: EEXIST where one is there.
 */
export function newFile(path: string, mode: number, instead = false): number {
  if (instead) rmSync(path, { force: true })
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  fchmodSync(fd, mode)
  return fd
}
