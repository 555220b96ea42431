import { readFileSync } from 'node:fs'

/**
 * The real, effective, saved and file system user of a process. Root, where it cannot be told: nothing is taken from a process
 * that has just ended.
 */
export function usersOf(pid: number): number[] {
  const [, uids] = /^Uid:((?:\s+\d+)+)$/m.exec(statusOf(pid)) ?? []
  return uids?.trim().split(/\s+/).map(Number) ?? [0]
}

/** Is none of these users root, or who we are? Such a process says nothing about CTDB, whatever it calls itself. */
export function areStrangers(uids: readonly number[]): boolean {
  return !uids.some((uid) => uid === 0 || uid === process.geteuid?.())
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}
