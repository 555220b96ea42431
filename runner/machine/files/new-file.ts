import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { codeOf } from '../errors.ts'
import { PRIVATE } from './readers.ts'

const { O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants

/**
 * Follows the name of a file that is not whole yet; after it comes the pid of the writer. Our name stands in it, as the
 * folder may be another's: in /etc/iproute2, `rt_tables.new.20240101` is an admin's.
 */
export const DRAFT = '.eventscript.new.'

/**
 * Opens a file that nobody else has made, with this mode whatever the umask; gives its descriptor. A link that another user has
 * put there is not followed. With `instead` an ordinary file that is there goes first; a link or a device stays. Throws what the
 * system says: EEXIST where something is there.
 */
export function newFile(path: string, mode: number, instead = false): number {
  if (instead && lstatSync(path, { throwIfNoEntry: false })?.isFile()) rmSync(path)
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE)
  fchmodSync(fd, mode)
  return fd
}

/**
 * Puts a text in the place of a file as a whole. Of the draft's name, what a process with our pid has left, or another user has
 * planted, goes first: only the name goes, so nothing that a link leads to is touched. Throws what the system says.
 */
export function replaceFile(file: string, bytes: Buffer | string, mode: number): void {
  const draft = `${file}${DRAFT}${process.pid}`
  removeName(draft)
  const fd = newFile(draft, mode)
  try {
    writeFileSync(fd, bytes)
    renameSync(draft, file)
  } catch (error) {
    removeName(draft)
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Opens a file of ours to be appended to; from now on nobody else can open it. Throws what the system says: ELOOP for a link. */
export function openOurs(path: string): number {
  const fd = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, PRIVATE)
  const { uid, mode } = fstatSync(fd)
  if (uid === process.geteuid?.() && (mode & 0o077) !== 0) fchmodSync(fd, PRIVATE)
  return fd
}

function removeName(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
