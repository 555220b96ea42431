import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../errors.ts'

/** Below that many bytes left, the output of a script goes to another file system, if there is one. */
const ENOUGH = 16 * 1024 * 1024
/** Bytes of the output that are kept: its beginning. */
const KEPT = 1024 * 1024
/** Milliseconds between two looks at a file that a script writes to: a script that prints for ever writes 0.5 GB in a second. */
const LOOK_EVERY_MS = 20

/**
 * Where both outputs of a script go. A file rather than a pipe: their order is kept, a script never waits for us, and a
 * daemon that the script leaves running cannot keep us waiting for the end of a pipe. What is too much is cut off while the script
 * runs, so the file fills no disk.
 */
export class ScriptOutput {
  /** Undefined when no file can be had: the script is to run all the same. */
  readonly fd: number | undefined = openOutput()
  readonly #watch: NodeJS.Timeout | undefined
  #dropped = 0

  constructor() {
    if (this.fd !== undefined) this.#watch = setInterval(() => this.#tryCutting(), LOOK_EVERY_MS)
  }

  /** Never throws: the caller has a script to end. */
  text(): string {
    if (this.fd === undefined) return 'its output is lost: no file for it could be opened\n'
    try {
      this.#cut(this.fd)
      const bytes = Buffer.alloc(Math.min(fstatSync(this.fd).size, KEPT))
      const text = bytes.toString('utf8', 0, readSync(this.fd, bytes, 0, bytes.length, 0))
      return this.#dropped > 0 ? `${text}\n… and ${this.#dropped} bytes more\n` : text
    } catch (error) {
      return `its output is lost: ${codeOf(error)}\n`
    }
  }

  close(): void {
    clearInterval(this.#watch)
    if (this.fd !== undefined) closeSync(this.fd)
  }

  /** The script writes at the end, wherever that is: the file was opened to be appended to. */
  #cut(fd: number): void {
    const { size } = fstatSync(fd)
    if (size <= KEPT) return
    ftruncateSync(fd, KEPT)
    this.#dropped += size - KEPT
  }

  #tryCutting(): void {
    try {
      if (this.fd !== undefined) this.#cut(this.fd)
    } catch {
      // a disk that fails: `text` says so
    }
  }
}

/**
 * The file loses its name at once: none can be foreseen by others on the machine, and nothing stays when we are
 * killed.
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
