import { inTime } from '../wait.ts'

/** What we use of execa's result; its own type changes with every option. */
export type Child = { pid?: number; unref?: () => void } & Partial<
  Record<'stdin' | 'stdout' | 'stderr', { destroy: () => unknown } | null>
> &
  Promise<{
    exitCode?: number
    signal?: NodeJS.Signals
    code?: string
    stdout?: unknown
    stderr?: unknown
  }>

/** From TERM to KILL: CTDB's own scripts and `ip` need far less, and an admin is waiting. */
export const GRACE_MS = 2000
/** From KILL to the end of a program: what needs longer waits for a disk, and may never end. */
export const KILLED_MS = 200

/** TERM, then KILL, to the whole group; `hard`: KILL. Back when the program has ended, or soon after the KILL. */
export async function endProgram(child: Child, group: boolean, hard: boolean): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const target = group ? -pid : pid
  let gone = false
  if (!hard) {
    kill(target, 'SIGTERM')
    gone = await endsWithin(child, GRACE_MS)
    // also when the program itself has ended: what it started may have ignored the TERM
    if (gone && !group) return
  }
  kill(target, 'SIGKILL')
  // a call to the kernel that has begun is still done: what comes next must find its result
  if (!gone) await endsWithin(child, KILLED_MS)
  letGo(child)
}

async function endsWithin(child: Child, ms: number): Promise<boolean> {
  return (await inTime(ms, child)) !== 'late'
}

/** A program that no KILL ends (it waits for a disk), or one outside its group that has its pipes, must not keep us. */
function letGo(child: Child): void {
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy()
  child.unref?.()
}

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: gone already, which is what we want
  }
}
