import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toBytes, toText } from '../bytes.ts'
import type { Readers, Until } from '../options.ts'
import { codeOf, FileError } from '../errors.ts'
import { dangling } from './far-file.ts'
import { DRAFT, replaceFile } from './new-file.ts'
import { modeFor, OPEN_FOLDER } from './readers.ts'
import type { Stop } from '../stop.ts'

/**
 * Small local files, read and written at once: going through node's thread pool costs an event a fifteenth of its
 * time, and CTDB's own daemon does it no otherwise.
 */
export function readText(path: string): string | undefined {
  try {
    return path.endsWith('/') ? readdirSync(path).toSorted().join('\n') : toText(readFileSync(path))
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
    if (isMissing && !isDangling(path)) return undefined
    throw isMissing ? dangling(path) : new FileError('read', path, codeOf(error))
  }
}

/** Is the part of a missing path that is there a link? Then its target is missing, such as a file system not mounted. */
function isDangling(path: string): boolean {
  for (let part = resolve(path); part !== '/'; part = dirname(part)) {
    const isLink = isLinkThere(part)
    if (isLink !== undefined) return isLink
  }
  return false
}

/** Undefined for a part that is not there: below a file the kernel says ENOTDIR. */
function isLinkThere(part: string): boolean | undefined {
  try {
    return lstatSync(part).isSymbolicLink()
  } catch {
    return undefined
  }
}

export async function readUntil(path: string, until: Until, signal?: Stop): Promise<string | undefined> {
  const last = performance.now() + until.limit
  for (;;) {
    signal?.throwIfAborted()
    const text = readText(path)
    if (text === undefined || until.wanted(text) || performance.now() > last) return text
    await sleep(until.every)
  }
}

/** For writing only: some sysctls (route/flush) cannot be opened for reading, not even by root. */
function writeEntry(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY)
  try {
    writeSync(fd, text)
  } finally {
    closeSync(fd)
  }
}

/**
 * What keeps an entry of /proc or /sys from being written to, by errno's name: it is opened for that, and closed again. Of an
 * ordinary user only what root would be refused as well, as anybody may rehearse what root will do.
 */
export function whyReadOnly(path: string): string | undefined {
  try {
    closeSync(openSync(path, constants.O_WRONLY))
    return undefined
  } catch (error) {
    const code = codeOf(error)
    const isRefused = code === 'EROFS' || (process.geteuid?.() === 0 && /^(EACCES|EPERM)$/.test(code))
    return isRefused ? code : undefined
  }
}

export function writeText(path: string, text: string, readers?: Readers): void {
  try {
    if (/^\/(proc|sys)\//.test(path)) return writeEntry(path, text)
    const { file, mode } = placeOf(path)
    mkdirSync(dirname(file), { recursive: true, mode: OPEN_FOLDER })
    removeDrafts(dirname(file))
    replaceFile(file, toBytes(text), modeFor(readers, mode))
  } catch (error) {
    throw new FileError('write', path, codeOf(error))
  }
}

/** Where an admin has made it a link to another, that one; and its mode. */
function placeOf(path: string): { file: string; mode?: number } {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there) return { file: realpathSync(path), mode: there.mode & 0o7777 }
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()
  return { file: isLink ? resolve(dirname(path), readlinkSync(path)) : path }
}

const OUR_DRAFT = /.\.eventscript\.new\.([1-9]\d{0,6})$/

/** A writer that was killed cannot remove its draft: the next that writes in that folder does. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const writer = name.includes(DRAFT) ? OUR_DRAFT.exec(name)?.[1] : undefined
    const path = join(folder, name)
    if (writer === undefined || isAlive(Number(writer))) continue
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) rmSync(path, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}
