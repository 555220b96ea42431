/**
 * Is the ctdbd of this node alive? Then its addresses are in use. A missing pid file proves nothing: its folder differs
 * from build to build, and may have been emptied. In doubt ctdbd is alive. But any user can start a process of that name, or
 * listen on a path of that name: what is surely not root's says nothing.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { ctdbPath } from '../../node/ctdb-path.ts'
import { allPids } from '../../machine/files/proc.ts'
import { areStrangers, commandLine, usersOf } from '../../machine/files/process-users.ts'
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
  return /\bctdbd\b/.test(commandLine(pid)) ? `pid ${pid}, ${file}` : undefined
}

/** The children of ctdbd have names of their own; a ctdbd in another network namespace is that of another node. */
function byProcess(): string | undefined {
  const here = readlinkSync('/proc/self/ns/net')
  const pid = allPids().find(
    (each) =>
      readIfThere(`/proc/${each}/comm`)?.trim() === 'ctdbd' &&
      networkOf(each) === here &&
      !areStrangers(usersOf(each)) &&
      !new TrackedProcess(each).isGone(),
  )
  return pid === undefined ? undefined : `pid ${pid}, in this network namespace`
}

/** Undefined for a process that has gone, or of another user namespace: its listener is seen all the same. */
function networkOf(pid: number): string | undefined {
  return linkAt(`/proc/${pid}/ns/net`)
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** Also finds a ctdbd whose process and files are hidden from us, as in a container with the network of its host. */
function byListener(socket: string): string | undefined {
  const found = listenersIn(readIfThere('/proc/net/unix') ?? '').find(
    ({ path, inode }) => (path === socket || path.endsWith('/ctdbd.socket')) && !isOfStrangers(inode),
  )
  return found && `something listens on ${found.path}`
}

/** Do other users have this socket open, and nobody else? A socket whose process is hidden from us may be root's. */
function isOfStrangers(inode: string): boolean {
  const owners = allPids().filter((pid) => hasSocket(pid, inode))
  return owners.length > 0 && owners.every((pid) => areStrangers(usersOf(pid)))
}

function hasSocket(pid: number, inode: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`
    return readdirSync(folder).some((fd) => linkAt(`${folder}/${fd}`) === `socket:[${inode}]`)
  } catch {
    return false
  }
}

/** The sockets in /proc/net/unix that have a path and wait for connections (__SO_ACCEPTCON of linux/net.h). */
export function listenersIn(text: string): { path: string; inode: string }[] {
  return text.split('\n').flatMap((line) => {
    const [, flags = '0', inode = '', path] =
      /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? []
    return path !== undefined && (parseInt(flags, 16) & 0x10000) !== 0 ? [{ path, inode }] : []
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
