/**
 * Is the ctdbd of this node alive? Then its addresses are in use. A missing pid file proves nothing: its folder differs
 * from build to build, and may have been emptied. In doubt ctdbd is alive.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { ctdbPath } from '../../node/ctdb-path.ts'
import { codeOf, FileError } from '../../machine/errors.ts'
import { TrackedProcess } from './ctdbd-watch.ts'

/** The trace of a living ctdbd, such as `pid 12, /run/ctdb/ctdbd.pid`; undefined when there is no ctdbd. */
export async function signOfLife(): Promise<string | undefined> {
  return (
    byPidFile(await ctdbPath('pidfile ctdbd')) ?? byProcess() ?? byListener(await ctdbPath('socket ctdbd'))
  )
}

function byPidFile(file: string): string | undefined {
  const pid = Number.parseInt(readIfThere(file) ?? '', 10)
  if (!(pid > 0) || new TrackedProcess(pid).isGone()) return undefined
  // another process may have the pid by now
  return /\bctdbd\b/.test(readIfThere(`/proc/${pid}/cmdline`) ?? '') ? `pid ${pid}, ${file}` : undefined
}

/** The children of ctdbd have names of their own; a ctdbd in another network namespace is that of another node. */
function byProcess(): string | undefined {
  const here = readlinkSync('/proc/self/ns/net')
  const pid = readdirSync('/proc').find(
    (name) =>
      /^\d+$/.test(name) &&
      readIfThere(`/proc/${name}/comm`)?.trim() === 'ctdbd' &&
      networkOf(name) === here &&
      !new TrackedProcess(Number(name)).isGone(),
  )
  return pid === undefined ? undefined : `pid ${pid}, in this network namespace`
}

/** Undefined for a process that has gone, or of another user namespace: its listener is seen all the same. */
function networkOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}

/** Also finds a ctdbd whose process and files are hidden from us, as in a container with the network of its host. */
function byListener(socket: string): string | undefined {
  const path = listenersIn(readIfThere('/proc/net/unix') ?? '').find(
    (each) => each === socket || each.endsWith('/ctdbd.socket'),
  )
  return path === undefined ? undefined : `something listens on ${path}`
}

/** The paths in /proc/net/unix whose sockets wait for connections (__SO_ACCEPTCON of linux/net.h). */
export function listenersIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, flags = '0', path] = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +\d+ (\/.*)$/.exec(line) ?? []
    return path !== undefined && (parseInt(flags, 16) & 0x10000) !== 0 ? [path] : []
  })
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = codeOf(error)
    if (['ENOENT', 'ENOTDIR', 'ESRCH'].includes(code)) return undefined
    throw new FileError('read', file, code)
  }
}
