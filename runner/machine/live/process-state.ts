/** Small files of /proc that never keep the reader waiting, whatever the process hangs in (proc(5)). */
import { allPids, procText, procTextOr } from '../files/proc.ts'

/** Is a signal (SIGSTOP) or a debugger keeping the process from going on? */
export function isStopped(pid: number): boolean {
  return /^[Tt]$/.test(stateLetter(pid))
}

/** Also a process whose parent has not asked for its end yet. */
export function hasEnded(pid: number): boolean {
  return /^[ZX]?$/.test(stateLetter(pid))
}

/** NaN for a process that has gone. */
export function processGroup(pid: number): number {
  return Number(statFields(pid)[2])
}

export function processName(pid: number): string {
  return procTextOr(`/proc/${pid}/comm`, '?').trim()
}

/**
 * Does this process, which does nothing but start a program and wait for its end, do so now? In doubt it does: not every kernel lists
 * the children of a process.
 */
export function isAwaitingChild(pid: number): boolean {
  if (isStopped(pid)) return false
  const children = procTextOr(`/proc/${pid}/task/${pid}/children`, undefined)
  if (children === undefined) return true
  return children.split(' ').some((child) => child !== '' && !hasEnded(Number(child)))
}

/** Changes when the number of a process is given to another process; empty for a process that has gone. */
export function processStart(pid: number): string {
  return statFields(pid)[19] ?? ''
}

/** The processes of these numbers, those of the process group `group`, and all that descend from any of them now. */
export function processFamily(tops: readonly number[], group: number): number[] {
  const parents = new Map<number, number>()
  const found = new Set<number>(tops)
  for (const pid of allPids()) {
    const [, parent, itsGroup] = statFields(pid)
    parents.set(pid, Number(parent))
    if (Number(itsGroup) === group) found.add(pid)
  }
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid)
  }
  return [...found]
}

const stateLetter = (pid: number) => statFields(pid)[0] ?? ''

/** `12 (name) S 1 12 …`: the state and what follows, as the name may hold blanks and brackets itself. */
function statFields(pid: number): string[] {
  const stat = procText(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
