import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { CannotRun, codeOf, FileError, LockBusy } from '../../machine/errors.ts'
import { helper } from '../../machine/live/libexec.ts'
import { startCoprocess, type Coprocess } from '../../machine/live/coprocess.ts'

/** Takes and leaves one flock(2), again and again. */
export interface LockHolder {
  /** Rejects with LockBusy after so many seconds. */
  take: (seconds: number) => Promise<void>
  letGo: () => Promise<void>
  /** Of the process that has it, or waits for it. */
  pid: () => number | undefined
  close: () => void
}

/** node has no flock(2), so a small process has the lock; it goes with us, and the lock with it. */
export function flockHolder(path: string, shared: boolean): LockHolder {
  let process: Coprocess | undefined
  let heard: ((line: string) => void) | undefined

  const talk = (text: string): Promise<string> =>
    new Promise((resolve) => {
      heard = resolve
      process ??= startCoprocess(['sh', helper('lock-holder.sh'), path], {
        out: (line) => heard?.(line.trim()),
        ended() {
          process = undefined
          heard?.('ended')
        },
      })
      process.send(text)
    })

  return {
    async take(seconds) {
      mustBeOpenable(path)
      const status = await talk(`${seconds}\n${shared ? 's' : 'x'}\n`)
      if (status === '0') return
      if (status === '127') throw new CannotRun('flock', 'ENOENT')
      if (status === '3') throw new CannotRun('flock', 'ENOTSUP')
      if (status === 'ended') throw new LockBusy(`cannot lock ${path}: the process that does it has ended`)
      throw new LockBusy(
        `cannot lock ${path}: another process has held it for ${seconds} s: "fuser -v ${path}" names it`,
      )
    },
    async letGo() {
      if (process) await talk('leave\n')
    },
    pid: () => process?.pid,
    close: () => process?.finish(),
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
