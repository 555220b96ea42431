import { live } from '../system/live.ts'
import { Refusal } from '../refusal.ts'

/** Milliseconds; the tool asks nobody for it. */
const LIMIT_MS = 5000

/** Major and minor of the ctdb tool of this node; undefined where there is none, or it does not say. */
export async function ctdbVersion(): Promise<readonly [number, number] | undefined> {
  const machine = live({ signal: AbortSignal.timeout(LIMIT_MS), atOnce: () => true })
  try {
    const tool = (process.env['CTDB'] || 'ctdb').split(' ').filter(Boolean)
    return parseVersion((await machine.run('ask', [...tool, 'version'], {})).out)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Of `4.17.12-Debian`. */
export function parseVersion(text: string): readonly [number, number] | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)\b/m.exec(text) ?? []
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)]
}
