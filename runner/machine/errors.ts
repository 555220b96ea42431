import { Refusal } from '../base/refusal.ts'
import { toShell } from './argv.ts'
import type { Capability } from './remedy/capabilities.ts'
import { packageOf, toBeAllowed, toBeExecuted } from './remedy/remedy.ts'

/** A file or program of the machine that refused us; `code` is errno's name. */
export class FileError extends Refusal {
  override name = 'FileError'
  readonly code: string
  constructor(doing: string, path: string, code: string) {
    super(`cannot ${doing} ${path}: ${MEANING[code]?.(neededFor(path)) ?? code}`)
    this.code = code
  }
}

/** Another process kept a lock for the whole time that we were willing to wait. */
export class LockBusy extends Refusal {
  override name = 'LockBusy'
}

/** What was asked now and what a recording holds differ. Never a Refusal: no handler may take it for a "no". */
export class Mismatch extends Error {
  override name = 'Mismatch'
}

/** A program that is not there, or cannot be executed. */
export class CannotRun extends Refusal {
  override name = 'CannotRun'
  readonly code: string
  constructor(program: string, code: string) {
    super(whyCannotRun(program, code))
    this.code = code
  }
}

/** What errno's name means; of what was refused, the capability that would have allowed it. */
const MEANING: Record<string, (capability: Capability) => string> = {
  EACCES: (capability) => `permission denied: ${toBeAllowed(capability)}`,
  EPERM: (capability) => `not permitted: ${toBeAllowed(capability)}`,
  EROFS: () => 'the file system is read-only',
  ENOSPC: () => 'the disk is full',
  EISDIR: () => 'it is a directory, expected a file',
  ENOENT: () => 'no such file or directory',
  ENOTDIR: () => 'a part of the path is no directory',
  DANGLING: () => 'a link whose target does not exist (is its file system mounted?)',
  ETIMEDOUT: () => 'no answer, its file system hangs',
  ENOTCONN: () => 'its file system is not served any more (ENOTCONN)',
  ESTALE: () => 'its file system has gone on the server (ESTALE)',
  EFBIG: () => 'it does not end, expected a file of a few kilobytes',
}

function neededFor(path: string): Capability {
  return path.startsWith('/proc/sys/net/') ? 'CAP_NET_ADMIN' : 'CAP_DAC_OVERRIDE'
}

function whyCannotRun(program: string, code: string): string {
  const name = program.slice(program.lastIndexOf('/') + 1)
  const from = packageOf(name)
  if (code === 'ENOENT' && !program.includes('/'))
    return `${program}: not found in PATH: ${from ?? 'install it, or mend PATH'}`
  if (code === 'ENOENT')
    return `${program}: it, or the interpreter its first line names, does not exist${from ? `: ${from}` : ''}`
  if (code === 'ENOEXEC')
    return `${program}: cannot be executed: its first line is no "#!" with an interpreter`
  if (code === 'ENOTSUP') return `${program}: BusyBox's lacks options that we need: ${from}`
  if (code === 'EACCES') return `${program}: cannot be executed: permission denied: ${toBeExecuted()}`
  // by its file arping has a capability, and cannot be started where a container may not have it
  return `${program}: cannot be executed: ${MEANING[code]?.('CAP_NET_RAW') ?? code}`
}

/** A program that we had to end; `reason` is what the signal was fired with. */
export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly running: string
  readonly ms: number
  readonly reason: unknown
  /** What an executable handler had printed until then. */
  output = ''
  constructor(argv: readonly string[], ms: number, reason: unknown) {
    super(`"${toShell(argv)}" was ended after ${(ms / 1000).toFixed(1)} s`)
    this.running = toShell(argv)
    this.ms = ms
    this.reason = reason
  }
}

/** The reason of a signal that fires after a time, `AbortSignal.timeout`: what was to be done had not begun. */
export function isTimeUp(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}

/** The sentence for that. */
export const TIME_UP = 'the time was over: give a larger --timeout'

/** What the kernel calls it, `ENOENT`. */
export function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : String(error)
}
