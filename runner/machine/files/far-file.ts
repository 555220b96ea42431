/**
 * Files whose file system may not answer (may-hang.ts) are read by a child, `cat` or `ls`. Node's own threads are no way
 * out: a read that hangs there keeps the process from ending.
 */
import { execa } from 'execa'
import { toText } from '../bytes.ts'
import { FileError, Interrupted } from '../errors.ts'
import type { Readers } from '../options.ts'
import type { Stop } from '../stop.ts'
import { DRAFT } from './new-file.ts'
import { modeFor } from './readers.ts'

/** How a far file is read. */
export interface FarRead {
  /** A link leads to the file, and may dangle. */
  isLinked: boolean
  /** Milliseconds after which the file counts as one that cannot be read. */
  within?: number
  signal?: Stop
}

/** A child that reads, for all who want that file. */
interface Reader {
  done: Promise<string | undefined>
  waiting: number
  /** Nobody waits any longer. A child that waits for a disk may survive its KILL. */
  abandon: () => void
}

const atWork = new Map<string, Reader>()

/** More than any list has; a device may never end. */
const MOST_BYTES = 16 * 2 ** 20

/**
 * The text of a file, or the names in a folder; undefined when there is none of that name. Rejects with a FileError, ETIMEDOUT
 * when no answer came `within` so many milliseconds, and with Interrupted when `signal` came first.
 */
export function readFar(path: string, { isLinked, within, signal }: FarRead): Promise<string | undefined> {
  const began = Date.now()
  const reader = atWork.get(path) ?? startReader(path, isLinked)
  reader.waiting++
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      signal?.removeEventListener('abort', interrupt)
      clearTimeout(timer)
      if (--reader.waiting === 0) reader.abandon()
    }
    const interrupt = () => {
      leave()
      reject(new Interrupted(['read', path], Date.now() - began, signal?.reason))
    }
    const giveUp = () => {
      leave()
      reject(new FileError('read', path, 'ETIMEDOUT'))
    }
    const timer = within === undefined ? undefined : setTimeout(giveUp, within)
    if (signal?.aborted) return interrupt()
    signal?.addEventListener('abort', interrupt)
    const end = (settle: () => void) => {
      leave()
      settle()
    }
    reader.done.then(
      (text) => end(() => resolve(text)),
      (error: Error) => end(() => reject(error)),
    )
  })
}

/** A link whose target is missing: nobody can say what is there. */
export function dangling(path: string): FileError {
  return new FileError('read', path, 'DANGLING')
}

function startReader(path: string, isLinked: boolean): Reader {
  let child = start(path.endsWith('/') ? ['ls', '-1A', '--', path] : ['cat', '--', path])
  const look = async () => {
    const text = await textOf(path, child)
    if (text !== undefined || !isLinked) return text
    child = start(['sh', '-c', DANGLES, 'sh', path])
    if ((await child).exitCode === 0) throw dangling(path)
    return undefined
  }
  const forget = () => void (atWork.get(path) === reader && atWork.delete(path))
  const done = look().finally(forget)
  done.catch(() => {}) // those who wait hear of it
  const abandon = () => {
    forget()
    child.kill('SIGKILL')
    child.stdout.destroy()
    child.stderr.destroy()
    child.unref()
  }
  const reader: Reader = { done, waiting: 0, abandon }
  atWork.set(path, reader)
  return reader
}

/** Succeeds when the part of a missing path that is there is a link: then its target is missing. One process, so that one KILL ends it. */
const DANGLES =
  'p=${1%/}; while [ -n "$p" ]; do [ ! -e "$p" ] || exit 1; [ ! -L "$p" ] || exit 0; p=${p%/*}; done; exit 1'

function start([program = '', ...words]: readonly string[]) {
  return execa(program, words, {
    stdin: 'ignore',
    encoding: 'buffer',
    env: { LC_ALL: 'C' },
    cwd: '/',
    reject: false,
    stripFinalNewline: false,
    maxBuffer: MOST_BYTES,
    // it ends with us, also by a signal
    cleanup: true,
    killSignal: 'SIGKILL',
  })
}

async function textOf(path: string, child: ReturnType<typeof start>): Promise<string | undefined> {
  const { exitCode, stdout, stderr, isMaxBuffer, code } = await child
  if (isMaxBuffer) throw new FileError('read', path, 'EFBIG')
  const text = toText(Buffer.from(stdout))
  if (exitCode === 0) return path.endsWith('/') ? text.trimEnd() : text
  const known = code ?? codeIn(Buffer.from(stderr ?? []).toString())
  if (known === 'ENOENT' || known === 'ENOTDIR') return undefined
  throw new FileError('read', path, known)
}

/** The errno's name in what such a child has said last. */
export function codeIn(said: string): string {
  return CODES.find(([meaning]) => said.trimEnd().endsWith(meaning))?.[1] ?? 'EIO'
}

/**
 * A command that replaces a file as a whole with its input, through a link. The draft is in a folder that nobody else could make
 * or look into: a link of another user is not followed.
 */
export function writerOf(path: string, readers?: Readers): [string, ...string[]] {
  const script =
    `f=$(readlink -f -- "$3") && d=$f${DRAFT}$$ && rm -rf -- "$d" && mkdir -m 700 -- "$d" && trap 'rm -rf -- "$d"' EXIT && ` +
    'if [ -e "$f" ]; then cp -p -- "$f" "$d/new"; m=$2; else m=$1; fi && cat >"$d/new" && ' +
    '{ [ -z "$m" ] || chmod "$m" "$d/new"; } && mv -f -- "$d/new" "$f"'
  const mode = modeFor(readers).toString(8)
  return ['sh', '-c', script, 'sh', mode, readers === 'all' ? '' : mode, path]
}

/** The words of strerror(3) after which a reader ends, by errno's name. */
const CODES: readonly (readonly [string, string])[] = [
  ['No such file or directory', 'ENOENT'],
  ['Not a directory', 'ENOTDIR'],
  ['Permission denied', 'EACCES'],
  ['Operation not permitted', 'EPERM'],
  ['Is a directory', 'EISDIR'],
  ['Too many levels of symbolic links', 'ELOOP'],
  ['Transport endpoint is not connected', 'ENOTCONN'],
  ['Stale file handle', 'ESTALE'],
  ['Connection timed out', 'ETIMEDOUT'],
  ['Host is down', 'EHOSTDOWN'],
  ['Read-only file system', 'EROFS'],
  ['No space left on device', 'ENOSPC'],
  ['File exists', 'EEXIST'],
]
