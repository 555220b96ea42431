import { inTime } from '../../machine/wait.ts'
import type { Door } from '../../machine/machine.ts'
import { lookAtHung, nothingSeen } from './look.ts'
import { hungReport } from './report.ts'

/** Milliseconds: the caller is at a deadline, and on a machine on which programs hang a look may hang as well. */
const MOST_MS = 2000

/**
 * Why a script is hung, in lines for the log: a verdict first, the processes last. `pid` is the script; `limit` is in
 * milliseconds. Never throws, never takes longer, never gives more than 60 lines; what was not seen in time is missing.
 */
export async function explainHung(
  door: Door,
  pid: number,
  { name, limit = MOST_MS }: { name?: string; limit?: number } = {},
): Promise<string[]> {
  const seen = nothingSeen()
  const trouble: string[] = []
  const looked = lookAtHung(door, pid, seen).catch((error: unknown) => {
    trouble.push(`  not all was seen: ${error instanceof Error ? error.message : String(error)}`)
  })
  if ((await inTime(limit, looked)) === 'late') trouble.push(`  not all was seen within ${limit} ms`)
  try {
    const isKnown = seen.processes.length > 0
    const lines = isKnown ? hungReport(seen, pid, name) : [`pid ${pid} is hung; ps did not say why`]
    return [...lines, ...trouble.slice(0, 1)]
  } catch (error) {
    return [`pid ${pid} is hung; why could not be found out: ${String(error)}`]
  }
}
