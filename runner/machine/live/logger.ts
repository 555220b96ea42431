import type { Writable } from 'node:stream'
import { execa, execaSync } from 'execa'
import { helper } from './libexec.ts'

const [SHELL = '', ...LOG_LINES] = helper('log-lines.sh')

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
  const child = execa(SHELL, [...LOG_LINES, ...command], {
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
    reject: false,
  })
  return { lines: child.stdin, hasPriorities, ended: child }
}
