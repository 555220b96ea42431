import { setTimeout as sleep } from 'node:timers/promises'
import { ANNOUNCE } from '../machine/announcement.ts'
import { allPids } from '../machine/files/proc.ts'
import { commandLine } from '../machine/files/process-users.ts'

const LOOK_EVERY_MS = 100

/** Wait until no event runs these programs as processes; gives the pids of those that still run after so many seconds. */
export async function scriptsEnded(programs: ReadonlySet<string>, seconds: number): Promise<number[]> {
  const last = performance.now() + seconds * 1000
  for (;;) {
    const left = runningNow(programs)
    if (left.length === 0 || performance.now() > last) return left
    await sleep(LOOK_EVERY_MS)
  }
}

function runningNow(programs: ReadonlySet<string>): number[] {
  return allPids().filter((pid) => pid !== process.pid && isRunning(pid, programs))
}

function isRunning(pid: number, programs: ReadonlySet<string>): boolean {
  const [interpreter = '', program = '', event] = commandLine(pid).split('\0')
  return /(^|\/)node$/.test(interpreter) && programs.has(program) && event !== ANNOUNCE
}
