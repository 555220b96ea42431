import type { ChildProcess } from 'node:child_process'
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { constants as os, tmpdir } from 'node:os'
import type { Writable } from 'node:stream'
import { execa, execaSync, type Options } from 'execa'
import { busyBoxIn } from './busybox.ts'
import type { Answer, RunOptions, System } from './machine.ts'
import { readText, readUntil, writeText } from './disk.ts'
import { codeOf, CannotRun, FileError, Interrupted, LockBusy } from './errors.ts'
import type { Stop } from './stop.ts'
import { waitLive } from './wait.ts'

export interface LiveOptions {
  /** When it fires, the program that is running is ended and nothing more is started. */
  signal?: Stop
  /**
   * A process group for each program, so that ending it reaches what it has started. Off in the script that
   * ctdb-eventd starts: eventd ends the script's own group, and everything must be in it.
   */
  ownGroups?: boolean
  /** Told, and waited for, before a program is ended that used up its time: the moment to look at it, with its output. */
  beforeEnd?: (pid: number, soFar: string) => Promise<void>
  /** Reasons of the signal for which a program is not asked to end, but ended. */
  atOnce?: (reason: unknown) => boolean
}

/** What we use of execa's result; its own type changes with every option. */
type Child = Partial<Pick<ChildProcess, 'pid' | 'stdin' | 'stdout' | 'stderr' | 'unref'>> &
  Promise<{
    exitCode?: number
    signal?: NodeJS.Signals
    code?: string
    stdout?: unknown
    stderr?: unknown
  }>

/** From TERM to KILL: CTDB's own scripts and `ip` need far less, and an admin is waiting. */
const GRACE_MS = 2000
/** From KILL to the end of a program: what needs longer waits for a disk, and may never end. */
const KILLED_MS = 200

/** The real machine. The only place that starts programs. */
export function live({ signal, ownGroups = true, beforeEnd, atOnce }: LiveOptions = {}): System {
  return {
    async run(_verb, argv, options) {
      // the engine leaves a handler 2.5 s for this when its time is up
      if (!options.undo) signal?.throwIfAborted()
      if (options.announcement) return startAndForget(argv)
      return options.combined ? await runScript(argv) : await runProgram(argv, options)
    },
    // oxlint-disable-next-line require-await -- so that a failure is a rejection
    read: async (path, until) => (until ? readUntil(path, until, signal) : readText(path)),
    async write(path, text) {
      signal?.throwIfAborted()
      writeText(path, text)
    },
    async hold(lock, seconds, { shared = false } = {}) {
      signal?.throwIfAborted()
      return await hold(lock, seconds, shared, (argv, fd) =>
        finish(argv, start(argv, { stdio: ['ignore', 'pipe', 'pipe', fd] })),
      )
    },
    find: (program) => Promise.resolve(find(program)),
    wait: (ms) => waitLive(ms, signal),
  }

  async function runProgram(argv: readonly string[], { input }: RunOptions): Promise<Answer> {
    const stdin = input === undefined ? { stdin: 'ignore' as const } : { input }
    return await finish(argv, start(argv, { ...stdin, env: { LC_ALL: 'C' } }))
  }

  /**
   * Both outputs go into one file rather than a pipe: their order is kept, a script never waits for us, and a daemon
   * that the script leaves behind cannot keep us waiting for the end of a pipe.
   */
  async function runScript(argv: readonly string[]): Promise<Answer> {
    const fd = openOutput()
    try {
      // by its bare name, as ctdb-eventd calls it; a `#!` script never sees that
      const argv0 = basename(argv[0] ?? '').replace(/\.script$/, '')
      const sink = fd ?? ('ignore' as const)
      const ended = await finish(argv, start(argv, { stdio: ['ignore', sink, sink], argv0 }), () =>
        outputOf(fd),
      )
      return { ...ended, out: outputOf(fd) }
    } catch (error) {
      if (error instanceof Interrupted) error.output = outputOf(fd)
      throw error
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  function start([program = '', ...words]: readonly string[], options: object): Child {
    const all = {
      ...options,
      cwd: here(),
      reject: false,
      stripFinalNewline: false,
      detached: ownGroups,
    } as Options
    return execa(program, words, all) as Child
  }

  async function finish(argv: readonly string[], child: Child, soFar = () => ''): Promise<Answer> {
    const began = Date.now()
    let onAbort: (() => void) | undefined
    const aborted = new Promise<'aborted'>((resolve) => {
      onAbort = () => resolve('aborted')
      signal?.addEventListener('abort', onAbort)
    })
    const ended = await Promise.race([child, aborted])
    if (onAbort) signal?.removeEventListener('abort', onAbort)
    if (ended === 'aborted') {
      const hard = atOnce?.(signal?.reason) ?? false
      if (!hard && child.pid !== undefined) await beforeEnd?.(child.pid, soFar())
      await end(child, ownGroups, hard)
      throw new Interrupted(argv, Date.now() - began, signal?.reason)
    }
    if (ended.exitCode === undefined && ended.signal === undefined)
      throw notStarted(argv[0] ?? '', ended.code)
    const killed = ended.signal === undefined ? 0 : 128 + os.signals[ended.signal]
    const { exitCode: status = killed, signal: by } = ended
    const answer = { status, out: asText(ended.stdout), err: asText(ended.stderr) }
    return by === undefined ? answer : { ...answer, signal: by }
  }
}

/** Below that many bytes left, the output of a script goes to another file system, if there is one. */
const ENOUGH = 16 * 1024 * 1024
/** Bytes of it that are read. */
const MOST_OUTPUT = 16 * 1024 * 1024

/**
 * A file for a script's output. It loses its name at once: none can be foreseen by others on the machine, and nothing
 * is left behind when we are killed. Undefined when no file can be had: the script is to run all the same.
 */
function openOutput(): number | undefined {
  const folders = [tmpdir(), '/dev/shm', '/run']
  for (const folder of [...folders.filter(hasRoom), ...folders]) {
    let own: string | undefined
    try {
      own = mkdtempSync(join(folder, 'eventscript.'))
      return openSync(join(own, 'out'), 'ax+', 0o600)
    } catch {
      // the next may be better
    } finally {
      if (own !== undefined) rmSync(own, { recursive: true, force: true })
    }
  }
  return undefined
}

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize > ENOUGH
  } catch {
    return false
  }
}

/** Never throws: whoever asks has a script to end. */
function outputOf(fd: number | undefined): string {
  if (fd === undefined) return 'its output is lost: no file for it could be opened\n'
  try {
    const { size } = fstatSync(fd)
    const bytes = Buffer.alloc(Math.min(size, MOST_OUTPUT))
    const text = bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0))
    return size > MOST_OUTPUT ? `${text}\n… and ${size - MOST_OUTPUT} bytes more\n` : text
  } catch (error) {
    return `its output is lost: ${codeOf(error)}\n`
  }
}

/** Our working directory. From one that has been removed nothing can be started: that would look like a missing program. */
function here(): string {
  try {
    const folder = process.cwd()
    statSync(folder)
    return folder
  } catch {
    return '/'
  }
}

function asText(output: unknown): string {
  return typeof output === 'string' ? output : ''
}

function notStarted(program: string, code: string | undefined): CannotRun {
  // execve says ENOENT for a missing interpreter and EACCES for a missing right to execute; and for a program that is in no
  // folder of PATH, when one of them is closed to this user
  const isNowhere = code === 'EACCES' && !program.includes('/') && find(program) === undefined
  return new CannotRun(program, isNowhere ? 'ENOENT' : (code ?? 'EIO'))
}

function startAndForget([program = '', ...words]: readonly string[]): Answer {
  const child = execa(program, words, { detached: true, cleanup: false, reject: false, stdio: 'ignore' })
  if (child.pid === undefined) throw new CannotRun(program, 'ENOENT')
  child.unref()
  return { status: 0, out: '', err: '' }
}

/** TERM, then KILL, to the whole group; `hard`: KILL. Back when the program has ended, or soon after the KILL. */
async function end(child: Child, group: boolean, hard: boolean): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const target = group ? -pid : pid
  if (!hard) {
    kill(target, 'SIGTERM')
    const gone = await endsWithin(child, GRACE_MS)
    // also when the program itself has ended: what it started may have ignored the TERM
    if (gone && !group) return
  }
  kill(target, 'SIGKILL')
  if (hard) await endsWithin(child, KILLED_MS)
  letGo(child)
}

async function endsWithin(child: Child, ms: number): Promise<boolean> {
  const ended = new AbortController()
  try {
    const late = sleep(ms, false, { signal: ended.signal }).catch(() => false)
    return await Promise.race([child.then(() => true), late])
  } finally {
    // else the timer would keep us running
    ended.abort()
  }
}

/** A program that no KILL ends (it waits for a disk), or one outside its group that has its pipes, must not keep us. */
function letGo(child: Child): void {
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy()
  child.unref?.()
}

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: gone already, which is what we want
  }
}

/**
 * node has no flock(2). `flock(1)` locks the descriptor that it inherits; the lock belongs to the open file,
 * which is ours too, so it stays when flock(1) has ended, and goes with the descriptor: also when we are killed.
 */
async function hold(
  lock: string,
  seconds: number,
  shared: boolean,
  run: (argv: string[], fd: number) => Promise<Answer>,
): Promise<() => Promise<void>> {
  const fd = openLock(lock)
  try {
    const { status, err } = await run(['flock', ...(shared ? ['-s'] : []), '-w', String(seconds), '3'], fd)
    if (status === 0) return () => Promise.resolve(closeSync(fd))
    if (busyBoxIn(err)) throw new CannotRun('flock', 'ENOTSUP')
    const why = err.trim() || `another process has held it for ${seconds} s: "fuser -v ${lock}" names it`
    throw new LockBusy(`cannot lock ${lock}: ${why}`)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openLock(lock: string): number {
  try {
    mkdirSync(dirname(lock), { recursive: true })
    return openSync(lock, 'a')
  } catch (error) {
    throw new FileError('open the lock', lock, codeOf(error))
  }
}

function find(program: string): string | undefined {
  if (program.includes('/')) return executable(program) ? program : undefined
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder || '.', program)).find(executable)
}

function executable(path: string): boolean {
  try {
    // most folders of PATH have no such program: an exception for each would be dear
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The system's log as a stream of lines, each with its priority before it (`<3>`), or none of them. */
export interface Logger {
  lines: Writable
  hasPriorities: boolean
  /** It has taken the last line. The kernel takes none under our pid when we are gone. */
  ended: Promise<unknown>
}

/**
 * One `logger` for as long as we live. That of util-linux takes a priority with each line, and files them under our own
 * pid; BusyBox's has one priority for all. A SIGTERM for the whole control group is none for it: it ends with its input,
 * after our last line.
 */
export function startLogger(tag: string): Logger {
  const version = execaSync('logger', ['--version'], { reject: false, stdin: 'ignore', timeout: 1000 })
  const hasPriorities = /util-linux/.test(version.stdout)
  const words = hasPriorities
    ? ['-t', tag, `--id=${process.pid}`, '--prio-prefix']
    : ['-t', `${tag}[${process.pid}]`]
  const command = [...words, '-p', 'daemon.notice']
  const child = execa('sh', ['-c', `trap '' TERM; exec logger "$@"`, 'sh', ...command], {
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
    reject: false,
  })
  return { lines: child.stdin, hasPriorities, ended: child }
}
