import { Refusal } from '../refusal.ts'
import { toShell } from './argv.ts'

/** A file or program of the machine that refused us; `code` is errno's name. */
export class FileError extends Refusal {
  override name = 'FileError'
  readonly code: string
  constructor(doing: string, path: string, code: string) {
    super(`cannot ${doing} ${path}: ${MEANING[code] ?? code}`)
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

const MEANING: Record<string, string> = {
  EACCES: 'permission denied: run as root',
  EPERM: 'not permitted: run as root',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory, expected a file',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is no directory',
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
  return `${program}: cannot be executed: ${MEANING[code] ?? code}`
}

/** Debian's package for each program that we start, by name. */
const PACKAGES: Record<string, string> = {
  ip: 'iproute2',
  ss: 'iproute2',
  iptables: 'iptables',
  ip6tables: 'iptables',
  arping: 'iputils-arping',
  ndptool: 'libndp-tools',
  ndisc6: 'ndisc6',
  ctdb: 'ctdb',
  ctdb_killtcp: 'ctdb',
  flock: 'util-linux',
  ps: 'procps',
  ipvsadm: 'ipvsadm',
}

/** What to install to get a program: `install iproute2`. */
export function packageOf(program: string): string | undefined {
  const name = PACKAGES[program]
  return name && `install ${name}`
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

/** What the kernel calls it, `ENOENT`. */
export function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : String(error)
}
