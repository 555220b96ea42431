import { procText } from './proc.ts'

/**
 * The real, effective, saved and file system user of a process. Root, where it cannot be told: nothing is taken from a process
 * that has just ended.
 */
export function usersOf(pid: number): number[] {
  const [, uids] = /^Uid:((?:\s+\d+)+)$/m.exec(procText(`/proc/${pid}/status`)) ?? []
  return uids?.trim().split(/\s+/).map(Number) ?? [0]
}

/** Is none of these users root, or who we are? Such a process says nothing about CTDB, whatever it calls itself. */
export function areStrangers(uids: readonly number[]): boolean {
  return !uids.some((uid) => uid === 0 || uid === process.geteuid?.())
}

/**
 * The words of a process, each with a NUL after it; nothing of a stranger's: these words are in their memory, which may be a
 * file of theirs that never answers, and anybody can write anything there.
 */
export function commandLine(pid: number): string {
  return areStrangers(usersOf(pid)) ? '' : procText(`/proc/${pid}/cmdline`)
}
