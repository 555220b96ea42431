import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { CannotRun, codeOf, FileError, LockBusy } from '../../machine/errors.ts'
import { helper, helperText } from '../../machine/live/libexec.ts'
import { startCoprocess, type Coprocess } from '../../machine/live/coprocess.ts'

const COMMAND = helper('lock-holder.sh')
const IN_PERL = helperText('lock-holder.pl')

/**
 * Takes and releases one flock(2), again and again. node has no flock(2), so a small process holds the lock; the process
 * goes with us, and the lock with it.
 */
export class LockHolder {
  readonly #path: string
  readonly #isShared: boolean
  #process: Coprocess | undefined
  #heard: ((line: string) => void) | undefined

  constructor(path: string, isShared: boolean) {
    this.#path = path
    this.#isShared = isShared
  }

  /** Of the process that holds the lock, or waits for it. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Rejects with LockBusy after so many seconds. */
  async take(seconds: number): Promise<void> {
    const path = this.#path
    mustBeOpenable(path)
    const status = await this.#talk(`${seconds}\n${this.#isShared ? 's' : 'x'}\n`)
    if (status === '0') return
    if (status === '127') throw new CannotRun('flock', 'ENOENT')
    if (status === '3') throw new CannotRun('flock', 'ENOTSUP')
    if (status === 'ended') throw new LockBusy(`cannot lock ${path}: the process that does it has ended`)
    throw new LockBusy(
      `cannot lock ${path}: another process has held it for ${seconds} s: "fuser -v ${path}" names it`,
    )
  }

  async letGo(): Promise<void> {
    if (this.#process) await this.#talk('leave\n')
  }

  close(): void {
    this.#process?.finish()
  }

  #talk(text: string): Promise<string> {
    return new Promise((resolve) => {
      this.#heard = resolve
      this.#process ??= startCoprocess([...COMMAND, this.#path, IN_PERL], {
        out: (line) => this.#heard?.(line.trim()),
        ended: () => {
          this.#process = undefined
          this.#heard?.('ended')
        },
      })
      this.#process.send(text)
    })
  }
}

function mustBeOpenable(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    closeSync(openSync(path, 'a'))
  } catch (error) {
    throw new FileError('open the lock', path, codeOf(error))
  }
}
