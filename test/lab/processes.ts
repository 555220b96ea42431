/** The processes that a lab has started: they have its folder in their environment. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Process {
  pid: number
  command: string
}

export function processesOf(dir: string): Process[] {
  const mark = `CTDB_BASE=${dir}/etc\0`
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      if (!readFileSync(`/proc/${entry}/environ`, 'latin1').includes(mark)) return []
      return [
        { pid: Number(entry), command: readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ') },
      ]
    } catch {
      return [] // it has ended meanwhile, or is somebody else's
    }
  })
}

/** End all that is still there, but for the `cat` that holds a namespace, which ends when the lab closes. */
export function endProcesses(dir: string): void {
  for (const { pid, command } of processesOf(dir)) {
    if (command.trim() === 'cat') continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has ended with the one before
    }
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
