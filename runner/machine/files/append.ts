import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { codeOf, FileError } from '../errors.ts'
import { PRIVATE } from './readers.ts'

const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = fs.constants

/** Files of that name that may be moved away while one text is written. */
const MOST_MOVES = 10

type Maybe<T> = T | Promise<T>
type Status = Pick<fs.Stats, 'dev' | 'ino' | 'mode' | 'size' | 'uid'>

/** The calls of the kernel that appending needs. */
export interface AppendCalls {
  open: (path: string, flags: number, mode: number) => Maybe<number>
  fstat: (fd: number) => Maybe<Status>
  stat: (path: string) => Maybe<Status>
  fchmod: (fd: number, mode: number) => Maybe<void>
  read: (fd: number, into: Buffer, position: number) => Maybe<unknown>
  write: (fd: number, bytes: Buffer) => Maybe<number>
  close: (fd: number) => Maybe<void>
}

/** At once, in this thread: for a process that does nothing else meanwhile. */
export const AT_ONCE: AppendCalls = {
  open: fs.openSync,
  fstat: fs.fstatSync,
  stat: fs.statSync,
  fchmod: fs.fchmodSync,
  read: (fd, into, position) => fs.readSync(fd, into, 0, into.length, position),
  write: (fd, bytes) => fs.writeSync(fd, bytes),
  close: fs.closeSync,
}

/** In other threads, while this one goes on: for a process that others wait for. The first such call of a process takes 1 to 2 ms. */
export const IN_THREADS: AppendCalls = {
  open: promisify(fs.open),
  fstat: promisify<number, Status>(fs.fstat),
  stat: promisify<string, Status>(fs.stat),
  fchmod: promisify(fs.fchmod),
  read: (fd, into, position) => promisify(fs.read)(fd, into, 0, into.length, position),
  write: async (fd, bytes) => (await promisify(fs.write)(fd, bytes)).bytesWritten,
  close: promisify(fs.close),
}

/**
 * Appends whole lines to a file for root alone, in one write: lines of several writers stand beside each other, none in
 * another. Nobody takes a lock, so a reader may move the file away at any moment; then the text is appended to the next file of that
 * name as well. The reader sees it once or twice, never not at all. Gives the size in bytes. Throws what the system says:
 * ELOOP for a link.
 */
export async function appendLines(path: string, text: string, calls = AT_ONCE): Promise<number> {
  for (let moves = 0; moves < MOST_MOVES; moves += 1) {
    // oxlint-disable-next-line no-await-in-loop -- the next file is there when this one has gone
    const { size, isThere } = await appendOnce(path, text, calls)
    if (isThere) return size
  }
  throw new FileError('write', path, 'EAGAIN')
}

async function appendOnce(path: string, text: string, calls: AppendCalls) {
  const fd = await calls.open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, PRIVATE)
  try {
    const { size, ino, dev, uid, mode } = await calls.fstat(fd)
    // nobody else can open the file from now on
    if (uid === process.geteuid?.() && (mode & 0o077) !== 0) await calls.fchmod(fd, PRIVATE)
    const bytes = Buffer.from((await endsWell(fd, size, calls)) ? text : `\n${text}`)
    const written = await calls.write(fd, bytes)
    if (written < bytes.length) throw new FileError('write', path, 'ENOSPC')
    const now = await statusOf(path, calls)
    return { size: size + written, isThere: now?.ino === ino && now.dev === dev }
  } finally {
    await calls.close(fd)
  }
}

/** A full disk may have cut the last line short. */
async function endsWell(fd: number, size: number, calls: AppendCalls): Promise<boolean> {
  const last = Buffer.from('\n')
  if (size > 0) await calls.read(fd, last, size - 1)
  return last.toString() === '\n'
}

async function statusOf(path: string, calls: AppendCalls): Promise<Status | undefined> {
  try {
    return await calls.stat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
