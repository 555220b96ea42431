/** How the scripts of an event ended, and which hang, as the ctdb tool and ps tell it. Pure. */
import type { Process } from '../daemon/proc.ts'
import { Refusal } from '../refusal.ts'
import type { Answer } from '../system/door.ts'

export interface HandlerEnd {
  name: string
  outcome: 'ok' | 'failed' | 'timedout' | 'disabled' | 'cannot-run'
  seconds: number
}

const OUTCOMES: Record<string, HandlerEnd['outcome']> = {
  OK: 'ok',
  ERROR: 'failed',
  TIMEDOUT: 'timedout',
  DISABLED: 'disabled',
  'CANNOT RUN': 'cannot-run',
}

/**
 * What `ctdb event status legacy EVENT` prints (contract, 4.5): a line for each script, what it said below. Its exit
 * status is that of the scripts. An event that has not run yet has none. Throws a Refusal with what came instead.
 */
export function parseEventStatus({ status, out, err }: Answer): HandlerEnd[] {
  const line = /^(\d\d\.\S*)\s+(OK|ERROR|TIMEDOUT|DISABLED|CANNOT RUN)\b(?: \([^)]*\))?[ \t]*(\d+\.\d+)?/gm
  const ends = [...out.matchAll(line)].map(([, name = '', word = '', seconds = '0']) => ({
    name,
    outcome: OUTCOMES[word] ?? 'failed',
    seconds: Number(seconds),
  }))
  if (ends.length > 0 || /has never run/.test(out) || (status === 0 && out.trim() === '')) return ends
  const seen = [out, err].join('\n').trim().split('\n').join('; ') || `exit status ${status}`
  throw new Refusal(`"ctdb event status" printed "${seen}": expected a line for each script`)
}

/** Seconds: twice what EventScriptTimeout gives an event. */
const LONGEST = 60

/** Processes that are a script with its event and have run for longer than any event may, with their age. */
export function hungAmong(processes: readonly Process[]): string[] {
  const script = /^(?:\S+ ){0,2}\S*\/events\/[\w-]+\/(\d\d\.\S+)\.script ([a-z]+)\b/
  return processes.flatMap(({ args, age, pid }) => {
    const [, name, event] = script.exec(args) ?? []
    return name !== undefined && age > LONGEST ? `${name} ${event} (pid ${pid}, ${age} s)` : []
  })
}
