/** The processes that a process has started: the helpers of our event daemon. */
import { readOr } from '../../lab/paths.ts'

export interface Child {
  pid: number
  command: string
}

export function childrenOf(pid: number): Child[] {
  return readOr(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter(Boolean)
    .map((child) => ({ pid: Number(child), command: commandOf(Number(child)) }))
}

/** A process that has ended, and that its parent has not asked for yet, has no words any more. */
export function isThere(pid: number): boolean {
  return commandOf(pid) !== ''
}

function commandOf(pid: number): string {
  return readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}
