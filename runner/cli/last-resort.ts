import { Worker } from 'node:worker_threads'
import { hasFarMounts } from '../machine/files/may-hang.ts'

/** Seconds for a command that has no `--timeout`. */
export const UNTIMED_SECONDS = 60

/** Seconds beyond its time in which a command ends by itself, with all that it could see. */
const GRACE_SECONDS = 3

/** Runs in a thread of its own: where the first thread hangs in a look at a file, nothing there runs any more. */
const WATCH = `const { workerData: { ms, line } } = require('node:worker_threads')
setTimeout(() => {
  require('node:fs').writeSync(2, line)
  process.kill(process.pid, 'SIGKILL')
}, ms)`

/**
 * Ends this process by SIGKILL when it has not ended by itself. Files that may hang are read by children, and this is for a
 * look that nobody thought of. Nothing is started where every file system is local.
 */
export function endProcessAfter(name: string, seconds: number): void {
  if (!hasFarMounts()) return
  const line = `eventscript: ${name}: no end after ${seconds} s: a file system that it looks at hangs: "cat /proc/mounts" lists them\n`
  const workerData = { ms: (seconds + GRACE_SECONDS) * 1000, line }
  new Worker(WATCH, { eval: true, workerData, execArgv: [], env: {} }).unref()
}
